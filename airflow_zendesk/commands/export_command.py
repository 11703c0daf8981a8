"""``airflow-zendesk export``: a window into partitioned Parquet, without a DAG."""

import argparse
import contextlib
import json
import sys
from typing import TYPE_CHECKING

from rich.console import Console

from airflow_zendesk.commands.progress import progress_bar
from airflow_zendesk.window import Grain, Window, to_timedelta

if TYPE_CHECKING:
    from airflow_zendesk.export import report

_EPILOG = """\
Times are ISO 8601 with a time zone. The connection is an Airflow connection, most simply in the environment:
  AIRFLOW_CONN_ZENDESK_DEFAULT='{"conn_type": "zendesk_export", "host": "acme", "login": "...", "password": "..."}'

example:
  airflow-zendesk export --resource ticket_events --start 2026-01-01T00:00:00Z --end 2026-01-02T00:00:00Z \\
    --destination file:///data/zendesk
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    export = commands.add_parser(
        "export",
        help="export a window into partitioned Parquet",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = export.add_argument
    add("--resource", default="ticket_events", help="ticket_events (default) or ticket_metric_events")
    add("--start", required=True, metavar="TIME", help="first instant of the window")
    add("--end", required=True, metavar="TIME", help="first instant after the window")
    add("--destination", required=True, metavar="URL", help="folder or bucket, like s3://conn_id@bucket/zendesk")
    add("--grain", metavar="LENGTH", help="length of a slice: 1d, 1h, 15m ... (default: the dataset's own, new: 1d)")
    add("--include", action="append", default=[], metavar="SIDELOAD", help="comment_events: with texts of comments")
    add("--private-comments", action="store_true", help="with the texts of private comments too")
    add("--drop-field", action="append", default=[], metavar="FIELD", help="leave out a field, like system.location")
    add("--hash-field", action="append", default=[], metavar="FIELD", help="keep a field's keyed hash only")
    add("--support-type-scope", default="all", help="all (default), agent or ai_agent")
    add("--zendesk-conn-id", default="zendesk_default", metavar="ID", help="default: zendesk_default")
    add("--if-exists", choices=("replace", "skip"), default="replace", help="what to do with slices that are there")
    add("--allow-shrink", action="store_true", help="let slices lose events that Zendesk no longer answers")
    add("--settle", default="5m", metavar="LENGTH", help="how old an event must be to be exported (default: 5m)")
    add("--json", action="store_true", help="print the report as JSON")
    export.set_defaults(run=_export)


def _export(arguments: argparse.Namespace) -> int:
    console = Console(stderr=True)
    # Standard output is for the result: what Airflow logs, some of it as soon as it is imported, goes the other way.
    with contextlib.redirect_stdout(sys.stderr):
        done = _run_export(arguments, console)
    if arguments.json:
        print(json.dumps(done.to_dict(), indent=2))
    else:
        _print_report(done)
    for remark in done.warnings():
        console.print(f"note: {remark}", highlight=False)
    return 0


def _run_export(arguments: argparse.Namespace, console: Console) -> "report.ExportReport":
    # Airflow takes a second to import, which --help should not.
    from airflow_zendesk.export.run import export_window  # noqa: PLC0415
    from airflow_zendesk.hooks.zendesk import ZendeskHook  # noqa: PLC0415
    from airflow_zendesk.zendesk.resources import Query  # noqa: PLC0415

    with progress_bar(console) as bar:
        task = bar.add_task("", total=1.0, told="asking Zendesk ...")
        return export_window(
            ZendeskHook(arguments.zendesk_conn_id),
            arguments.destination,
            Query.of(
                arguments.resource,
                arguments.include,
                arguments.support_type_scope,
                private_comments=arguments.private_comments,
                drop_fields=arguments.drop_field,
                hash_fields=arguments.hash_field,
            ),
            Window.of(arguments.start, arguments.end),
            grain=Grain.of(arguments.grain) if arguments.grain else None,
            settle=to_timedelta(arguments.settle, "--settle"),
            if_exists=arguments.if_exists,
            allow_shrink=arguments.allow_shrink,
            on_progress=lambda now: bar.update(task, completed=now.fraction, told=_told(now)),
        )


def _told(now: "report.Progress") -> str:
    """Progress in a line that fits a narrow terminal beside its bar."""
    remaining = "?" if now.remaining is None else str(now.remaining).partition(".")[0]
    return (
        f"{now.fraction:4.0%}  to {now.complete_until:%Y-%m-%d %H:%M}  {now.events:,} events  "
        f"{now.events_per_second:,.0f}/s  {remaining} left"
    )


def _print_report(done: "report.ExportReport") -> None:
    print(f"{'slice':<16}  {'rows':>9}  {'bytes':>12}  {'':<9}  object")
    for slice_ in done.slices:
        rows, size = ("" if number is None else f"{number:,}" for number in (slice_.rows, slice_.bytes))
        print(f"{slice_.start:%Y-%m-%d %H:%M}  {rows:>9}  {size:>12}  {slice_.outcome:<9}  {slice_.uri}")
    outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in done.slices_by_outcome().items())
    print(f"{done.events:,} events in {done.stats.requests:,} requests; slices: {outcomes}")
