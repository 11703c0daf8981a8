"""Zendesk's time-based incremental export: which page to request next, and what a response proves.

A request names a ``start_time`` S. The page has events from S on, and its ``end_time`` says how far it reaches. An
export relies on these rules:

* The page has all events of the seconds in ``[S, end_time)``: these seconds are **complete**. A page may be cut in
  the middle of its last second, so a page that mixes seconds is complete only before its newest one.
* Events at or after that second are **buffered** and merged by ``id`` with the next page, which starts there. So the
  result is right whether Zendesk repeats that second or not.
* A page of one single second may have more than ``per_page`` events, and its ``end_time`` is the second after.
* ``next_page`` is never read. Every request is built from our own numbers, for our own host.
* Zendesk withholds the last minute, and events may appear later than that: only seconds that are older than ``settle``
  by the server's own ``Date`` are complete. For the others the export waits and requests them again.
* ``end_of_stream`` completes everything that has settled. Its ``end_time`` may be null, 0, 1 or old, and is ignored.
  Pages that are not the last are full, so a full page that claims to be the last is continued like any other.
* A page without events that is not the last proves nothing: it is requested again, like one that does not advance.

Source: https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from airflow_zendesk.exceptions import FutureWindowError, MalformedResponseError, StuckPageError
from airflow_zendesk.window import Window
from airflow_zendesk.zendesk.dedup import RecordBuffer, StateBuffer
from airflow_zendesk.zendesk.page import Anomalies, Page
from airflow_zendesk.zendesk.page_size import PageSize
from airflow_zendesk.zendesk.records import Record
from airflow_zendesk.zendesk.resources import Query, Resource
from airflow_zendesk.zendesk.response import ExportResponse
from airflow_zendesk.zendesk.settling import DEFAULT_SETTLE, settle_seconds

#: Sizes to try when a page does not advance, the first two that were not requested yet: another cut may help.
_OTHER_SIZES = (1_000, 500, 250)
#: A wait is computed to be long enough; if this many were not, the server's clock does not advance.
_MAX_WAITS = 5


@dataclass(slots=True)
class _Stalled:
    """A start_time from which a page did not advance: the sizes still to try, and the furthest end_time received."""

    sizes: list[int]
    end_time: int


class Sweep:
    """One pass over some windows: the requests that complete them, and the events they prove, each once.

    Request the page with ``params``, give the response to ``take``, and repeat until ``done``. Gaps between the windows
    are skipped.

    Args:
        resource: the export to request.
        windows: the time to complete, in order and without overlaps; events after the last one are left out.
        settle: how old a second must be, by the server's clock, to be complete; at least 90 seconds.
    """

    def __init__(self, resource: Resource, windows: Sequence[Window], settle: timedelta = DEFAULT_SETTLE) -> None:
        self.start_time = windows[0].start_time
        self.page_size = PageSize()
        self._path = resource.path
        self._starts = [window.start_time for window in windows]
        self._ends = [window.end_time for window in windows]
        self._end = self._ends[-1]
        self._has_gaps = self._starts[1:] != self._ends[:-1]
        self._settle = settle_seconds(settle)
        self._buffer = StateBuffer() if resource.is_state else RecordBuffer()
        self._stalled: _Stalled | None = None
        self._waits = 0

    @property
    def done(self) -> bool:
        """Whether all windows are complete."""
        return self.start_time >= self._end

    def params(self, query: Query) -> dict[str, str | int]:
        """The query string of the next request."""
        return query.params(start_time=self.start_time, per_page=self.page_size.per_page)

    def restart(self) -> bool:
        """Whether the next request can be another one after it was refused: it depends on the time alone."""
        return False

    def take(self, response: ExportResponse) -> Page:
        """Take the response to the current request and move on.

        Raises:
            FutureWindowError: the last window is not over by the server's clock.
            MalformedResponseError: the page has no ``end_time`` although more is to come.
            StuckPageError: the page does not advance, whatever its size.
        """
        if response.server_date < self._end:
            raise FutureWindowError(_utc(self._end), _utc(response.server_date))
        duplicates, conflicting = self._buffer.add(response.records, self._end)
        proven = self._proven_until(response)
        accepted = 0
        if proven is None:
            proven = self._after_stall(_end_time(response, self._path, self.start_time))
            accepted = int(proven > self.start_time)
        proven = min(proven, self._end)
        complete_until = max(self.start_time, min(proven, response.server_date - self._settle))
        page = Page(
            start_time=self.start_time,
            complete_until=complete_until,
            records=self._release(complete_until),
            end_of_stream=response.end_of_stream,
            # An accepted end_time may be that of an earlier response from the same start_time.
            end_time=response.end_time if response.end_of_stream else max(response.end_time or 0, proven),
            server_date=response.server_date,
            wait=self._wait_until_settled(response) if complete_until < proven else 0,
            anomalies=Anomalies(
                duplicates=duplicates,
                conflicting=conflicting,
                replaced_surrogates=response.replaced_surrogates,
                accepted_unproven=accepted,
            ),
        )
        self._move_to(complete_until)
        return page

    def _proven_until(self, response: ExportResponse) -> int | None:
        """The second before which the page proves to be complete, or None if it does not advance."""
        if response.end_of_stream:
            return _last_page_until(response, self.start_time, self.page_size.per_page) or self._end
        end_time = _end_time(response, self._path, self.start_time)
        if not response.records:
            return None
        seconds = {record.second for record in response.records}
        if len(seconds) == 1:
            until = _single_second_until(seconds, self.start_time, end_time)
        else:
            until = _mixed_seconds_until(seconds, self.start_time, end_time)
        return until if until > self.start_time else None

    def _after_stall(self, end_time: int) -> int:
        """Request another size next; once all were tried, accept the furthest end_time; if there is none, give up."""
        if self._stalled is None:
            sizes = [size for size in _OTHER_SIZES if size != self.page_size.per_page][:2]
            self._stalled = _Stalled(sizes, end_time)
        self._stalled.end_time = max(self._stalled.end_time, end_time)
        if self._stalled.sizes:
            self.page_size.per_page = self._stalled.sizes.pop(0)
            return self.start_time
        if self._stalled.end_time > self.start_time:
            return self._stalled.end_time
        raise StuckPageError(
            self._path, self.start_time, f"with every page size it ends at end_time={end_time} or before"
        )

    def _wait_until_settled(self, response: ExportResponse) -> int:
        self._waits += 1
        if self._waits > _MAX_WAITS:
            raise StuckPageError(self._path, self.start_time, "the Date header of the responses does not advance")
        return self._end + self._settle - response.server_date

    def _release(self, complete_until: int) -> list[Record]:
        """The buffered events before a second, without those of gaps between the windows."""
        released = self._buffer.release(complete_until)
        if not self._has_gaps:
            return released
        return [record for record in released if record.second < self.start_time or self._is_wanted(record.second)]

    def _is_wanted(self, second: int) -> bool:
        at = bisect_right(self._starts, second) - 1
        return at >= 0 and second < self._ends[at]

    def _move_to(self, complete_until: int) -> None:
        """Continue where the page is complete, or at the start of the next window if there is a gap."""
        if complete_until > self.start_time:
            self._stalled = None
            self.page_size.recover()
        self.start_time = complete_until
        at = bisect_right(self._ends, complete_until)
        if at < len(self._starts) and self._starts[at] > complete_until:
            self.start_time = self._starts[at]
            self._buffer.drop(self.start_time)


def _last_page_until(response: ExportResponse, start_time: int, per_page: int) -> int | None:
    """A full page that claims to be the last is complete as far as any other; None if it is accepted as the last."""
    if len(response.records) < per_page:
        return None
    seconds = {record.second for record in response.records}
    until = max(seconds) + (len(seconds) == 1)
    return until if until > start_time else None


def _single_second_until(seconds: set[int], start_time: int, end_time: int) -> int:
    """A page of one second has all of it, and its end_time may be the second after."""
    (second,) = seconds
    newest = second if start_time <= second <= end_time else end_time
    return min(end_time, newest + 1)


def _mixed_seconds_until(seconds: set[int], start_time: int, end_time: int) -> int:
    """A page that mixes seconds may be cut in its newest one, even if its end_time is the second after."""
    return max((second for second in seconds if start_time <= second <= end_time), default=end_time)


def _end_time(response: ExportResponse, path: str, start_time: int) -> int:
    if response.end_time is None:
        raise MalformedResponseError(path, start_time, "it has no end_time, but is not the last page")
    return response.end_time


def _utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
