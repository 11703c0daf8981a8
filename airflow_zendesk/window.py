"""Windows, grains and slices: the time of an export and how it divides. Pure arithmetic on aware UTC datetimes."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import total_ordering
from itertools import pairwise
from typing import Any, Self

from airflow_zendesk.exceptions import InvalidWindowError, MisalignedWindowError, SettingsError

DAY_SECONDS = 86_400
#: The most slices of one window: a year of one-minute slices, or 68 years of hourly ones. A wrong year gives more.
MAX_SLICES = 600_000
_UNIT_SECONDS = {"d": DAY_SECONDS, "h": 3_600, "m": 60}
_CLOCK_CHANGE_HOURS = (23, 25)
_FORM = "Use one like 2026-01-31 or 2026-01-31T00:00:00Z."
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

EMPTY_INTERVAL_ADVICE = (
    "Its end is exclusive: one day ends at the start of the next. A DAG whose schedule is a cron string, a timedelta "
    "or None has empty data intervals in Airflow 3. Give it schedule=CronDataIntervalTimetable('@daily', "
    "timezone='UTC') from airflow.timetables.interval, or give the operator start and end."
)
NO_INTERVAL_ADVICE = (
    "A run that is started without a logical date, by an asset or for a partition has no data interval. Use `airflow "
    "backfill create`; or give start and end as params of the run, where the DAG has them; or as arguments of the "
    "operator, for a partition start='{{ partition_date }}' and end='{{ partition_date + macros.timedelta(days=1) }}'."
)


def to_utc(value: datetime | str | None, name: str) -> datetime:
    """Convert a datetime or an ISO 8601 text to an aware UTC datetime on a whole second.

    A date like ``2026-01-31`` is the start of that day in UTC.

    Raises:
        InvalidWindowError: the value is missing, is not a time, has no time zone, or is not on a whole second.
    """
    if value is None or value == "":
        raise InvalidWindowError(f"The window has no {name}. {NO_INTERVAL_ADVICE}")
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(f"{value}T00:00:00Z" if _DATE.fullmatch(value) else value)
        except ValueError:
            raise InvalidWindowError(f"The window's {name} {value!r} is neither a day nor a time. {_FORM}") from None
    if not isinstance(value, datetime):
        raise InvalidWindowError(_wrong_type(value, name))
    if value.utcoffset() is None:
        raise InvalidWindowError(
            f"The window's {name} {value.isoformat()} has no time zone. Append Z for UTC, like {value.isoformat()}Z."
        )
    if value.microsecond:
        raise InvalidWindowError(f"The window's {name} {value.isoformat()} is not on a whole second. Round it.")
    try:
        return datetime.fromtimestamp(int(value.timestamp()), UTC)
    except (ValueError, OverflowError):  # at the ends of the years 1 and 9999
        reason = f"The window's {name} {value.isoformat()} is not within the years 1 to 9999. Correct its year."
        raise InvalidWindowError(reason) from None


def _wrong_type(value: Any, name: str) -> str:
    """The message for a value that is neither a datetime nor a text; values of other types are not quoted."""
    advice = "Use a datetime with a time zone, or a text like 2026-01-31T00:00:00Z."
    if isinstance(value, date):
        return f"The window's {name} {value.isoformat()} is a date without a time of day. {advice}"
    if isinstance(value, int | float):
        return f"The window's {name} {value!r} is a number. {advice}"
    return f"The window's {name} is of the type {type(value).__name__}. {advice}"


def to_timedelta(value: timedelta | str, name: str) -> timedelta:
    """Convert a text like ``1d``, ``6h`` or ``15m`` to a ``timedelta``; a ``timedelta`` is returned as it is.

    Raises:
        SettingsError: the text does not have that form.
    """
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"([1-9]\d{0,5})([dhm])", value) if isinstance(value, str) else None
    if match is None:
        raise SettingsError(f"{name} {value!r} is invalid. Use whole days, hours or minutes, like 1d, 6h or 15m.")
    return timedelta(seconds=int(match[1]) * _UNIT_SECONDS[match[2]])


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A half-open period ``[start, end)`` in UTC, on whole seconds.

    Windows are compared and sorted by their times alone, so a ``Slice`` equals the window of the same times.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start == self.end:
            raise InvalidWindowError(f"The window [{self.start.isoformat()}, same) is empty. {EMPTY_INTERVAL_ADVICE}")
        if self.start > self.end:
            start, end = self.start.isoformat(), self.end.isoformat()
            raise InvalidWindowError(f"The window starts at {start}, after its end {end}. Swap them, or correct one.")
        if self.start_time < 0:
            raise InvalidWindowError("The window starts before 1970, where Zendesk's time begins. Use a later start.")

    @classmethod
    def of(cls, start: datetime | str | None, end: datetime | str | None) -> Self:
        """Create a window from two times in any form that ``to_utc`` accepts.

        Raises:
            InvalidWindowError: a time is missing or not accepted, or the window is empty or reversed.
        """
        if not start and end:
            raise InvalidWindowError("The window has no start, only an end. Give both.")
        first = to_utc(start, "start")
        if not end:
            raise InvalidWindowError("The window has no end, only a start. Give both.")
        last = to_utc(end, "end")
        if first >= last and (change := _clock_change(start, end)):
            raise InvalidWindowError(f"The window [{start}, {end}) has no duration. {change}")
        return cls(first, last)

    @property
    def start_time(self) -> int:
        """The start in Unix seconds, like Zendesk's ``start_time``."""
        return int(self.start.timestamp())

    @property
    def end_time(self) -> int:
        """The end in Unix seconds, like Zendesk's ``end_time``."""
        return int(self.end.timestamp())

    def months(self) -> list["Window"]:
        """Split the window where calendar months (UTC) begin. A window of whole slices gives months of whole slices."""
        cuts = [self.start]
        while cuts[-1] < self.end:
            month = cuts[-1].replace(day=1, hour=0, minute=0, second=0)
            cuts.append(min((month + timedelta(days=32)).replace(day=1), self.end))
        return [Window(start, end) for start, end in pairwise(cuts)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Window) and (self.start, self.end) == (other.start, other.end)

    def __lt__(self, other: "Window") -> bool:
        return (self.start, self.end) < (other.start, other.end)

    def __hash__(self) -> int:
        return hash((self.start, self.end))

    def __str__(self) -> str:
        return f"[{self.start:%Y-%m-%dT%H:%M:%SZ}, {self.end:%Y-%m-%dT%H:%M:%SZ})"


