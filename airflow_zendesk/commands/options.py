"""Options that several subcommands share, so that each has one name and one meaning everywhere."""

import argparse
from collections.abc import Callable

from airflow_zendesk.zendesk.resources import RESOURCES


def add_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: Callable[[argparse.Namespace], int],
    *,
    summary: str,
    epilog: str,
) -> argparse.ArgumentParser:
    """Add the parser of a subcommand; ``run`` does its work and returns the exit code."""
    parser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def add_destination(parser: argparse.ArgumentParser) -> None:
    """Add ``--destination``."""
    parser.add_argument(
        "--destination", required=True, metavar="URL", help="folder or bucket, for example s3://conn_id@bucket/zendesk"
    )


def add_resource(
    parser: argparse.ArgumentParser, default: str | None = "ticket_events", note: str = "; default: ticket_events"
) -> None:
    """Add ``--resource``."""
    parser.add_argument(
        "--resource",
        default=default,
        metavar="NAME",
        help=f"one of {', '.join(RESOURCES)}{note}",
    )


def add_window(
    parser: argparse.ArgumentParser, *, required: bool = True, note: str = "default: the whole dataset"
) -> None:
    """Add ``--start`` and ``--end``."""
    note = "" if required else f" ({note})"
    parser.add_argument(
        "--start",
        required=required,
        metavar="TIME",
        help=f"start of the window: a UTC day, or a time with its zone{note}",
    )
    parser.add_argument(
        "--end",
        required=required,
        metavar="TIME",
        help="end of the window, exclusive: a UTC day, or a time with its zone",
    )


def add_query(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose what Zendesk returns."""
    parser.add_argument(
        "--include",
        action="append",
        default=[],
        metavar="SIDELOAD",
        help="comment_events: the texts of comments; metric_sets: the metrics of tickets; may be repeated",
    )
    parser.add_argument("--support-type-scope", default="all", metavar="SCOPE", help="all (default), agent or ai_agent")


def add_connection(parser: argparse.ArgumentParser) -> None:
    """Add ``--zendesk-conn-id``."""
    parser.add_argument(
        "--zendesk-conn-id",
        default="zendesk_default",
        metavar="ID",
        help="Airflow connection of the Zendesk account (default: zendesk_default)",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
