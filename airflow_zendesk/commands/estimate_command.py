"""``airflow-zendesk estimate``: estimate the cost of a long export."""

import argparse
import json
from typing import TYPE_CHECKING

from airflow_zendesk.commands import options
from airflow_zendesk.commands.terminal import logs_to_stderr
from airflow_zendesk.window import Grain, Window
from airflow_zendesk.wording import counted

if TYPE_CHECKING:
    from airflow_zendesk.export.estimate import Estimate

_EPILOG = """\
Requests at most ten pages, spread over the window, and exports nothing.

example:
  airflow-zendesk estimate --start 2024-01-01T00:00:00Z --end 2026-01-01T00:00:00Z --grain 1h
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = options.add_command(
        commands,
        "estimate",
        _run,
        summary="estimate the requests, minutes and bytes of a long export",
        epilog=_EPILOG,
    )
    options.add_resource(parser)
    options.add_window(parser)
    parser.add_argument("--grain", default="1d", metavar="LENGTH", help="length of a slice: 1d (default), 1h, 15m ...")
    options.add_query(parser)
    options.add_connection(parser)
    options.add_json(parser)


def _run(arguments: argparse.Namespace) -> int:
    with logs_to_stderr():
        estimate = _estimate(arguments)
    if arguments.json:
        print(json.dumps(estimate.to_dict(), indent=2))
    else:
        _print(estimate)
    return 0


def _estimate(arguments: argparse.Namespace) -> "Estimate":
    from airflow_zendesk.export.estimate import estimate  # noqa: PLC0415
    from airflow_zendesk.hooks.zendesk import ZendeskHook  # noqa: PLC0415
    from airflow_zendesk.zendesk.resources import Query  # noqa: PLC0415

    return estimate(
        ZendeskHook(arguments.zendesk_conn_id),
        Query.of(arguments.resource, arguments.include, arguments.support_type_scope),
        Window.of(arguments.start, arguments.end),
        Grain.of(arguments.grain),
    )


def _print(estimate: "Estimate") -> None:
    margin = "margin unknown (only one page was sampled)" if estimate.margin is None else f"± {estimate.margin:,}"
    if estimate.margin == 0:
        margin = "counted"
    print(f"{estimate.window}: {counted(estimate.slices, 'slice')} of {estimate.grain}")
    print(f"{estimate.noun:<16} {estimate.events:>12,}  {margin}, by {counted(estimate.probes, 'request')}")
    print(f"bytes in storage {estimate.bytes:>12,}")
    print(f"{'':16} {'requests':>12}  minutes at {estimate.requests_per_minute:,} requests a minute")
    for name, cost in (("one pass", estimate.sweep), ("a run per slice", estimate.run_per_slice)):
        print(f"{name:16} {cost.requests:>12,}  {cost.minutes:,.1f}")
