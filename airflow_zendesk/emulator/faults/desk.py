"""Faults of the desk: a bulk update in one second, and events that surface late. They hold as long as the scenario."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from airflow_zendesk.emulator.case import IDS_PER_EVENT, Case
from airflow_zendesk.emulator.world import Event

#: What happened on the desk: the events of a resource in a half-open time, in unix seconds, by timestamp and id.
Source = Callable[[str, int, int], Iterator[Event]]

#: Thirteen digits: the desk's own ids have fourteen.
_FIRST_BULK_ID = 1_000_000_000_000
_DAY = 86_400


class Delivery(NamedTuple):
    """An event, and the second in which the export learns of it: the one that pages are sorted by."""

    timestamp: int
    event: Event

    @property
    def case(self) -> Case:
        """The case of the event."""
        return self.event.case


@dataclass(frozen=True, slots=True)
class Delay:
    """Which events surface how many seconds late; times are unix seconds."""

    seconds: int
    every: int
    first: float
    end: float

    def of(self, event: Event) -> int:
        """The seconds for this event."""
        is_late = self.first <= event.timestamp < self.end and event.id // IDS_PER_EVENT % self.every == 0
        return self.seconds if is_late else 0


def burst(*, at: str, events: int = 20_000) -> Callable[[Source], Source]:
    """So many events share one second, as after a bulk update; they belong to the truth."""
    second = _unix(at)

    def with_burst(world: Source) -> Source:
        def source(resource: str, start: int, end: int) -> Iterator[Event]:
            happened = world(resource, start, end)
            if not start <= second < end:
                return happened
            return heapq.merge(happened, bulk(resource), key=lambda event: (event.timestamp, event.id))

        def bulk(resource: str) -> Iterator[Event]:
            # A copy of the last event before; on a desk that nobody has opened yet, there is nothing to update.
            for model in list(world(resource, second - _DAY, second))[-1:]:
                for number in range(events):
                    id_ = _FIRST_BULK_ID + number * IDS_PER_EVENT
                    yield replace(model, id=id_, ticket_id=model.ticket_id + 2 * number, timestamp=second)

        return source

    return with_burst


def sorted_by_delivery(*, seconds: int = 30, every: int = 10, after: str = "", before: str = "") -> Delay:
    """Every so many events (of a time, if one is given) surface late, and pages are sorted by when events surface."""
    if min(seconds, every) < 1:
        raise ValueError("seconds and every must be at least 1")
    return Delay(seconds, every, _unix(after) if after else float("-inf"), _unix(before) if before else float("inf"))


def deliver(source: Source, delays: Sequence[Delay], resource: str, start: int, end: int) -> Iterator[Delivery]:
    """What surfaces in the half-open time, in the order in which it does.

    Args:
        source: What happens on the desk.
        delays: Which events surface late.
        resource: What is exported.
        start: In unix seconds.
        end: Likewise.
    """
    if not delays:
        return (Delivery(event.timestamp, event) for event in source(resource, start, end))
    longest = max(delay.seconds for delay in delays)
    return _by_delivery(source(resource, start - longest, end), delays, start)


def _by_delivery(events: Iterator[Event], delays: Sequence[Delay], start: int) -> Iterator[Delivery]:
    waiting: list[tuple[int, int, Event]] = []
    for event in events:
        while waiting and waiting[0][0] <= event.timestamp:
            yield Delivery(waiting[0][0], heapq.heappop(waiting)[2])
        surfaces = event.timestamp + max(delay.of(event) for delay in delays)
        if surfaces >= start:
            heapq.heappush(waiting, (surfaces, event.id, event))
    while waiting:
        yield Delivery(waiting[0][0], heapq.heappop(waiting)[2])


def _unix(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return int(moment.timestamp())
