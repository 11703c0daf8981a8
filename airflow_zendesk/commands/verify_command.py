"""``airflow-zendesk verify``: verify that a dataset is complete, or print the problems and the repair commands."""

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Literal

from airflow_zendesk.commands import options
from airflow_zendesk.commands.terminal import logs_to_stderr, progress_bar
from airflow_zendesk.window import Window
from airflow_zendesk.wording import counted

if TYPE_CHECKING:
    from airflow_zendesk.verify.findings import VerificationReport
    from airflow_zendesk.verify.repair import Repair

_EPILOG = """\
Lists every object below the dataset's folder, opens every slice of the window and reads every row. The exit code is 0
only if there is no finding. Needs twelve bytes of temporary disk space per event; memory does not grow with the window.

--source also extracts slices from Zendesk again and compares them, without publishing anything: seven slices spread
over the window, or the given number, or all.

example:
  airflow-zendesk verify --destination file:///data/zendesk --start 2026-01-01T00:00:00Z --end 2026-02-01T00:00:00Z
"""
#: How many findings are printed; --json prints all.
_MAX_PRINTED = 20
#: How many slices ``--source`` without a value compares. Each needs its pages, at least one request.
_DEFAULT_SOURCE = 7
_MOVE_AWAY = """\
Move these objects out of the dataset's folder first. Move each object alone, nothing else below its name, and keep it
until the dataset is complete:"""
_SHARED_IDS = """\
Export slices that share ids in one pass. The command fails and reports how many stored events it would remove; if that
number is right, add --allow-shrink:"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = options.add_command(commands, "verify", _run, summary="verify that a dataset is complete", epilog=_EPILOG)
    options.add_destination(parser)
    options.add_resource(parser)
    options.add_window(parser)
    add = parser.add_argument
    add("--source", nargs="?", type=_source, const=_DEFAULT_SOURCE, metavar="all|N", help="compare slices with Zendesk")
    options.add_connection(parser)
    add("--dag-id", metavar="ID", help="the DAG that exports to this destination; adds backfills to the repair")
    options.add_json(parser)


def _run(arguments: argparse.Namespace) -> int:
    with logs_to_stderr():
        report = _verify(arguments)
        from airflow_zendesk.verify.repair import Target, repair  # noqa: PLC0415

        target = Target(arguments.destination, report.settings, arguments.zendesk_conn_id)
        advice = repair(report, target, arguments.dag_id)
        if arguments.json:
            text = json.dumps({**report.to_dict(), "repair": asdict(advice)}, indent=2)
        else:
            text = "\n".join([*_slices(report), *_findings(report), *_repair(advice)])
    print(text)
    return 0 if report.complete else 1


def _verify(arguments: argparse.Namespace) -> "VerificationReport":
    from airflow_zendesk.verify.source_check import verify_window  # noqa: PLC0415

    with progress_bar() as bar:
        task = bar.add_task("", total=None, text="listing ...")
        return verify_window(
            arguments.destination,
            arguments.resource,
            Window.of(arguments.start, arguments.end),
            source=arguments.source,
            zendesk_conn_id=arguments.zendesk_conn_id,
            on_progress=lambda now: bar.update(task, completed=now.done, total=now.total, text=str(now)),
        )


def _source(text: str) -> int | Literal["all"]:
    if text == "all":
        return "all"
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is neither all nor a number of slices")
    return int(text)


def _slices(report: "VerificationReport") -> list[str]:
    header = f"{'start':<16}  {'end':<16}  {'slices':>7}  {'rows':>11}  {'late':>7}  {'bytes':>15}"
    return [header] + [
        f"{run.start:%Y-%m-%d %H:%M}  {run.end:%Y-%m-%d %H:%M}  {run.slices:>7,}  {run.rows:>11,}  {run.late:>7,}  "
        f"{run.bytes:>15,}  {run.problem or 'complete'}"
        for run in report.runs()
    ]


def _findings(report: "VerificationReport") -> list[str]:
    from airflow_zendesk.verify.findings import printable  # noqa: PLC0415

    lines = [str(finding) for finding in report.findings[:_MAX_PRINTED]]
    if len(report.findings) > _MAX_PRINTED:
        lines.append(f"... and {len(report.findings) - _MAX_PRINTED:,} more findings; --json prints all.")
    if report.hidden:
        lines.append(
            f"note: {len(report.hidden):,} hidden objects, which readers ignore, for example "
            f"{printable(report.hidden[0])}"
        )
    if report.folder_markers:
        lines.append(
            f"note: {counted(len(report.folder_markers), 'folder marker')} without events, for example "
            f"{printable(report.folder_markers[0])}. They may stay; docs/verify.md lists the readers that fail on them."
        )
    totals = report.summary()
    compared = f"; {report.compared:,} compared with Zendesk" if report.compared else ""
    problems = ", ".join(f"{count:,} {problem}" for problem, count in report.problems().items())
    lines.append(
        f"{report.uri} of {report.settings.account} in {report.window}: {counted(totals['slices'], 'slice')} of "
        f"{report.settings.grain}, {counted(totals['rows'], 'row')}{compared}: "
        f"{f'NOT COMPLETE: {problems}' if problems else 'complete, without duplicates'}"
    )
    return lines


def _repair(advice: "Repair") -> list[str]:
    from airflow_zendesk.verify.repair import shell_word  # noqa: PLC0415

    sections = [
        (_MOVE_AWAY, [shell_word(uri) for uri in advice.move_away]),
        ("Export again with Airflow (the DAG must not be paused):", advice.backfills),
        ("Or export again without Airflow:" if advice.backfills else "Export again:", advice.exports),
        (_SHARED_IDS, advice.one_pass_exports),
    ]
    return [line for heading, lines in sections if lines for line in ("", heading, *(f"  {each}" for each in lines))]
