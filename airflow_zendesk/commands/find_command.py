"""``airflow-zendesk find``: which slices hold a ticket, and what exports them again without it."""

import argparse
import contextlib
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console

from airflow_zendesk.commands.progress import progress_bar
from airflow_zendesk.window import Window

if TYPE_CHECKING:
    from airflow_zendesk.verify.ticket_search import Search

_EPILOG = """\
Of each slice only the ticket ids are read, and of those only what may hold one of the tickets by its statistics. Delete
the tickets in Zendesk first; then the printed commands export the slices again, and what Zendesk does not answer any
more is gone from them. The exit code is 0 if everything in the dataset's folder was searched, found or not.

example:
  airflow-zendesk find --ticket-id 4711 --ticket-id 4712 --destination file:///data/zendesk
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    find = commands.add_parser(
        "find",
        help="list the slices that hold a ticket",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = find.add_argument
    add("--ticket-id", action="append", type=int, required=True, metavar="N", help="may be given several times")
    add("--destination", required=True, metavar="URL", help="folder or bucket, like s3://conn_id@bucket/zendesk")
    add("--resource", default="ticket_events", help="ticket_events (default) or ticket_metric_events")
    add("--from", dest="start", metavar="TIME", help="first instant to search (default: all that is there)")
    add("--to", dest="end", metavar="TIME", help="first instant after it; goes with --from")
    add("--zendesk-conn-id", default="zendesk_default", metavar="ID", help="for the printed commands")
    add("--json", action="store_true", help="print what was found as JSON")
    find.set_defaults(run=_find)


def _find(arguments: argparse.Namespace) -> int:
    # Standard output is for the result: what Airflow logs, some of it as soon as it is imported, goes the other way.
    with contextlib.redirect_stdout(sys.stderr):
        search, commands = _run_find(arguments)
    if arguments.json:
        print(json.dumps({"ticket_ids": arguments.ticket_id, **_told(search), "commands": commands}, indent=2))
    else:
        _print(search, commands)
    for uri, reason in search.not_searched:
        print(f"airflow-zendesk: not searched: {uri}: {reason}", file=sys.stderr)
    return 1 if search.not_searched else 0


def _run_find(arguments: argparse.Namespace) -> "tuple[Search, list[str]]":
    from airflow_zendesk.dataset.settings import load_settings  # noqa: PLC0415
    from airflow_zendesk.destination import open_destination  # noqa: PLC0415
    from airflow_zendesk.verify.repair import Target, merge  # noqa: PLC0415
    from airflow_zendesk.verify.ticket_search import find_tickets  # noqa: PLC0415  so that --help is quick

    window = Window.of(arguments.start, arguments.end) if arguments.start or arguments.end else None
    store = open_destination(arguments.destination)
    settings = load_settings(store, arguments.resource)
    with progress_bar(Console(stderr=True)) as bar:
        task = bar.add_task("", total=None, told="listing ...")
        search = find_tickets(
            store,
            settings.resource,
            arguments.ticket_id,
            window,
            on_progress=lambda now: bar.update(task, completed=now.done, total=now.total, told=str(now)),
        )
    target = Target(arguments.destination, settings, arguments.zendesk_conn_id)
    slices = merge(match.slice for match in search.matches)
    return search, [target.export(window, allow_shrink=True) for window in slices]


def _told(search: "Search") -> dict[str, Any]:
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
        print("\nOnce the tickets are gone from Zendesk, these make the slices anew and say how many rows went:")
    for command in commands:
        print(f"  {command}")