class Slice(Window):
    """A window of exactly one grain, on the grain's grid: one object in storage. ``Grain.slices`` makes them."""

    __slots__ = ()


class Grain:
    """The length of all slices of a dataset: whole minutes that divide a UTC day.

    Not a dataclass, so that msgspec leaves its JSON form, text like ``1d``, to a hook.
    """

    __slots__ = ("seconds",)

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        if seconds <= 0 or seconds % 60 or DAY_SECONDS % seconds:
            raise SettingsError(
                f"A grain of {timedelta(seconds=seconds)} does not divide a UTC day into equal whole minutes. "
                "Use 1d, 12h, 8h, 6h, 4h, 3h, 2h, 1h, 30m, 15m, 10m, 5m or 1m."
            )

    @classmethod
    def of(cls, value: timedelta | str) -> Self:
        """Create a grain from a ``timedelta`` or a text like ``1d``, ``1h`` or ``15m``.

        Raises:
            SettingsError: the value is not a length of time, or does not divide a day.
        """
        length = to_timedelta(value, "The grain")
        if length % timedelta(seconds=1):
            raise SettingsError(f"A grain of {length} is not made of whole seconds.")
        return cls(length // timedelta(seconds=1))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Grain) and self.seconds == other.seconds

    def __hash__(self) -> int:
        return hash(self.seconds)

    def __repr__(self) -> str:
        return f"Grain({self.seconds})"

    def __str__(self) -> str:
        unit = next(unit for unit, seconds in _UNIT_SECONDS.items() if self.seconds % seconds == 0)
        return f"{self.seconds // _UNIT_SECONDS[unit]}{unit}"

    def slices(self, window: Window) -> tuple[Slice, ...]:
        """Divide the window into its slices, in order.

        Raises:
            MisalignedWindowError: it is not made of whole slices; the message names the largest grain that fits.
            InvalidWindowError: it has more than ``MAX_SLICES`` slices, usually because of a mistyped year.
        """
        if window.start_time % self.seconds or window.end_time % self.seconds:
            raise self._misaligned(window)
        count = (window.end_time - window.start_time) // self.seconds
        if count > MAX_SLICES:
            raise InvalidWindowError(
                f"The window {window} has {count:,} slices of {self}; one window may have {MAX_SLICES:,}. "
                "Check the years of its start and end, or export it in parts."
            )
        return tuple(self._cut(window))

    def _cut(self, window: Window) -> Iterator[Slice]:
        step = timedelta(seconds=self.seconds)
        start = window.start
        while start < window.end:
            yield Slice(start, start + step)
            start += step

    def _misaligned(self, window: Window) -> MisalignedWindowError:
        fitting = math.gcd(window.start_time, window.end_time, DAY_SECONDS)
        fitting_grain = str(Grain(fitting)) if fitting % 60 == 0 else None
        hours = (window.end_time - window.start_time) / 3_600
        note = (
            f" ({hours:g} hours, like a local day on which the clocks change)" if hours in _CLOCK_CHANGE_HOURS else ""
        )
        return MisalignedWindowError(f"{window}{note}", str(self), fitting_grain)


def _clock_change(start: Any, end: Any) -> str | None:
    """A sentence about the clock change between two local times, if their UTC offsets differ."""
    before, after = (datetime.fromisoformat(str(each)).isoformat()[-6:] for each in (start, end))
    if before == after:
        return None
    return f"The clocks change from UTC{before} to UTC{after} in between. Give start and end in UTC."


DEFAULT_GRAIN = Grain(DAY_SECONDS)
