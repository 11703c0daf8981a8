"""A Zendesk in memory with a few invented events, each of which becomes visible at a given time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from airflow_zendesk.emulator.export_pages import build_page
from airflow_zendesk.hooks.connection import ConnectionSettings
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.window import Window
from airflow_zendesk.zendesk.list_paging import ListSweep
from airflow_zendesk.zendesk.page import Page
from airflow_zendesk.zendesk.paging import Sweep
from airflow_zendesk.zendesk.resources import Query
from airflow_zendesk.zendesk.response import ExportResponse
from tests.support.slices import as_records

#: Small enough that a handful of events needs several pages.
_PER_PAGE = 2


@dataclass(frozen=True, order=True)
class FakeEvent:
    """An event: when it happened, and from when on Zendesk returns it. Both are Unix seconds."""

    timestamp: int
    id: int
    visible_from: int


class FakeZendesk:
    """Events, and a clock that tests move."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.events: list[FakeEvent] = []
        self._pages = 0

    def visible_ids(self, window: Window) -> set[int]:
        """The ids of a window's events that are visible now."""
        return {
            event.id
            for event in self.events
            if event.visible_from <= self.now and window.start_time <= event.timestamp < window.end_time
        }

    def page(self, start_time: int) -> ExportResponse:
        """A page, by Zendesk's rules as the emulator implements them."""
        self._pages += 1
        visible = sorted(
            event for event in self.events if event.visible_from <= self.now and event.timestamp >= start_time
        )
        page = build_page(visible, start_time=start_time, per_page=_PER_PAGE, now=self.now + 60, shuffle=self._pages)
        records = [{"id": event.id, "timestamp": event.timestamp} for event in page.items]
        return ExportResponse(
            records=as_records(records), end_time=page.end_time, end_of_stream=page.end_of_stream, server_date=self.now
        )


class FakeZendeskHook(ZendeskHook):
    """A hook that reads from a ``FakeZendesk``.

    Args:
        zendesk: the source of the pages.
        before_request: called before each request and each wait, with the method and the resource.
    """

    def __init__(self, zendesk: FakeZendesk, before_request: Callable[[str, str], object]) -> None:
        super().__init__()
        self._zendesk = zendesk
        self._before_request = before_request

    @property
    def connection_settings(self) -> ConnectionSettings:
        """An invented account."""
        return ConnectionSettings(base_url="https://acme.zendesk.com", auth="bearer", login="", secret="invented")

    def iter_sweep(self, query: Query, sweep: Sweep | ListSweep) -> Iterator[Page]:
        """Fetch the pages of a sweep. A wait moves the clock of the fake Zendesk."""
        while not sweep.done:
            self._before_request("fetch", query.resource.name)
            page = sweep.take(self._zendesk.page(sweep.start_time))
            yield page
            if page.wait:
                over = self._zendesk.now + page.wait
                self._before_request("wait", query.resource.name)
                self._zendesk.now = max(self._zendesk.now, over)
