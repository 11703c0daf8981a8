"""Zendesk's time-based incremental export: what to ask, and what an answer proves.

The export knows no end. A request names a ``start_time`` S; the page that answers it holds events from S on and says in
``end_time`` how far it goes. What we rely on, and what we do not:

* The events of all seconds in ``[S, end_time)`` are on the page: these seconds are **covered**. A page may be cut in
  the middle of its last second, so when it mixes seconds, coverage stops before the newest, whatever ``end_time`` says.
* Events at or after the covered time are **held** and merged by ``id`` with the next page, which starts there: the
  boundary is right whether Zendesk repeats it or not.
* A page of one single second may hold more than ``per_page`` events, and its ``end_time`` is the second after.
* ``next_page`` is never read. The next request is built from our own numbers, on our own host.
* Zendesk withholds the last minute, and events may surface later than that: only seconds that are older than ``settle``
  by the server's own ``Date`` count as covered. For the others we wait, and ask again.
* ``end_of_stream`` covers all that has settled. Its ``end_time`` may be null, 0, 1 or old, and means nothing. But pages
  that are not the last are full: so a full one that says it is the last is asked on from, like any other.
* A page without events that is not the last proves nothing yet: it is asked for again, like one that does not advance.

Source: https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from airflow_zendesk.exceptions import (
    FutureWindowError,
    MalformedResponseError,
    PageNotRetrievableError,
    StuckPageError,
)
from airflow_zendesk.window import Window
from airflow_zendesk.zendesk.dedup import SeenIds
from airflow_zendesk.zendesk.records import Record
from airflow_zendesk.zendesk.resources import Resource
from airflow_zendesk.zendesk.response import Answer
from airflow_zendesk.zendesk.settling import DEFAULT_SETTLE, settle_seconds

#: "Up to a maximum of 1,000", which is also Zendesk's default.
MAX_PER_PAGE = 1_000
#: Sizes to ask for when a page does not advance, the first two that were not asked yet: another cut may help.
_OTHER_SIZES = (1_000, 500, 250)
#: A wait is computed to be long enough; when so many were not, the server's clock stands still.
_MAX_WAITS = 5
#: The most pages of a smaller size that must come through before a larger one is tried again.
_LONGEST_PROBATION = 32


@dataclass(frozen=True, slots=True)
class Page:
    """What one answer proved: all events of the seconds ``[start_time, covered)``, and some from before.

    ``items`` are sorted by time and id. Among them may be events older than ``start_time``, delivered late.
    """

    start_time: int
    covered: int
    records: list[Record]
    end_of_stream: bool
    end_time: int | None
    server_date: int
    #: Seconds to wait before the next request, for events that may still surface.
    wait: int


@dataclass(slots=True)
class Anomalies:
    """What was not as it should be, counted for the report; none of it loses or doubles an event."""

    duplicates: int = 0
    #: One id with two bodies: the later was kept.
    conflicting: int = 0
    #: Halves of surrogate pairs that became U+FFFD.
    repaired: int = 0
    #: Pages that were empty or did not advance, and were left on the word of their end_time alone.
    forced: int = 0

    def __iadd__(self, other: "Anomalies") -> Self:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self


@dataclass(slots=True)
class _Stuck:
    """A start_time from which a page did not advance: the sizes still to try, and the furthest end_time answered."""

    sizes: list[int]
    end_time: int


class Sweep:
    """The requests that cover a window, one after the other, and the events they prove, each once.

    Ask Zendesk for ``start_time`` and ``per_page``, give the answer to ``take``, and so on until ``done``.

    Args:
        resource: the export that is asked.
        window: the time to cover; events at or after its end are left to the next window.
        settle: how old a second must be, by the server's clock, to be covered; at least 90 seconds.
    """

    def __init__(self, resource: Resource, window: Window, settle: timedelta = DEFAULT_SETTLE) -> None:
        self.start_time = window.start_time
        self.per_page = MAX_PER_PAGE
        self.anomalies = Anomalies()
        self._path = resource.path
        self._end = window.end_time
        self._settle = settle_seconds(settle)
        self._held: dict[int, Record] = {}
        self._seen = SeenIds()
        self._stuck: _Stuck | None = None
        self._waits = 0
        # How many pages of this size came through, how many must before a larger is tried, and the last heavy spot.
        self._proven, self._probation, self._heavy_at = 0, 0, -1

    @property
    def done(self) -> bool:
        """Whether the whole window is covered."""
        return self.start_time >= self._end

    def take(self, answer: Answer) -> Page:
        """Learn from the answer to the current request.

        Raises:
            FutureWindowError: the window is not over by the server's clock.
            MalformedResponseError: the page has no ``end_time`` although more is to come.
            StuckPageError: the page does not advance, and nothing else that we can ask does either.
        """
        if answer.server_date < self._end:
            raise FutureWindowError(_utc(self._end), _utc(answer.server_date))
        self.anomalies.repaired += answer.repaired
        self._hold(answer.records)
        reach = min(self._reach(answer), self._end)
        covered = max(self.start_time, min(reach, answer.server_date - self._settle))
        wait = self._wait_until_settled(answer) if covered < reach else 0
        page = Page(
            self.start_time,
            covered,
            self._release(covered),
            answer.end_of_stream,
            # The covering word may be that of an earlier answer, if this one did not advance.
            answer.end_time if answer.end_of_stream else max(answer.end_time or 0, reach),
            answer.server_date,
            wait,
        )
        if covered > self.start_time:
            self._stuck = None
            self._climb_back()
        self.start_time = covered
        return page

    def leap_to(self, start_time: int) -> None:
        """Leave out the time up to there, for nobody wants its events; never backwards."""
        if start_time > self.start_time:
            self.start_time = start_time
            self._stuck = None
            self._held = {id_: record for id_, record in self._held.items() if record.second >= start_time}

    def ask_for_less(self) -> bool:
        """Make the page half as large: this one is too much for Zendesk, or for us. False if it holds one record.

        "Progressively backing-off on the per_page parameter" is also what Zendesk's documentation advises. The size
        climbs back afterwards; the more spots of a stretch are heavy, the later it tries.
        """
        if self.per_page == 1:
            return False
        self.per_page //= 2
        self._proven = 0
        if self.start_time != self._heavy_at:
            self._heavy_at = self.start_time
            self._probation = min(max(1, 2 * self._probation), _LONGEST_PROBATION)
        return True

    def too_heavy(self, reason: str) -> PageNotRetrievableError:
        """The error that the current page is when nothing makes it come through."""
        return PageNotRetrievableError(self._path, _utc(self.start_time), reason)

    def _climb_back(self) -> None:
        if self.per_page == MAX_PER_PAGE:
            self._probation = 0
        self._proven += 1
        if self._proven >= self._probation:
            self.per_page, self._proven = min(self.per_page * 2, MAX_PER_PAGE), 0

    def _reach(self, answer: Answer) -> int:
        """The second before which this page is complete."""
        seconds = {record.second for record in answer.records}
        if answer.end_of_stream:
            # Of a page that is not full nothing can be missing.
            newest = max(seconds, default=self.start_time) + (len(seconds) == 1)
            is_full = len(answer.records) >= self.per_page
            return newest if is_full and newest > self.start_time else self._end
        if answer.end_time is None:
            raise MalformedResponseError(self._path, self.start_time, "it has no end_time, but more is to come")
        within = [second for second in seconds if self.start_time <= second <= answer.end_time]
        newest = max(within, default=answer.end_time)
        reach = newest if len(seconds) > 1 else min(answer.end_time, newest + 1)
        advances = reach > self.start_time and answer.records
        return reach if advances else self._get_unstuck(answer.end_time)

    def _get_unstuck(self, end_time: int) -> int:
        """Ask in other sizes; then go where an answer said it went; then give up."""
        if self._stuck is None:
            self._stuck = _Stuck([size for size in _OTHER_SIZES if size != self.per_page][:2], end_time)
        self._stuck.end_time = max(self._stuck.end_time, end_time)
        if self._stuck.sizes:
            self.per_page = self._stuck.sizes.pop(0)
            return self.start_time
        if self._stuck.end_time > self.start_time:
            self.anomalies.forced += 1
            return self._stuck.end_time
        raise StuckPageError(
            self._path, self.start_time, f"whatever the page size, it goes no further than end_time={end_time}"
        )

    def _wait_until_settled(self, answer: Answer) -> int:
        self._waits += 1
        if self._waits > _MAX_WAITS:
            raise StuckPageError(self._path, self.start_time, "the Date of the answers does not move on")
        return self._end + self._settle - answer.server_date

    def _hold(self, records: Iterable[Record]) -> None:
        due = [record for record in records if record.second < self._end]
        seen = self._seen.known([record.id for record in due])
        for record in due:
            held = self._held.get(record.id)
            if record.id in seen:
                self.anomalies.duplicates += 1
                continue
            if held is not None:
                self.anomalies.duplicates += 1
                self.anomalies.conflicting += held.raw != record.raw
            self._held[record.id] = record

    def _release(self, covered: int) -> list[Record]:
        released = [record for record in self._held.values() if record.second < covered]
        for record in released:
            del self._held[record.id]
        self._seen.add([record.id for record in released])
        released.sort(key=lambda record: (record.timestamp, record.id))
        return released


def _utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
