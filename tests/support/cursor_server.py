"""A model of a cursor-based export, written apart from the code under test: objects, and a clock that tests move."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from airflow_zendesk.exceptions import RequestRefusedError
from airflow_zendesk.hooks.connection import ConnectionSettings
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.zendesk.list_paging import ListSweep
from airflow_zendesk.zendesk.page import Page
from airflow_zendesk.zendesk.paging import Sweep
from airflow_zendesk.zendesk.resources import Query
from airflow_zendesk.zendesk.response import ExportResponse
from tests.support.slices import as_records

WITHHELD_SECONDS = 60


@dataclass
class CursorServer:
    """Objects with all their changes. The stream has each object at the place of its newest change.

    Args:
        now: the server's clock in unix seconds.
        per_page: the most objects of a page.
        cursors_expire: whether every second request with a cursor is refused.
        last_has_cursor: whether the last page has a cursor too, as Zendesk's has.
    """

    now: int
    per_page: int = 2
    cursors_expire: bool = False
    last_has_cursor: bool = True
    changes: dict[int, list[int]] = field(default_factory=dict)
    requests: int = 0

    def change(self, id_: int) -> None:
        """Create or change an object now."""
        self.changes.setdefault(id_, []).append(self.now)

    def answer(self, params: dict[str, str | int]) -> ExportResponse:
        """The page after a cursor, which is the place of the last object on the page before, or from a time on."""
        self.requests += 1
        visible = sorted((times[-1], id_) for id_, times in self.changes.items())
        visible = [place for place in visible if place[0] < self.now - WITHHELD_SECONDS]
        if "cursor" in params:
            if self.cursors_expire and self.requests % 2:
                raise RequestRefusedError(400, "/api/v2/incremental/users/cursor", None)
            second, id_ = map(int, str(params["cursor"]).split("-"))
            visible = [place for place in visible if place > (second, id_)]
        else:
            visible = [place for place in visible if place[0] >= int(params["start_time"])]
        page = visible[: self.per_page]
        is_last = len(page) == len(visible)
        has_cursor = page and (self.last_has_cursor or not is_last)
        return ExportResponse(
            records=as_records({"id": id_, "timestamp": second} for second, id_ in page),
            end_time=None,
            end_of_stream=is_last,
            server_date=self.now,
            after_cursor="{}-{}".format(*page[-1]) if has_cursor else None,
        )


class CursorServerHook(ZendeskHook):
    """A hook that reads from a ``CursorServer``; ``before_request`` is called before each request."""

    def __init__(self, server: CursorServer, before_request: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self._server = server
        self._before_request = before_request

    @property
    def connection_settings(self) -> ConnectionSettings:
        """An invented account."""
        return ConnectionSettings(base_url="https://acme.zendesk.com", auth="bearer", login="", secret="invented")

    def iter_sweep(self, query: Query, sweep: Sweep | ListSweep) -> Iterator[Page]:
        """Fetch the pages of a sweep. A wait moves the clock of the server."""
        while not sweep.done:
            self._before_request()
            try:
                response = self._server.answer(sweep.params(query))
            except RequestRefusedError:
                if not sweep.restart():
                    raise
                continue
            page = sweep.take(response)
            yield page
            self._server.now += page.wait
