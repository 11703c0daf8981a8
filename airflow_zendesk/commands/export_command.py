"""``airflow-zendesk export``: export a window as partitioned Parquet, without a DAG."""

import argparse
import gc
import json
from typing import TYPE_CHECKING

from rich.console import Console

from airflow_zendesk.commands import options
from airflow_zendesk.commands.terminal import logs_to_stderr, progress_bar
from airflow_zendesk.window import Grain, Window, to_timedelta
from airflow_zendesk.wording import counted

if TYPE_CHECKING:
    from airflow_zendesk.export.progress import Progress
    from airflow_zendesk.export.report import ExportReport
    from airflow_zendesk.zendesk.retry import RetryBudget

_EPILOG = """\
The window must consist of whole slices. Each slice is published as soon as it is complete; if the command fails, run it
again with --if-exists skip to continue.

The account is an Airflow connection, for example from the environment:
  AIRFLOW_CONN_ZENDESK_DEFAULT='{"conn_type": "zendesk_export", "host": "acme", "login": "...", "password": "..."}'

example:
  airflow-zendesk export --resource ticket_events --start 2026-01-01T00:00:00Z --end 2026-01-02T00:00:00Z \\
    --destination file:///data/zendesk
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = options.add_command(
        commands, "export", _run, summary="export a window as partitioned Parquet", epilog=_EPILOG
    )
    options.add_resource(parser)
    options.add_window(parser, required=False, note="not for lists")
    options.add_destination(parser)
    options.add_query(parser)
    add = parser.add_argument
    add("--private-comments", action="store_true", help="include the texts of private comments")
    add("--drop-field", action="append", default=[], metavar="FIELD", help="remove a field; may be repeated")
    add("--hash-field", action="append", default=[], metavar="FIELD", help="store a field as a hash; may be repeated")
    add("--grain", metavar="LENGTH", help="length of a slice: 1d, 1h, 15m ... (default: the dataset's own; new: 1d)")
    add("--if-exists", choices=("replace", "skip"), default="replace", help="replace stored slices (default), or skip")
    add("--allow-shrink", action="store_true", help="remove stored events that Zendesk no longer returns")
    add("--settle", default="5m", metavar="LENGTH", help="minimum age of an event (default: 5m; at least 90 seconds)")
    add("--wait-timeout", metavar="LENGTH", help="wait while Zendesk refuses or fails (default: 30m a page, 2h in all)")
    options.add_connection(parser)
    options.add_json(parser)


def _run(arguments: argparse.Namespace) -> int:
    with logs_to_stderr():
        report = _export(arguments)
    if arguments.json:
        print(json.dumps(report.to_dict(), indent=2))
    else:
        _print_report(report)
    console = Console(stderr=True)
    for warning in report.warnings():
        console.print(f"warning: {warning}", highlight=False, markup=False)
    return 0


def _export(arguments: argparse.Namespace) -> "ExportReport":
    # The objects of imported modules stay until the end. Python's garbage collector would search them again and again,
    # during the imports and after them, for a sixth of the CPU time of an export of 20,000 events.
    gc.disable()
    from airflow_zendesk.export.run import export_window  # noqa: PLC0415
    from airflow_zendesk.hooks.zendesk import ZendeskHook  # noqa: PLC0415
    from airflow_zendesk.zendesk.resources import Query  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    with progress_bar() as bar:
        task = bar.add_task("", total=1.0, text="starting ...")
        return export_window(
            ZendeskHook(arguments.zendesk_conn_id, retry_budget=_retry_budget(arguments.wait_timeout)),
            arguments.destination,
            Query.of(
                arguments.resource,
                arguments.include,
                arguments.support_type_scope,
                private_comments=arguments.private_comments,
                drop_fields=arguments.drop_field,
                hash_fields=arguments.hash_field,
            ),
            Window.of(arguments.start, arguments.end) if arguments.start or arguments.end else None,
            grain=Grain.of(arguments.grain) if arguments.grain else None,
            settle=to_timedelta(arguments.settle, "--settle"),
            if_exists=arguments.if_exists,
            allow_shrink=arguments.allow_shrink,
            on_progress=lambda now: bar.update(task, completed=now.fraction, text=_progress_text(now)),
        )


def _retry_budget(wait_timeout: str | None) -> "RetryBudget | None":
    from airflow_zendesk.zendesk.retry import RetryBudget  # noqa: PLC0415

    if wait_timeout is None:
        return None
    seconds = to_timedelta(wait_timeout, "--wait-timeout").total_seconds()
    return RetryBudget(page_seconds=seconds, first_page_seconds=seconds, run_seconds=seconds)


def _progress_text(now: "Progress") -> str:
    """The progress in a line that fits a narrow terminal beside the bar."""
    remaining = "?" if now.remaining is None else str(now.remaining).partition(".")[0]
    return (
        f"{now.fraction:4.0%}  to {now.complete_until:%Y-%m-%d %H:%M}  {now.events:,} {now.noun}  "
        f"{now.events_per_second:,.0f}/s  {remaining} left"
    )


def _print_report(report: "ExportReport") -> None:
    print(f"{'slice':<16}  {'rows':>9}  {'bytes':>12}  {'':<9}  object")
    for slice_ in report.slices:
        rows, size = ("" if number is None else f"{number:,}" for number in (slice_.rows, slice_.bytes))
        print(f"{slice_.start:%Y-%m-%d %H:%M}  {rows:>9}  {size:>12}  {slice_.outcome:<9}  {slice_.uri}")
    outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in report.slices_by_outcome().items())
    print(f"{report.events:,} {report.noun} in {counted(report.stats.requests, 'request')}; slices: {outcomes}")
