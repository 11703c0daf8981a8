"""Zendesk's lists: the small collections that are read as a whole, because they have no incremental export.

Their pages follow one another in three ways: by cursor (``meta.after_cursor``), by page number (``next_page`` and
``count``), or there is a single page. Only the cursor is taken from a response, never a URL.

Sources: https://developer.zendesk.com/api-reference/introduction/pagination/ and the pages of the lists.
"""

from airflow_zendesk.exceptions import MalformedResponseError
from airflow_zendesk.window import DAY_SECONDS
from airflow_zendesk.zendesk.page import Anomalies, Page
from airflow_zendesk.zendesk.page_size import PageSize
from airflow_zendesk.zendesk.resources import Query, Resource
from airflow_zendesk.zendesk.response import ExportResponse

#: "Up to 100 records per page".
_MAX_PER_PAGE = 100
#: A list that changes between two pages can hide an object, so it is read up to three times.
_MAX_PASSES = 3


class ListSweep:
    """One reading of a list. Give the response to each request to ``take``, until ``done``.

    The time of the objects is the start of the day, by the server's clock.

    Args:
        resource: the list.
    """

    #: Lists are not ordered by time.
    start_time = 0

    def __init__(self, resource: Resource) -> None:
        self.done = False
        self.page_size = PageSize(_MAX_PER_PAGE)
        self._resource = resource
        self._passes = 1
        self._ids: set[int] = set()
        self._start_pass()

    def _start_pass(self) -> None:
        self._cursor: str | None = None
        self._offset = 0
        self._listed: set[int] = set()

    def params(self, query: Query) -> dict[str, str | int]:
        """The query string of the next request."""
        if self._resource.paging == "list_cursor":
            page: dict[str, str | int] = {"page[size]": self.page_size.per_page}
            return query.params(**page if self._cursor is None else page | {"page[after]": self._cursor})
        if self._resource.paging == "list_number":
            return query.params(page=self._page_number(), per_page=self.page_size.per_page)
        return query.params()

    def restart(self) -> bool:
        """Whether the list can be continued without its cursor: it cannot."""
        return False

    def take(self, response: ExportResponse) -> Page:
        """Take the response to the current request and move on; the page has the objects that are new.

        Raises:
            MalformedResponseError: the pages do not make up a whole list.
        """
        ids = {record.id for record in response.records}
        day = (response.server_date - response.server_date % DAY_SECONDS) * 1_000_000
        # By id, because a page may have an object twice.
        new = {record.id: record._replace(timestamp=day) for record in response.records if record.id not in self._ids}
        has_unseen = not ids <= self._listed
        self._ids |= ids
        self._listed |= ids
        if not response.end_of_stream:
            self._continue(response, has_unseen=has_unseen)
        elif response.count is not None and response.count != len(self._listed):
            self._read_again(response.count)
        else:
            self.done = True
        return Page(
            start_time=0,
            complete_until=0,
            records=list(new.values()),
            end_of_stream=response.end_of_stream,
            end_time=None,
            server_date=response.server_date,
            wait=0,
            anomalies=Anomalies(
                duplicates=len(response.records) - len(new), replaced_surrogates=response.replaced_surrogates
            ),
        )

    def _continue(self, response: ExportResponse, *, has_unseen: bool) -> None:
        if not has_unseen:
            raise self._malformed("it has no object that was not on an earlier page, but is not the last page")
        if self._resource.paging == "list_cursor":
            self._cursor = response.after_cursor
        self._offset = self._page_number() * self.page_size.per_page
        self.page_size.recover()

    def _read_again(self, count: int) -> None:
        if self._passes == _MAX_PASSES:
            raise self._malformed(f"its count is {count:,}, but its pages have {len(self._listed):,} objects")
        self._passes += 1
        self._start_pass()

    def _page_number(self) -> int:
        return self._offset // self.page_size.per_page + 1

    def _malformed(self, reason: str) -> MalformedResponseError:
        return MalformedResponseError(self._resource.path, 0, reason)
