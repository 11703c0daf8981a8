"""The progress of a running export."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_zendesk.window import Slice
from airflow_zendesk.wording import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress of an export after a page.

    ``events`` counts events, or the objects of another resource, as ``noun`` says. ``fraction`` is the completed part
    of the slices to export, from 0 to 1, without skipped ones. ``seconds_limited`` is the time spent waiting for rate
    limits.
    """

    complete_until: datetime
    fraction: float
    pages: int
    events: int
    late: int
    requests: int
    seconds_limited: float
    elapsed: timedelta
    noun: str = "events"

    @property
    def events_per_second(self) -> float:
        """The mean since the first request."""
        return self.events / max(self.elapsed.total_seconds(), 1e-3)

    @property
    def remaining(self) -> timedelta | None:
        """Expected time to the end, at the speed so far; None before the first progress."""
        return self.elapsed * (1 / self.fraction - 1) if self.fraction else None

    def __str__(self) -> str:
        rest = "" if self.remaining is None else f", about {str(self.remaining).partition('.')[0]} left"
        return (
            f"Complete until {self.complete_until:%Y-%m-%dT%H:%M:%SZ} ({self.fraction:.0%}): "
            f"{self.events:,} {self.noun}, {counted(self.pages, 'page')}, "
            f"{self.events_per_second:,.0f} {self.noun}/s{rest}"
        )


def completed_fraction(complete_until: int, pending: Sequence[Slice]) -> float:
    """The completed part of the pending slices, from 0 to 1; they are all of one length."""
    done = bisect_right(pending, complete_until, key=lambda slice_: slice_.end_time)
    if done == len(pending):
        return 1.0
    current = pending[done]
    seconds = max(0, complete_until - current.start_time)
    return (done + seconds / (current.end_time - current.start_time)) / len(pending)
