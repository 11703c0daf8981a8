"""``airflow-zendesk find``: list the slices that contain a ticket or a user, and how to export them again."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_zendesk.commands import options
from airflow_zendesk.commands.terminal import logs_to_stderr, progress_bar
from airflow_zendesk.exceptions import DatasetNotFoundError, SettingsError
from airflow_zendesk.window import Window
from airflow_zendesk.wording import counted

if TYPE_CHECKING:
    from airflow_zendesk.dataset.settings import DatasetSettings
    from airflow_zendesk.storage.store import Store
    from airflow_zendesk.verify.id_search import IdKind, Search

_EPILOG = """\
For tickets, only their ids are read, and only where the statistics of the file allow a match. A user may be in any
column, so with --user-id everything is read, and without --resource in every dataset of the destination. Delete the
tickets or the user in Zendesk first. The printed commands then export the slices again without them. The exit code is
0 if every object in the datasets' folders was searched, whether or not anything was found.

examples:
  airflow-zendesk find --ticket-id 4711 --ticket-id 4712 --destination file:///data/zendesk
  airflow-zendesk find --user-id 22000000012345 --destination file:///data/zendesk
"""
_ADVICE = """
After the deletion in Zendesk, run these commands. Each removes every stored row of its slices that Zendesk
no longer returns, and reports how many. To see that number first, leave out --allow-shrink: nothing is
removed then."""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = options.add_command(
        commands, "find", _run, summary="list the slices that contain a ticket or a user", epilog=_EPILOG
    )
    ids = parser.add_mutually_exclusive_group(required=True)
    ids.add_argument("--ticket-id", action="append", type=int, metavar="N", help="id of a ticket; may be repeated")
    ids.add_argument("--user-id", action="append", type=int, metavar="N", help="id of a user; may be repeated")
    options.add_destination(parser)
    options.add_resource(parser, default=None, note="; default: ticket_events, or all with --user-id")
    options.add_window(parser, required=False)
    options.add_connection(parser)
    options.add_json(parser)


def _run(arguments: argparse.Namespace) -> int:
    with logs_to_stderr():
        found = _search_all(arguments)
        from airflow_zendesk.verify.findings import printable  # noqa: PLC0415  imports pyarrow
    if arguments.json:
        ids = {"user_ids": arguments.user_id} if arguments.user_id else {"ticket_ids": arguments.ticket_id}
        print(json.dumps([{**ids, **_to_dict(search), "commands": commands} for search, commands in found], indent=2))
    else:
        _print("user" if arguments.user_id else "ticket", found)
    not_searched = [each for search, _ in found for each in search.not_searched]
    for uri, reason in not_searched:
        print(f"airflow-zendesk: not searched: {printable(uri)}: {reason}", file=sys.stderr)
    return 1 if not_searched else 0


def _search_all(arguments: argparse.Namespace) -> "list[tuple[Search, list[str]]]":
    """The result for each dataset, with the commands that export its slices again."""
    from airflow_zendesk.dataset.settings import load_settings, read_settings  # noqa: PLC0415
    from airflow_zendesk.destination import open_destination  # noqa: PLC0415
    from airflow_zendesk.zendesk.resources import RESOURCES  # noqa: PLC0415

    window = _window(arguments)
    store = open_destination(arguments.destination)
    if arguments.user_id and arguments.resource is None:
        datasets = [settings for name in RESOURCES if (settings := read_settings(store, name))]
        if not datasets:
            raise DatasetNotFoundError(store.uri(""))
    else:
        datasets = [load_settings(store, arguments.resource or "ticket_events")]
    return [_search(arguments, store, settings, window) for settings in datasets]


def _search(
    arguments: argparse.Namespace, store: "Store", settings: "DatasetSettings", window: Window | None
) -> "tuple[Search, list[str]]":
    from airflow_zendesk.verify.id_search import find_ids  # noqa: PLC0415
    from airflow_zendesk.verify.repair import Target, merge  # noqa: PLC0415

    kind: IdKind = "user" if arguments.user_id else "ticket"
    hash_key = _hash_key(arguments, store, settings) if kind == "user" and settings.hash_fields else None
    with progress_bar() as bar:
        task = bar.add_task("", total=None, text="listing ...")
        search = find_ids(
            store,
            settings.resource,
            kind,
            arguments.user_id or arguments.ticket_id,
            window,
            hash_key=hash_key,
            on_progress=lambda now: bar.update(task, completed=now.done, total=now.total, text=str(now)),
        )
    target = Target(arguments.destination, settings, arguments.zendesk_conn_id)
    slices = merge(match.slice for match in search.matches)
    return search, [target.export(window, allow_shrink=True) for window in slices]


def _hash_key(arguments: argparse.Namespace, store: "Store", settings: "DatasetSettings") -> str:
    """The key of the dataset's hashed fields; users whose ids are hashed cannot be found without it."""
    from airflow_zendesk.hooks.zendesk import ZendeskHook  # noqa: PLC0415
    from airflow_zendesk.zendesk.privacy import key_id  # noqa: PLC0415

    hash_key = ZendeskHook(arguments.zendesk_conn_id).connection_settings.hash_key
    if not hash_key or key_id(hash_key) != settings.hash_key_id:
        raise SettingsError(
            f"{store.uri(settings.resource)} has hashed fields, and their key is not the hash_key of the connection "
            f"{arguments.zendesk_conn_id}. Put the key that the exports used into the extra hash_key."
        )
    return hash_key


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


def _print(kind: str, found: "Sequence[tuple[Search, list[str]]]") -> None:
    if any(search.matches for search, _ in found):
        print(f"{'slice':<16}  {kind:>16}  {'rows':>9}  object")
    for search, _ in found:
        for match in search.matches:
            for id_, rows in match.rows.items():
                print(f"{match.slice.start:%Y-%m-%d %H:%M}  {id_:>16}  {rows:>9,}  {match.uri}")
        total, searched = counted(search.rows, "row"), counted(search.searched, "slice")
        print(f"{total} in {len(search.matches):,} of {searched} of {search.uri}")
    # All slices of a list have one command.
    commands = list(dict.fromkeys(command for _, commands in found for command in commands))
    if commands:
        print(_ADVICE)
    for command in commands:
        print(f"  {command}")
