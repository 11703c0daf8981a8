"""Zendesk's cursor-based incremental export, and the choice between the two kinds of export.

The first request names a ``start_time``; each response names the cursor of the next request. An export relies on these
rules:

* Pages are ordered by the time of the last change. A page is complete before its newest second, because the objects of
  one second may continue on the next page. A page that is not in order is complete only before its oldest second.
* A cursor is an opaque text. It is sent back to our own host as a parameter, and no URL in a response is followed.
* An object that changes moves to the end, so a page without any new object, or one that goes back in time, shows that
  the cursor does not advance.
* After a wait or a gap, and when Zendesk refuses a cursor as expired, the export continues with the ``start_time`` up
  to which it is complete.
* A full page that claims to be the last is continued if it has a cursor.

Source: https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/
"""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from airflow_zendesk.exceptions import StuckPageError
from airflow_zendesk.window import Window
from airflow_zendesk.zendesk.page import Page
from airflow_zendesk.zendesk.paging import Sweep
from airflow_zendesk.zendesk.resources import Query, Resource
from airflow_zendesk.zendesk.response import ExportResponse
from airflow_zendesk.zendesk.settling import DEFAULT_SETTLE

#: Zendesk may repeat a page; this number of pages in a row without a new object or a later time is an error.
_MAX_PAGES_WITHOUT_PROGRESS = 3


class CursorSweep(Sweep):
    """A ``Sweep`` of a cursor-based export."""

    def __init__(self, resource: Resource, windows: Sequence[Window], settle: timedelta = DEFAULT_SETTLE) -> None:
        super().__init__(resource, windows, settle)
        self._cursor: str | None = None
        self._used: set[str] = set()
        self._restarted_at = -1
        self._pages_without_progress = 0

    def params(self, query: Query) -> dict[str, str | int]:
        """The query string of the next request."""
        if self._cursor is None:
            return super().params(query)
        return query.params(cursor=self._cursor, per_page=self.page_size.per_page)

    def take(self, response: ExportResponse) -> Page:
        """Take the response to the current request and move on.

        Raises:
            FutureWindowError: the last window is not over by the server's clock.
            StuckPageError: the cursors do not advance.
        """
        cursor = None if self._is_last(response) else self._next_cursor(response.after_cursor)
        position = self.start_time
        page = super().take(response)
        self._check_progress(response, page)
        if cursor is None or page.wait or self.start_time > max(position, page.complete_until):
            self._restart()
        else:
            self._cursor = cursor
        return page

    def restart(self) -> bool:
        """Continue with ``start_time`` instead of the cursor; False if that was tried at this time already."""
        if self._cursor is None or self._restarted_at == self.start_time:
            return False
        self._restarted_at = self.start_time
        self._restart()
        return True

    def _restart(self) -> None:
        self._cursor = None
        self._used.clear()
        self._buffer.drop(self._end)

    def _proven_until(self, response: ExportResponse) -> int:
        if self._is_last(response):
            return self._end
        seconds = [record.second for record in response.records]
        if not seconds:
            return self.start_time
        is_ordered = all(earlier <= later for earlier, later in pairwise(seconds))
        return max(self.start_time, seconds[-1] if is_ordered else min(seconds))

    def _is_last(self, response: ExportResponse) -> bool:
        is_full = len(response.records) >= self.page_size.per_page
        return response.end_of_stream and not (is_full and response.after_cursor)

    def _next_cursor(self, cursor: str | None) -> str | None:
        if cursor in self._used:
            raise StuckPageError(self._path, self.start_time, "its after_cursor was used before")
        if cursor:
            self._used.add(cursor)
        return cursor

    def _check_progress(self, response: ExportResponse, page: Page) -> None:
        """Raise an error if the pages repeat objects, or go back in time."""
        goes_back = all(record.second < page.start_time for record in response.records)
        if self._cursor and response.records and goes_back and not self._is_last(response):
            raise StuckPageError(self._path, page.start_time, "the page of its cursor is older than the page before")
        has_progress = len(response.records) > page.anomalies.duplicates or page.complete_until > page.start_time
        self._pages_without_progress = 0 if has_progress else self._pages_without_progress + 1
        if self._pages_without_progress >= _MAX_PAGES_WITHOUT_PROGRESS and not self.done:
            raise StuckPageError(
                self._path, page.start_time, f"{self._pages_without_progress} pages in a row had no new object"
            )


def sweep_of(resource: Resource, windows: Sequence[Window], settle: timedelta = DEFAULT_SETTLE) -> Sweep:
    """The sweep that pages through the resource as Zendesk does."""
    return (CursorSweep if resource.paging == "cursor" else Sweep)(resource, windows, settle)
