"""``airflow-zendesk audit``: prove that a dataset is whole, or say what is wrong and what repairs it."""

import argparse
import contextlib
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Console

from airflow_zendesk.commands.progress import progress_bar
from airflow_zendesk.window import Window

if TYPE_CHECKING:
    from airflow_zendesk.verify.findings import Audit
    from airflow_zendesk.verify.repair import Repair

_EPILOG = """\
Everything below the dataset's folder is listed, every slice of the window opened, every row read: its digest, its time,
its id. The exit code is 0 only if nothing is wrong. Twelve bytes an id go to a temporary file; memory does not grow.

--source asks Zendesk again and compares, publishing nothing: seven slices spread over the window, or N, or all.

example:
  airflow-zendesk audit --destination file:///data/zendesk --from 2026-01-01T00:00:00Z --to 2026-02-01T00:00:00Z
"""
#: How many findings are printed; --json has them all.
_PRINTED = 20
#: How many slices are compared with Zendesk if no number is said: each costs its pages, and at least one request.
_SAMPLE = 7


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    audit = commands.add_parser(
        "audit",
        help="prove that a dataset is whole",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = audit.add_argument
    add("--destination", required=True, metavar="URL", help="folder or bucket, like s3://conn_id@bucket/zendesk")
    add("--resource", default="ticket_events", help="ticket_events (default) or ticket_metric_events")
    add("--from", dest="start", required=True, metavar="TIME", help="first instant to prove")
    add("--to", dest="end", required=True, metavar="TIME", help="first instant after it")
    add("--source", nargs="?", type=_sample, const=_SAMPLE, default=0, metavar="all|N", help="compare with Zendesk too")
    add("--zendesk-conn-id", default="zendesk_default", metavar="ID", help="default: zendesk_default")
    add("--dag-id", metavar="ID", help="the DAG that exports it, for repairs (default: the one of this package)")
    add("--json", action="store_true", help="print all that was found as JSON")
    audit.set_defaults(run=_audit)


def _audit(arguments: argparse.Namespace) -> int:
    # Standard output is for the result: what Airflow logs, some of it as soon as it is imported, goes the other way.
    with contextlib.redirect_stdout(sys.stderr):
        found = _run_audit(arguments)
        from airflow_zendesk.verify.repair import SHIPPED_DAGS, Target, repair  # noqa: PLC0415  brings pyarrow

        target = Target(arguments.destination, found.settings, arguments.zendesk_conn_id)
        advice = repair(found, target, arguments.dag_id or SHIPPED_DAGS[found.settings.resource])
    if arguments.json:
        print(json.dumps({**found.to_dict(), "repair": asdict(advice)}, indent=2))
    else:
        _print_slices(found)
        _print_findings(found)
        _print_repair(advice)
    return 0 if found.whole else 1


def _run_audit(arguments: argparse.Namespace) -> "Audit":
    # Airflow takes a second to import, which --help should not.
    from airflow_zendesk.hooks.zendesk import ZendeskHook  # noqa: PLC0415
    from airflow_zendesk.verify.source_check import verify_window  # noqa: PLC0415

    with progress_bar(Console(stderr=True)) as bar:
        task = bar.add_task("", total=None, told="listing ...")
        return verify_window(
            arguments.destination,
            arguments.resource,
            Window.of(arguments.start, arguments.end),
            hook=None if arguments.source == 0 else ZendeskHook(arguments.zendesk_conn_id),
            sample=arguments.source,
            on_progress=lambda now: bar.update(task, completed=now.done, total=now.total, told=str(now)),
        )


def _sample(text: str) -> int | None:
    """How many slices to compare; None is all."""
    if text == "all":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is neither all nor a number of slices")
    return int(text)


def _print_slices(found: "Audit") -> None:
    print(f"{'from':<16}  {'to':<16}  {'slices':>7}  {'rows':>11}  {'late':>7}  {'bytes':>15}")
    for run in found.runs():
        print(
            f"{run.start:%Y-%m-%d %H:%M}  {run.end:%Y-%m-%d %H:%M}  {run.slices:>7,}  {run.rows:>11,}  {run.late:>7,}  "
            f"{run.bytes:>15,}  {run.problem or 'whole'}"
        )


def _print_findings(found: "Audit") -> None:
    for finding in found.findings[:_PRINTED]:
        print(finding)
    if len(found.findings) > _PRINTED:
        print(f"... and {len(found.findings) - _PRINTED:,} findings more; --json has them all.")
    if found.hidden:
        print(f"note: {len(found.hidden):,} hidden objects, which readers pass by, like {found.hidden[0]}")
    totals = found.summary()
    compared = f"; {found.compared:,} compared with Zendesk" if found.compared else ""
    told = ", ".join(f"{count:,} {problem}" for problem, count in found.problems().items())
    print(
        f"{found.uri} of {found.settings.account} in {found.window}: {totals['slices']:,} slices of "
        f"{found.settings.grain}, {totals['rows']:,} rows{compared}: "
        f"{f'NOT WHOLE: {told}' if told else 'whole, and every id once'}"
    )


def _print_repair(advice: "Repair") -> None:
    sections = [
        ("Move these away first, for an export leaves them alone:", advice.move_away),
        ("Let Airflow export again what is not whole (the DAG must not be paused):", advice.backfills),
        ("or, without Airflow:" if advice.backfills else "Export again what is not whole:", advice.exports),
        ("Let ids that stand in two slices go from one of them:", advice.crawls),
    ]
    for heading, lines in sections:
        if lines:
            print("\n" + heading)
        for line in lines:
            print(f"  {line}")
