"""``airflow-zendesk rename-account``: continue a dataset after Zendesk changed the subdomain of its account."""

import argparse
import json
import re

from airflow_zendesk.commands import options
from airflow_zendesk.commands.terminal import logs_to_stderr
from airflow_zendesk.exceptions import SettingsError

_EPILOG = """\
Changes only the dataset's settings. Stored slices stay valid and are not exported again. Then change the host of the
Airflow connection. To check that the new name is the same account, run `airflow-zendesk verify --source`.

example:
  airflow-zendesk rename-account --destination s3://aws_default@my-bucket/zendesk --resource ticket_events \\
    --to newname.zendesk.com
"""
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9-]*\.zendesk\.com|localhost|127\.0\.0\.1")


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = options.add_command(
        commands, "rename-account", _run, summary="continue a dataset under a new name of its account", epilog=_EPILOG
    )
    options.add_destination(parser)
    options.add_resource(parser)
    parser.add_argument("--to", required=True, metavar="HOST", help="the new name, for example newname.zendesk.com")
    options.add_json(parser)


def _run(arguments: argparse.Namespace) -> int:
    account = _account(arguments.to)
    with logs_to_stderr():
        from airflow_zendesk.dataset.settings import rename_account, to_builtins  # noqa: PLC0415
        from airflow_zendesk.destination import open_destination  # noqa: PLC0415

        store = open_destination(arguments.destination)
        settings = rename_account(store, arguments.resource, account)
    if arguments.json:
        print(json.dumps(to_builtins(settings), indent=2))
    else:
        former = ", ".join(settings.former_accounts or ()) or "none"
        print(f"{store.uri(settings.resource)} is a dataset of {settings.account}; former names: {former}.")
    return 0


def _account(text: str) -> str:
    host = text.strip().lower().removeprefix("https://").rstrip("/")
    account = host if "." in host or host == "localhost" else f"{host}.zendesk.com"
    if not _ACCOUNT.fullmatch(account):
        raise SettingsError(f"--to {text!r} is not a Zendesk account. Use its address, like newname.zendesk.com.")
    return account
