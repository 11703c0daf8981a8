"""The invented support desk through time: any hour of it, past or future, without all the hours before."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import accumulate
from operator import attrgetter
from typing import Final

from airflow_zendesk.emulator.case import Case, TicketEvent, open_case, throw_dice
from airflow_zendesk.emulator.life import LONGEST_LIFE_HOURS, tell
from airflow_zendesk.emulator.metrics import MetricEvent, tell_metrics

Event = TicketEvent | MetricEvent

#: What each export tells of a case.
RESOURCES: Final[Mapping[str, Callable[[Case], Sequence[Event]]]] = {
    "ticket_events": tell,
    "ticket_metric_events": tell_metrics,
}

#: Busy hours and quiet nights: how many of a day's cases begin in each hour, UTC.
_DAILY_CURVE = (2, 1, 1, 1, 1, 2, 4, 7, 10, 11, 11, 10, 9, 10, 10, 9, 8, 7, 6, 5, 4, 3, 3, 2)
_CURVE_SO_FAR = (0, *accumulate(_DAILY_CURVE))
#: Measured: a case makes 7.91 ticket events on average, and 30 metric events.
_EVENTS_PER_100_CASES = 791

_HOUR = 3_600
#: Hours of births kept in memory: eight days, so that two distant readers do not undo each other's work.
_BIRTHS_KEPT = 8 * 24
#: Lives and events kept in memory, about. A busy desk's lives are too many to be there when they are needed again.
_LIVES_KEPT = 5_000
_EVENTS_KEPT = 50_000


class Simulator:
    """A support desk whose every event follows from its seed.

    Every day has about `events_per_day` ticket events, at 2,000 a day within 10 %; only the first day has fewer.
    Metric events are almost four times as many.

    Args:
        seed: Another seed is another desk.
        events_per_day: How busy it is; from 1 to a million or so.
        opened: The first hour with tickets; an aware datetime, cut to the hour.
    """

    def __init__(
        self,
        seed: int = 1,
        events_per_day: int = 2_000,
        opened: datetime = datetime(2015, 1, 1, tzinfo=UTC),
    ) -> None:
        if opened.tzinfo is None:
            raise ValueError("opened must be an aware datetime")
        if events_per_day < 1:
            raise ValueError("events_per_day must be at least 1")
        self.seed = seed
        self.events_per_day = events_per_day
        self.opened = opened
        self._opened_hour = int(opened.timestamp()) // _HOUR
        alive = events_per_day * 100 // _EVENTS_PER_100_CASES * LONGEST_LIFE_HOURS // 24
        self._life = lru_cache(maxsize=_LIVES_KEPT if alive < _LIVES_KEPT else 0)(self._tell_life)
        self._births = lru_cache(maxsize=_BIRTHS_KEPT)(self._tell_births)
        self._hour = lru_cache(maxsize=max(2, _EVENTS_KEPT * 24 // events_per_day))(self._tell_hour)

    def hour(self, resource: str, hour: int) -> tuple[Event, ...]:
        """The events of one hour, counted in hours since 1970, by timestamp and id."""
        return self._hour(resource, hour)

    def events(self, resource: str, start: int, end: int) -> Iterator[Event]:
        """The events of the half-open time from `start` to `end`, both in unix seconds, by timestamp and id."""
        for hour in range(max(start // _HOUR, self._opened_hour), -(-end // _HOUR)):
            happened = self.hour(resource, hour)
            yield from happened[_index(happened, start) : _index(happened, end)]

    def _tell_hour(self, resource: str, hour: int) -> tuple[Event, ...]:
        told = (
            event
            for birth_hour in range(hour - LONGEST_LIFE_HOURS, hour + 1)
            for number in self._births(resource, birth_hour).get(hour, ())
            for event in self._life(resource, number, birth_hour)
            if event.timestamp // _HOUR == hour
        )
        return tuple(sorted(told, key=lambda event: (event.timestamp, event.id)))

    def _tell_births(self, resource: str, birth_hour: int) -> dict[int, list[int]]:
        """The numbers of the cases born in an hour, under every hour in which something happens to them.

        Only the numbers: three days of a busy desk's events would take gigabytes, so its cases are told again for
        each of their hours. A quiet desk's are still in the cache of lives.
        """
        numbers: dict[int, list[int]] = defaultdict(list)
        for number in range(self._cases_before(birth_hour), self._cases_before(birth_hour + 1)):
            for hour in {event.timestamp // _HOUR for event in self._life(resource, number, birth_hour)}:
                numbers[hour].append(number)
        return dict(numbers)

    def _tell_life(self, resource: str, number: int, birth_hour: int) -> Sequence[Event]:
        """What happens to a case; the cases of an hour begin one after the other, evenly but for a die."""
        dice = throw_dice(self.seed, number)
        first, after_last = self._cases_before(birth_hour), self._cases_before(birth_hour + 1)
        second = ((number - first) * 256 + dice[-1]) * _HOUR // ((after_last - first) * 256)
        return RESOURCES[resource](open_case(number, birth_hour * _HOUR + second, dice))

    def _cases_before(self, hour: int) -> int:
        """How many cases began before an hour; in whole numbers, so that no rounding is ever lost or counted twice."""
        share = max(_curve_before(hour) - _curve_before(self._opened_hour), 0)
        return self.events_per_day * 100 * share // (_EVENTS_PER_100_CASES * _CURVE_SO_FAR[-1])


def _curve_before(hour: int) -> int:
    days, hour_of_day = divmod(hour, 24)
    return days * _CURVE_SO_FAR[-1] + _CURVE_SO_FAR[hour_of_day]


def _index(events: Sequence[Event], timestamp: int) -> int:
    return bisect_left(events, timestamp, key=attrgetter("timestamp"))
