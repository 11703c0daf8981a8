"""One run of the DAG ``zendesk_history`` that exports all missing slices of a dataset. No I/O."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil

from airflow_zendesk.plugins.slice_facts import SliceFacts
from airflow_zendesk.verify.coverage import Coverage
from airflow_zendesk.window import Window

#: Zendesk's page size, and the requests per minute of its incremental exports.
_ROWS_PER_REQUEST, _REQUESTS_PER_MINUTE = 1_000, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairPlan:
    """The days of a run that exports the missing slices; slices that are stored in between are skipped.

    ``requests`` and ``minutes`` are estimated from the rows of stored slices.
    """

    start: date
    end: date
    missing: int
    requests: int
    minutes: int


def plan_repair(coverage: Coverage, facts: Iterable[SliceFacts], now: datetime) -> RepairPlan | None:
    """Return the plan for all gaps before today, or None if there is none."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    gaps = [Window(gap.start, min(gap.end, today)) for gap in coverage.gaps if gap.start < today]
    if not gaps:
        return None
    missing = sum(coverage.count(gap) for gap in gaps)
    rows = [fact.rows for fact in facts if fact.rows is not None]
    pages = ceil(missing * (sum(rows) / len(rows) if rows else 0) / _ROWS_PER_REQUEST)
    requests = max(pages, len(gaps))
    return RepairPlan(
        start=gaps[0].start.date(),
        end=(gaps[-1].end - timedelta(seconds=1)).date() + timedelta(days=1),
        missing=missing,
        requests=requests,
        minutes=ceil(requests / _REQUESTS_PER_MINUTE),
    )
