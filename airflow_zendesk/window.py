"""The time an export is asked for, and how it falls into slices. Pure arithmetic on aware UTC instants."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Self

from airflow_zendesk.exceptions import InvalidWindowError, MisalignedWindowError, SettingsError

DAY_SECONDS = 86_400
_UNIT_SECONDS = {"d": DAY_SECONDS, "h": 3_600, "m": 60}

EMPTY_INTERVAL_ADVICE = (
    "A DAG whose schedule is a cron string, a timedelta or None has empty data intervals in Airflow 3: give it "
    "schedule=CronDataIntervalTimetable('@daily', timezone='UTC') from airflow.timetables.interval, or give the "
    "operator start and end."
)
NO_INTERVAL_ADVICE = (
    "A run that is started without a logical date, by an asset or for a partition has no data interval: use `airflow "
    "backfill create`; or give start and end as params of the run, where the DAG has them; or as arguments of the "
    "operator, for a partition start='{{ partition_date }}' and end='{{ partition_date + macros.timedelta(days=1) }}'."
)


def to_utc(value: datetime | str | None, name: str) -> datetime:
    """One aware instant in UTC, to the second, from what a template, a parameter or a caller gives.

    Raises:
        InvalidWindowError: the value is missing, no ISO 8601 time, without a time zone or not on a whole second.
    """
    if value is None or value == "":
        raise InvalidWindowError(f"The window has no {name}. {NO_INTERVAL_ADVICE}")
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise InvalidWindowError(
                f"The window's {name} {value!r} is not a time like 2026-01-31T00:00:00Z."
            ) from None
    if value.utcoffset() is None:
        raise InvalidWindowError(f"The window's {name} {value.isoformat()} has no time zone: append Z for UTC.")
    if value.microsecond:
        raise InvalidWindowError(f"The window's {name} {value.isoformat()} is not on a whole second.")
    return datetime.fromtimestamp(int(value.timestamp()), UTC)


def to_timedelta(value: timedelta | str, name: str) -> timedelta:
    """A length of time from ``timedelta`` or a text like ``1d``, ``6h``, ``15m``.

    Raises:
        SettingsError: the text is not of that form.
    """
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"([1-9]\d{0,5})([dhm])", value)
    if match is None:
        raise SettingsError(f"{name} {value!r} is not a length of time like 1d, 6h or 15m.")
    return timedelta(seconds=int(match[1]) * _UNIT_SECONDS[match[2]])


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Half-open time ``[start, end)`` in UTC on whole seconds; also the type of a slice."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start == self.end:
            raise InvalidWindowError(f"The window [{self.start.isoformat()}, same) is empty. {EMPTY_INTERVAL_ADVICE}")
        if self.start > self.end:
            raise InvalidWindowError(
                f"The window starts at {self.start.isoformat()}, after its end {self.end.isoformat()}."
            )
        if self.start_time < 0:
            raise InvalidWindowError("The window starts before 1970: Zendesk counts start_time in seconds since then.")

    @classmethod
    def of(cls, start: datetime | str | None, end: datetime | str | None) -> Self:
        """The window between two times in any accepted form.

        Raises:
            InvalidWindowError: it is missing, naive, empty, reversed or not on whole seconds.
        """
        return cls(to_utc(start, "start"), to_utc(end, "end"))

    @property
    def start_time(self) -> int:
        """The start in unix seconds, as Zendesk's ``start_time`` counts."""
        return int(self.start.timestamp())

    @property
    def end_time(self) -> int:
        """The end in unix seconds, as Zendesk's ``end_time`` counts."""
        return int(self.end.timestamp())

    def months(self) -> list[Self]:
        """The window cut where calendar months (UTC) begin; its pieces are whole slices of any grain, if it is."""
        cuts = [self.start]
        while cuts[-1] < self.end:
            month = cuts[-1].replace(day=1, hour=0, minute=0, second=0)
            cuts.append(min((month + timedelta(days=32)).replace(day=1), self.end))
        return [type(self)(start, end) for start, end in pairwise(cuts)]

    def __str__(self) -> str:
        return f"[{self.start:%Y-%m-%dT%H:%M:%SZ}, {self.end:%Y-%m-%dT%H:%M:%SZ})"


class Slice(Window):
    """One slice of a dataset: a window as long as the dataset's grain."""

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
                f"A grain of {seconds} s does not divide a UTC day into whole minutes: "
                "use 1d, 12h, 8h, 6h, 4h, 3h, 2h, 1h, 30m, 15m, 10m, 5m or 1m."
            )

    @classmethod
    def of(cls, value: timedelta | str) -> Self:
        """A grain from ``timedelta`` or a text like ``1d``, ``1h``, ``15m``.

        Raises:
            SettingsError: it is no length of time, or does not divide a day.
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
        """The whole slices that make up the window, in order.

        Raises:
            MisalignedWindowError: it is not made of whole slices; the message names the largest grain that fits.
        """
        if window.start_time % self.seconds or window.end_time % self.seconds:
            raise self._misaligned(window)
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
        return MisalignedWindowError(str(window), str(self), fitting_grain)


DEFAULT_GRAIN = Grain(DAY_SECONDS)
