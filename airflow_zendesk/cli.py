"""The command ``airflow-zendesk``: export and verify datasets without a DAG and without an Airflow database."""

import argparse
import os
import sys
from collections.abc import Sequence

from airflow_zendesk import __version__
from airflow_zendesk.commands import (
    check_storage_command,
    ddl_command,
    emulator_command,
    estimate_command,
    export_command,
    find_command,
    rename_account_command,
    verify_command,
)
from airflow_zendesk.exceptions import ZendeskError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 means that everything requested was done."""
    arguments = _parser().parse_args(argv)
    try:
        code = int(arguments.run(arguments))
        # Here and not at exit, so that a closed pipe is noticed.
        sys.stdout.flush()
    except ZendeskError as error:
        print(f"airflow-zendesk: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader, for example `head`, has closed the pipe. Python would fail once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("airflow-zendesk: interrupted; every slice that was published is complete", file=sys.stderr)
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="airflow-zendesk",
        description="Export Zendesk data and verify it, without a DAG and without an Airflow database.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (
        export_command,
        verify_command,
        find_command,
        estimate_command,
        check_storage_command,
        rename_account_command,
        ddl_command,
        emulator_command,
    ):
        command.add_to(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
