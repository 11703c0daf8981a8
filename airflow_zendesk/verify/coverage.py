"""Which slices of a dataset are stored, which are missing, and until when it is complete."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from airflow_zendesk.window import Grain, Slice, Window

#: A slice is missing when it ended a grain ago, and at least this long ago; until then its export may still be running.
_MIN_DELAY = timedelta(hours=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The slices from the first stored one until now.

    Args:
        grain: the length of a slice.
        stored: the stored slices, in order.
        gaps: the times between the first stored slice and now that have no slice, in order and merged.
        missing_until: the slices that end later are not missing yet, because their export may still be running.
    """

    grain: Grain
    stored: tuple[Slice, ...]
    gaps: tuple[Window, ...]
    missing_until: datetime

    @classmethod
    def of(cls, slices: Iterable[Slice], grain: Grain, now: datetime) -> Self:
        """Find the gaps between slices, and after the last of them."""
        by_start = {slice_.start: slice_ for slice_ in slices if _is_of(slice_, grain)}
        stored = tuple(by_start[start] for start in sorted(by_start))
        step = timedelta(seconds=grain.seconds)
        missing_until = now - max(step, _MIN_DELAY)
        if not stored:
            return cls(grain=grain, stored=(), gaps=(), missing_until=missing_until)
        gaps = tuple(_gaps(stored, max(_floor(missing_until, grain), stored[-1].end)))
        return cls(grain=grain, stored=stored, gaps=gaps, missing_until=missing_until)

    @property
    def start(self) -> datetime | None:
        """The start of the first stored slice."""
        return self.stored[0].start if self.stored else None

    @property
    def stored_until(self) -> datetime | None:
        """The end of the last stored slice."""
        return self.stored[-1].end if self.stored else None

    @property
    def complete_until(self) -> datetime | None:
        """The time until which no slice is missing."""
        return self.gaps[0].start if self.gaps else self.stored_until

    @property
    def missing(self) -> int:
        """The number of missing slices."""
        return sum(self.count(gap) for gap in self.gaps)

    def count(self, window: Window) -> int:
        """The number of slices that a window of whole slices has."""
        return (window.end_time - window.start_time) // self.grain.seconds


def _is_of(slice_: Slice, grain: Grain) -> bool:
    start_time = slice_.start_time
    return start_time % grain.seconds == 0 and slice_.end_time - start_time == grain.seconds


def _floor(instant: datetime, grain: Grain) -> datetime:
    seconds = int(instant.timestamp())
    return datetime.fromtimestamp(seconds - seconds % grain.seconds, UTC)


def _gaps(stored: tuple[Slice, ...], until: datetime) -> Iterator[Window]:
    covered = stored[0].start
    for slice_ in stored:
        if slice_.start > covered:
            yield Window(covered, slice_.start)
        covered = slice_.end
    if until > covered:
        yield Window(covered, until)
