"""Event faults: a bulk update in one second, and events that become visible late.

They change what the simulator returns, and are active for as long as the scenario.
"""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from airflow_zendesk.emulator.simulator import Event
from airflow_zendesk.emulator.ticket import IDS_PER_EVENT, Ticket

#: Returns the events of a resource in `[start, end)`, in unix seconds, ordered by timestamp and id.
EventSource = Callable[[str, int, int], Iterator[Event]]

#: Thirteen digits: the simulator's own ids have fourteen.
_FIRST_BULK_ID = 1_000_000_000_000
_DAY = 86_400


class Delivery(NamedTuple):
    """An event, and the second in which it becomes visible in the export. Pages are sorted by that second."""

    timestamp: int
    event: Event

    @property
    def ticket(self) -> Ticket:
        """The ticket of the event."""
        return self.event.ticket


@dataclass(frozen=True, slots=True)
class Delay:
    """Which events become visible late, and by how many seconds; times are unix seconds."""

    seconds: int
    every: int
    after: float
    before: float

    def seconds_of(self, event: Event) -> int:
        """Return the delay of this event in seconds."""
        is_late = self.after <= event.timestamp < self.before and event.id // IDS_PER_EVENT % self.every == 0
        return self.seconds if is_late else 0


def bulk_update(*, at: str, events: int = 20_000) -> Callable[[EventSource], EventSource]:
    """A bulk update: this many events share one second. They are part of the expected ids."""
    second = _unix_seconds(at)

    def with_bulk_update(simulated: EventSource) -> EventSource:
        def source(resource: str, start: int, end: int) -> Iterator[Event]:
            ordinary = simulated(resource, start, end)
            if not start <= second < end:
                return ordinary
            return heapq.merge(ordinary, bulk(resource), key=lambda event: (event.timestamp, event.id))

        def bulk(resource: str) -> Iterator[Event]:
            # Copies of the last event before; if there is none yet, there is nothing to update.
            for model in list(simulated(resource, second - _DAY, second))[-1:]:
                for number in range(events):
                    id_ = _FIRST_BULK_ID + number * IDS_PER_EVENT
                    yield replace(model, id=id_, ticket_id=model.ticket_id + 2 * number, timestamp=second)

        return source

    return with_bulk_update


def late_events(*, seconds: int = 30, every: int = 10, after: str = "", before: str = "") -> Delay:
    """Every tenth event (or another share) becomes visible late, and pages are sorted by when events become visible."""
    if min(seconds, every) < 1:
        raise ValueError("seconds and every must be at least 1")
    return Delay(
        seconds,
        every,
        _unix_seconds(after) if after else float("-inf"),
        _unix_seconds(before) if before else float("inf"),
    )


def deliver(source: EventSource, delays: Sequence[Delay], resource: str, start: int, end: int) -> Iterator[Delivery]:
    """Yield what becomes visible in `[start, end)`, in that order.

    Args:
        source: Returns the events.
        delays: Which events become visible late.
        resource: The exported resource.
        start: In unix seconds.
        end: In unix seconds.
    """
    if not delays:
        return (Delivery(event.timestamp, event) for event in source(resource, start, end))
    longest = max(delay.seconds for delay in delays)
    return _by_visibility(source(resource, start - longest, end), delays, start)


def _by_visibility(events: Iterator[Event], delays: Sequence[Delay], start: int) -> Iterator[Delivery]:
    waiting: list[tuple[int, int, Event]] = []
    for event in events:
        while waiting and waiting[0][0] <= event.timestamp:
            yield Delivery(waiting[0][0], heapq.heappop(waiting)[2])
        visible_at = event.timestamp + max(delay.seconds_of(event) for delay in delays)
        if visible_at >= start:
            heapq.heappush(waiting, (visible_at, event.id, event))
    while waiting:
        yield Delivery(waiting[0][0], heapq.heappop(waiting)[2])


def _unix_seconds(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return int(moment.timestamp())
