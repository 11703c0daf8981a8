"""The days of a dataset as the coverage pages show them: their states, a calendar and a bar chart. No I/O."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from airflow_zendesk.plugins.slice_facts import SliceFacts
from airflow_zendesk.verify.coverage import Coverage
from airflow_zendesk.window import DAY_SECONDS, Slice, Window
from airflow_zendesk.wording import counted

DayState = Literal["before", "none", "missing", "damaged", "failed", "due", "late", "empty", "exported"]
#: Each state with its words in the legend, the worst first.
STATES: dict[DayState, str] = {
    "missing": "missing",
    "damaged": "unreadable",
    "failed": "failed verification",
    "due": "not exported yet",
    "none": "no snapshot",
    "late": "with late rows",
    "empty": "exported, no rows",
    "exported": "exported",
}
_WEEKS = 53
_CELL, _STEP, _LEFT, _TOP = 15, 18, 34, 18
_BARS_WIDTH, _BARS_HEIGHT = _LEFT + _WEEKS * _STEP, 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One UTC day of a dataset; ``rows`` and ``late`` are None if nothing is known of its slices.

    ``loaded`` is how many of its slices are in the warehouse, None if that is unknown.
    """

    day: date
    state: DayState
    stored: int
    expected: int
    rows: int | None = None
    late: int | None = None
    loaded: int | None = None

    @property
    def title(self) -> str:
        """The text of a tooltip."""
        if self.state == "before":
            return f"{self.day}: before the first slice"
        rows = "" if self.rows is None else f", {counted(self.rows, 'row')}"
        late = f", {self.late:,} of them late" if self.late else ""
        slices = f" ({self.stored} of {self.expected} slices)" if self.expected > 1 else ""
        loaded = "" if self.loaded in {None, self.stored} else f", {self.loaded} of {self.stored} loaded"
        return f"{self.day}: {STATES[self.state]}{slices}{rows}{late}{loaded}"


@dataclass(frozen=True, slots=True)
class Mark:
    """A day at its place in a chart."""

    day: Day
    x: float
    y: float
    height: float = _CELL


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart as an SVG: its size, the marks, and labels with their places."""

    width: int
    height: int
    marks: list[Mark]
    labels: list[tuple[float, float, str]]


def days_of(
    days: Iterable[date],
    coverage: Coverage,
    facts: Mapping[Slice, SliceFacts],
    loaded: AbstractSet[Slice] | None = None,
) -> list[Day]:
    """The states of days; those without facts are exported or missing. ``loaded`` are the slices in the warehouse."""
    stored: dict[date, list[Slice]] = defaultdict(list)
    for slice_ in coverage.stored:
        stored[slice_.start.date()].append(slice_)
    missing = {day for gap in coverage.gaps for day in _days(gap)}
    expected = DAY_SECONDS // coverage.grain.seconds
    found = [_day(day, stored[day], facts, coverage, expected, is_missing=day in missing) for day in days]
    if loaded is None:
        return found
    return [replace(day, loaded=sum(slice_ in loaded for slice_ in stored[day.day])) for day in found]


def _day(
    day: date,
    stored: Sequence[Slice],
    facts: Mapping[Slice, SliceFacts],
    coverage: Coverage,
    expected: int,
    *,
    is_missing: bool,
) -> Day:
    read = [facts[slice_] for slice_ in stored if slice_ in facts]
    rows = sum(each.rows or 0 for each in read) if read else None
    late = sum(each.late or 0 for each in read) if read else None
    state: DayState = "exported"
    if coverage.start is None or day < coverage.start.date():
        state = "before"
    elif is_missing:
        state = "missing"
    elif any(each.rows is None for each in read):
        state = "damaged"
    elif any(each.problem for each in read):
        state = "failed"
    elif len(stored) < expected and day >= coverage.missing_until.date():
        state = "due"
    elif not stored:
        state = "none"
    elif late:
        state = "late"
    elif rows == 0:
        state = "empty"
    return Day(day=day, state=state, stored=len(stored), expected=expected, rows=rows, late=late)


def _days(window: Window) -> Iterable[date]:
    day = window.start.date()
    while datetime(day.year, day.month, day.day, tzinfo=UTC) < window.end:
        yield day
        day += timedelta(days=1)


def calendar_days(until: date) -> list[date]:
    """The days of a calendar that ends with the week of a day: from a Monday on."""
    monday = until - timedelta(days=until.weekday(), weeks=_WEEKS - 1)
    return [monday + timedelta(days=number) for number in range((until - monday).days + 1)]


def calendar(days: Sequence[Day]) -> Chart:
    """Weeks as columns and days of the week as rows; the first day is a Monday."""
    marks, labels = [], [(0.0, _TOP + row * _STEP + 12.0, name) for row, name in ((0, "Mon"), (2, "Wed"), (4, "Fri"))]
    for number, day in enumerate(days):
        x, y = _LEFT + number // 7 * _STEP, _TOP + number % 7 * _STEP
        marks.append(Mark(day, x, y))
        if day.day.day == 1:
            labels.append((x, 10.0, f"{day.day:%b %Y}" if day.day.month == 1 else f"{day.day:%b}"))
    return Chart(width=_LEFT + _WEEKS * _STEP, height=_TOP + 7 * _STEP, marks=marks, labels=labels)


def bars(days: Sequence[Day]) -> Chart:
    """The rows of each day as bars, with the largest number as a label."""
    most = max((day.rows or 0 for day in days), default=0)
    step = (_BARS_WIDTH - _LEFT) / max(1, len(days))
    marks, labels = [], [(0.0, 10.0, _short(most)), (0.0, float(_BARS_HEIGHT), "0")]
    for number, day in enumerate(days):
        height = (day.rows or 0) / most * _BARS_HEIGHT if most else 0.0
        marks.append(Mark(day, round(_LEFT + number * step, 1), round(_BARS_HEIGHT - height, 1), round(height, 1)))
        if day.day.day in {1, 15}:
            labels.append((round(_LEFT + number * step, 1), _BARS_HEIGHT + 16.0, f"{day.day:%-d %b}"))
    return Chart(width=_BARS_WIDTH, height=_BARS_HEIGHT + 20, marks=marks, labels=labels)


def _short(number: int) -> str:
    """A number in at most four characters."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:.0f}{unit}" if number >= 10 * size else f"{number / size:.1f}{unit}"
    return str(number)
