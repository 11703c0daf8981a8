"""The simulated support desk over time: computes the events of any hour without computing all the hours before."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import accumulate
from operator import attrgetter
from typing import Final, cast

from airflow_zendesk.emulator.lifecycle import MAX_LIFECYCLE_HOURS, events_of
from airflow_zendesk.emulator.metrics import MetricEvent, metric_events_of
from airflow_zendesk.emulator.organizations import Organizations
from airflow_zendesk.emulator.people import People
from airflow_zendesk.emulator.ticket import JITTER_BYTE, Ticket, TicketEvent, random_bytes
from airflow_zendesk.emulator.ticket_revisions import TicketRevisions

Event = TicketEvent | MetricEvent

#: How each export computes the events of a ticket.
RESOURCES: Final[Mapping[str, Callable[[Ticket], Sequence[Event]]]] = {
    "ticket_events": events_of,
    "ticket_metric_events": metric_events_of,
}

#: Busy hours and quiet nights: the relative number of tickets created in each hour of the day, in UTC.
_DAILY_CURVE = (2, 1, 1, 1, 1, 2, 4, 7, 10, 11, 11, 10, 9, 10, 10, 9, 8, 7, 6, 5, 4, 3, 3, 2)
_CUMULATIVE_CURVE = (0, *accumulate(_DAILY_CURVE))
#: Measured: a ticket has about 7.9 ticket events on average, and 30 metric events.
_EVENTS_PER_100_TICKETS = 791

_HOUR = 3_600
#: Hours of created tickets that are cached: eight days, so that two distant readers do not evict each other's hours.
_CACHED_CREATION_HOURS = 8 * 24
#: Approximate numbers of lifecycles and events that are cached. A busy desk has too many lifecycles to cache any.
_CACHED_LIFECYCLES = 5_000
_CACHED_EVENTS = 50_000


class Simulator:
    """A simulated support desk. Every event follows from the seed.

    Every day has about `events_per_day` ticket events (within 10 % at 2,000 a day); only the first day has fewer.
    There are almost four times as many metric events.

    Args:
        seed: Another seed gives other events.
        events_per_day: How busy the desk is, from 1 to about a million.
        opened: The first hour with tickets; an aware datetime, truncated to the hour.

    The attributes `tickets`, `people` and `organizations` are the objects of the desk, with their revisions.
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
        alive = events_per_day * 100 // _EVENTS_PER_100_TICKETS * MAX_LIFECYCLE_HOURS // 24
        lifecycles = _CACHED_LIFECYCLES if alive < _CACHED_LIFECYCLES else 0
        self._events_of = lru_cache(maxsize=lifecycles)(self._compute_events_of)
        self._created_in = lru_cache(maxsize=_CACHED_CREATION_HOURS)(self._compute_created_in)
        hours = max(2, _CACHED_EVENTS * 24 // events_per_day)
        self._hour = lru_cache(maxsize=hours)(self._compute_hour)
        self.tickets = TicketRevisions(self._ticket_lifecycles, self._opened_hour, hours)
        self.people = People(seed, self._opened_hour, self._numbers, self._ticket)
        self.organizations = Organizations(self._opened_hour * _HOUR)

    def hour(self, resource: str, hour: int) -> tuple[Event, ...]:
        """Return the events of one hour, counted in hours since 1970, ordered by timestamp and id."""
        return self._hour(resource, hour)

    def events(self, resource: str, start: int, end: int) -> Iterator[Event]:
        """Yield the events of `[start, end)`, both in unix seconds, ordered by timestamp and id."""
        for hour in range(max(start // _HOUR, self._opened_hour), -(-end // _HOUR)):
            events = self.hour(resource, hour)
            yield from events[_index(events, start) : _index(events, end)]

    def lifecycle(self, ticket: Ticket) -> Sequence[TicketEvent]:
        """Return all events of a ticket and its duplicate."""
        return cast(Sequence[TicketEvent], self._events_of("ticket_events", ticket.number, ticket.created // _HOUR))

    def _compute_hour(self, resource: str, hour: int) -> tuple[Event, ...]:
        lifecycles = self._lifecycles(resource, hour)
        events = (event for lifecycle in lifecycles for event in lifecycle if event.timestamp // _HOUR == hour)
        return tuple(sorted(events, key=lambda event: (event.timestamp, event.id)))

    def _lifecycles(self, resource: str, hour: int) -> Iterator[Sequence[Event]]:
        """Yield all events of each ticket that has events in an hour."""
        for created_hour in range(hour - MAX_LIFECYCLE_HOURS, hour + 1):
            for number in self._created_in(resource, created_hour).get(hour, ()):
                yield self._events_of(resource, number, created_hour)

    def _ticket_lifecycles(self, hour: int) -> Iterator[Sequence[TicketEvent]]:
        return cast(Iterator[Sequence[TicketEvent]], self._lifecycles("ticket_events", hour))

    def _compute_created_in(self, resource: str, created_hour: int) -> dict[int, list[int]]:
        """Return the numbers of the tickets created in an hour, by each hour in which they have events.

        Only the numbers are kept, because three days of a busy desk's events would take gigabytes. Its lifecycles are
        computed again for each of their hours; those of a quiet desk are still cached.
        """
        numbers: dict[int, list[int]] = defaultdict(list)
        for number in self._numbers(created_hour):
            for hour in {event.timestamp // _HOUR for event in self._events_of(resource, number, created_hour)}:
                numbers[hour].append(number)
        return dict(numbers)

    def _compute_events_of(self, resource: str, number: int, created_hour: int) -> Sequence[Event]:
        """Return the events of a ticket."""
        return RESOURCES[resource](self._ticket(number, created_hour))

    def _ticket(self, number: int, created_hour: int) -> Ticket:
        """Return a ticket. The tickets of an hour are created at even intervals, with random jitter."""
        randomness, numbers = random_bytes(self.seed, number), self._numbers(created_hour)
        second = ((number - numbers.start) * 256 + randomness[JITTER_BYTE]) * _HOUR // (len(numbers) * 256)
        return Ticket.of(number, created_hour * _HOUR + second, randomness)

    def _numbers(self, created_hour: int) -> range:
        """Return the numbers of the tickets created in an hour."""
        return range(self._tickets_before(created_hour), self._tickets_before(created_hour + 1))

    def _tickets_before(self, hour: int) -> int:
        """Return the number of tickets created before an hour; integer arithmetic, so rounding never loses a ticket."""
        share = max(_curve_before(hour) - _curve_before(self._opened_hour), 0)
        return self.events_per_day * 100 * share // (_EVENTS_PER_100_TICKETS * _CUMULATIVE_CURVE[-1])


def _curve_before(hour: int) -> int:
    days, hour_of_day = divmod(hour, 24)
    return days * _CUMULATIVE_CURVE[-1] + _CUMULATIVE_CURVE[hour_of_day]


def _index(events: Sequence[Event], timestamp: int) -> int:
    return bisect_left(events, timestamp, key=attrgetter("timestamp"))
