"""The command: exports without a DAG, and a local Zendesk to try them with. It needs no Airflow database."""

import argparse
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
    verify_command,
)
from airflow_zendesk.exceptions import ZendeskError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 0 means that everything asked for is done."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except ZendeskError as error:
        print(f"airflow-zendesk: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("airflow-zendesk: interrupted; what is published is whole", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="airflow-zendesk", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (
        export_command,
        verify_command,
        find_command,
        estimate_command,
        check_storage_command,
        ddl_command,
        emulator_command,
    ):
        command.add_to(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
