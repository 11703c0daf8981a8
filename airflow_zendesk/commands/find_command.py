"""``airflow-zendesk find``: list the slices that contain a ticket, and the commands that export them again."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_zendesk.commands import options
from airflow_zendesk.commands.terminal import logs_to_stderr, progress_bar
from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.window import Window

if TYPE_CHECKING:
    from airflow_zendesk.verify.ticket_search import Search

_EPILOG = """\
Only the ticket ids of each slice are read, and only where the statistics of the file allow a match. Delete the tickets
in Zendesk first. The printed commands then export the slices again without them. The exit code is 0 if every object in
the dataset's folder was searched, whether or not the tickets were found.

example:
  airflow-zendesk find --ticket-id 4711 --ticket-id 4712 --destination file:///data/zendesk
"""
_ADVICE = """
After the tickets are deleted in Zendesk, run these commands. Each removes every stored event of its slices
that Zendesk no longer returns, and reports how many. To see that number first, leave out --allow-shrink:
nothing is removed then."""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = options.add_command(
        commands, "find", _run, summary="list the slices that contain a ticket", epilog=_EPILOG
    )
    parser.add_argument("--ticket-id", action="append", type=int, required=True, metavar="N", help="may be repeated")
    options.add_destination(parser)
    options.add_resource(parser)
    options.add_window(parser, required=False)
    options.add_connection(parser)
    options.add_json(parser)


def _run(arguments: argparse.Namespace) -> int:
    with logs_to_stderr():
        search, commands = _search(arguments)
        from airflow_zendesk.verify.findings import printable  # noqa: PLC0415  imports pyarrow
    if arguments.json:
        print(json.dumps({"ticket_ids": arguments.ticket_id, **_to_dict(search), "commands": commands}, indent=2))
    else:
        _print(search, commands)
    for uri, reason in search.not_searched:
        print(f"airflow-zendesk: not searched: {printable(uri)}: {reason}", file=sys.stderr)
    return 1 if search.not_searched else 0


def _search(arguments: argparse.Namespace) -> "tuple[Search, list[str]]":
    from airflow_zendesk.dataset.settings import load_settings  # noqa: PLC0415
    from airflow_zendesk.destination import open_destination  # noqa: PLC0415
    from airflow_zendesk.verify.repair import Target, merge  # noqa: PLC0415
    from airflow_zendesk.verify.ticket_search import find_tickets  # noqa: PLC0415

    window = _window(arguments)
    store = open_destination(arguments.destination)
    settings = load_settings(store, arguments.resource)
    with progress_bar() as bar:
        task = bar.add_task("", total=None, text="listing ...")
        search = find_tickets(
            store,
            settings.resource,
            arguments.ticket_id,
            window,
            on_progress=lambda now: bar.update(task, completed=now.done, total=now.total, text=str(now)),
        )
    target = Target(arguments.destination, settings, arguments.zendesk_conn_id)
    slices = merge(match.slice for match in search.matches)
    return search, [target.export(window, allow_shrink=True) for window in slices]


def _window(arguments: argparse.Namespace) -> Window | None:
    if arguments.start is None and arguments.end is None:
        return None
    if arguments.start is None or arguments.end is None:
        raise SettingsError(
            "Only one of --start and --end is given. Give both, or neither to search the whole dataset."
        )
    return Window.of(arguments.start, arguments.end)


def _to_dict(search: "Search") -> dict[str, Any]:
    return {
        "destination": search.uri,
        "searched": search.searched,
        "slices": [
            {
                "start": match.slice.start.isoformat(),
                "end": match.slice.end.isoformat(),
                "uri": match.uri,
                "rows": match.rows,
            }
            for match in search.matches
        ],
        "not_searched": [uri for uri, _ in search.not_searched],
    }


def _print(search: "Search", commands: Sequence[str]) -> None:
    if search.matches:
        print(f"{'slice':<16}  {'ticket':>16}  {'rows':>9}  object")
    for match in search.matches:
        for ticket_id, rows in match.rows.items():
            print(f"{match.slice.start:%Y-%m-%d %H:%M}  {ticket_id:>16}  {rows:>9,}  {match.uri}")
    print(f"{search.rows:,} rows in {len(search.matches):,} of {search.searched:,} slices of {search.uri}")
    if commands:
        print(_ADVICE)
    for command in commands:
        print(f"  {command}")
