"""``airflow-zendesk estimate``: what a long export will cost."""

import argparse
import contextlib
import json
import sys
from typing import TYPE_CHECKING

from airflow_zendesk.window import Grain, Window

if TYPE_CHECKING:
    from airflow_zendesk.export.estimate import Estimate

_EPILOG = """\
It asks for ten pages at most, spread over the time, and exports nothing.

example:
  airflow-zendesk estimate --from 2024-01-01T00:00:00Z --to 2026-01-01T00:00:00Z --grain 1h
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    estimate = commands.add_parser(
        "estimate",
        help="tell what a long export will cost: requests, minutes, bytes",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = estimate.add_argument
    add("--resource", default="ticket_events", help="ticket_events (default) or ticket_metric_events")
    add("--from", required=True, dest="start", metavar="TIME", help="first instant, ISO 8601 with a time zone")
    add("--to", required=True, dest="end", metavar="TIME", help="first instant after")
    add("--grain", default="1d", metavar="LENGTH", help="length of a slice: 1d (default), 1h, 15m ...")
    add("--include", action="append", default=[], metavar="SIDELOAD", help="comment_events: with texts of comments")
    add("--support-type-scope", default="all", help="all (default), agent or ai_agent")
    add("--zendesk-conn-id", default="zendesk_default", metavar="ID", help="default: zendesk_default")
    add("--json", action="store_true", help="print the estimate as JSON")
    estimate.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    # Standard output is for the result: what Airflow logs, some of it as soon as it is imported, goes the other way.
    with contextlib.redirect_stdout(sys.stderr):
        done = _estimate(arguments)
    if arguments.json:
        print(json.dumps(done.to_dict(), indent=2))
    else:
        _print(done)
    return 0


def _estimate(arguments: argparse.Namespace) -> "Estimate":
    # Airflow takes a second to import, which --help should not.
    from airflow_zendesk.export.estimate import estimate  # noqa: PLC0415
    from airflow_zendesk.hooks.zendesk import ZendeskHook  # noqa: PLC0415
    from airflow_zendesk.zendesk.resources import Query  # noqa: PLC0415

    return estimate(
        ZendeskHook(arguments.zendesk_conn_id),
        Query.of(arguments.resource, arguments.include, arguments.support_type_scope),
        Window.of(arguments.start, arguments.end),
        Grain.of(arguments.grain),
    )


def _print(done: "Estimate") -> None:
    margin = "which may be anything: one page tells no margin" if done.margin is None else f"± {done.margin:,}"
    print(f"{done.window}: {done.slices:,} slices of {done.grain}")
    print(
        f"events           {done.events:>12,}  {'counted' if done.margin == 0 else margin}, by {done.probes} requests"
    )
    print(f"bytes in storage {done.bytes:>12,}")
    print(f"{'':16} {'requests':>12}  minutes at {done.requests_per_minute:,} requests a minute")
    for way, cost in (("one sweep", done.sweep), ("a run per slice", done.run_per_slice)):
        print(f"{way:16} {cost.requests:>12,}  {cost.minutes:,.1f}")
