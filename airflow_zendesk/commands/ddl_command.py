"""``airflow-zendesk ddl``: print the definitions of a warehouse's tables."""

import argparse

from airflow_zendesk.commands import options

_EPILOG = """\
example:
  airflow-zendesk ddl --dialect snowflake --resource ticket_events
  airflow-zendesk ddl --dialect athena --location s3://my-bucket/zendesk
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    ddl = commands.add_parser(
        "ddl",
        help="print the definitions of a warehouse's tables",
        description="Print the statements that create the tables for exported slices, and their views.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = ddl.add_argument
    add(
        "--dialect",
        required=True,
        choices=("duckdb", "postgres", "bigquery", "snowflake", "redshift", "athena", "trino", "databricks"),
        help="SQL dialect of the warehouse",
    )
    options.add_resource(ddl, default=None, note="; default: all")
    add(
        "--shape",
        choices=("fivetran",),
        help="views with the names and columns of Fivetran's connector (duckdb, postgres)",
    )
    add("--schema", default="zendesk", metavar="NAME", help="schema, dataset or database (default: zendesk)")
    add(
        "--location",
        default="s3://BUCKET/zendesk",
        metavar="URL",
        help="destination of the exports, for athena and trino, which query the slices in storage",
    )
    ddl.set_defaults(run=_ddl)


def _ddl(arguments: argparse.Namespace) -> int:
    from airflow_zendesk.warehouse.ddl import definitions  # noqa: PLC0415

    for text in definitions(
        arguments.dialect, arguments.schema, arguments.location, arguments.resource, arguments.shape
    ):
        print(f"{text}\n")
    return 0
