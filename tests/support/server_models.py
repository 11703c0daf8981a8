"""Models of servers that page in every way Zendesk might, written independently of the code under test."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import msgspec

from airflow_zendesk.zendesk.records import Record
from airflow_zendesk.zendesk.response import ExportResponse

WITHHELD_SECONDS = 60


class Event(NamedTuple):
    """An event that happened at ``second``. The server pages by ``delivered``, which may be later."""

    id: int
    second: int
    delivered: int


def record(event: Event) -> Record:
    """The event as a record of a page."""
    return Record(event.id, event.second * 1_000_000, {"id": msgspec.Raw(b"%d" % event.id)})


@dataclass
class Server:
    """A server with one option for each behaviour of Zendesk that is not known.

    ``cut``: how a page ends: its last second is split, split with an ``end_time`` one second later, or kept whole.
    ``ties``: whether a page of one second may exceed ``per_page``, so that the second is whole.
    ``order``: the order of the records on a page.
    ``last_end_time``: ``end_time`` on the last page.
    ``stream_ends``: whether the last page has ``end_of_stream``, or an empty page after it.
    ``repeated``: an event that is on every page.
    """

    events: Sequence[Event]
    now: int
    cut: Literal["split", "split, one more", "whole"] = "split"
    ties: bool = True
    order: Literal["sorted", "shuffled", "shuffled in seconds"] = "shuffled in seconds"
    last_end_time: Literal["newest", "start", "null", "zero", "one", "stale"] = "newest"
    stream_ends: Literal["at once", "after an empty page"] = "at once"
    repeated: Event | None = None
    requests: list[tuple[int, int]] = field(default_factory=list)

    def answer(self, start_time: int, per_page: int) -> ExportResponse:
        """One page from ``start_time`` on."""
        self.requests.append((start_time, per_page))
        chance = random.Random(f"{start_time} {per_page} {len(self.requests)}")
        waiting = [event for event in self.events if start_time <= event.delivered < self.now - WITHHELD_SECONDS]
        chance.shuffle(waiting)
        waiting.sort(key=lambda event: event.delivered)
        records = self._cut(waiting, per_page)
        newest = max((event.delivered for event in records), default=start_time)
        end_of_stream = False
        end_time: int | None
        if len(records) < len(waiting):
            end_time = self._end_time(waiting, records, newest)
        elif records and self.stream_ends == "after an empty page":
            end_time = newest + 1
        else:
            ends = {"newest": newest, "start": start_time, "null": None, "zero": 0, "one": 1, "stale": start_time - 9}
            end_of_stream, end_time = True, ends[self.last_end_time]
        if self.repeated is not None:
            records.append(self.repeated)
        self._order(records, chance)
        return ExportResponse(
            records=[record(event) for event in records],
            end_time=end_time,
            end_of_stream=end_of_stream,
            server_date=self.now,
        )

    def _cut(self, waiting: list[Event], per_page: int) -> list[Event]:
        records = waiting[:per_page]
        if len(records) == len(waiting):
            return records
        first, newest = records[0].delivered, records[-1].delivered
        if first == newest:
            return [event for event in waiting if event.delivered == first] if self.ties else records
        return [event for event in records if event.delivered < newest] if self.cut == "whole" else records

    def _end_time(self, waiting: list[Event], records: list[Event], newest: int) -> int:
        if self.cut == "whole":
            complete = waiting[len(records)].delivered > newest
            return waiting[len(records)].delivered if complete else newest
        one_second = records[0].delivered == newest
        return newest + (self.ties if one_second else self.cut == "split, one more")

    def _order(self, records: list[Event], chance: random.Random) -> None:
        if self.order == "sorted":
            records.sort()
        elif self.order == "shuffled":
            chance.shuffle(records)
        else:
            records.sort(key=lambda event: event.delivered)
