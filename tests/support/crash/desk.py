"""A support desk of a few invented events, which surface when they are told to."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from airflow_zendesk.emulator.export_pages import build_page
from airflow_zendesk.hooks.client import RequestStats
from airflow_zendesk.hooks.connection import ConnectionSettings
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.window import Window
from airflow_zendesk.zendesk.paging import Page, Sweep
from airflow_zendesk.zendesk.resources import Query
from airflow_zendesk.zendesk.response import Answer
from tests.support.slices import as_records

#: Few enough that a handful of events is several pages.
_PER_PAGE = 2


@dataclass(frozen=True, order=True)
class Happening:
    """An event: when it happened, and since when Zendesk answers it; both in unix seconds."""

    timestamp: int
    id: int
    surfaces: int


class Desk:
    """What Zendesk knows, and its clock."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.happened: list[Happening] = []
        self._answers = 0

    def surfaced(self, window: Window) -> set[int]:
        """The ids that Zendesk has for a window by now."""
        return {
            each.id
            for each in self.happened
            if each.surfaces <= self.now and window.start_time <= each.timestamp < window.end_time
        }

    def answer(self, start_time: int) -> Answer:
        """A page, by Zendesk's rules as the emulator keeps them."""
        self._answers += 1
        there = sorted(each for each in self.happened if each.surfaces <= self.now and each.timestamp >= start_time)
        page = build_page(there, start_time=start_time, per_page=_PER_PAGE, now=self.now + 60, shuffle=self._answers)
        records = [{"id": each.id, "timestamp": each.timestamp} for each in page.items]
        return Answer(as_records(records), page.end_time, page.end_of_stream, self.now)


class DeskHook(ZendeskHook):
    """A hook that asks a desk, and says so before.

    Args:
        desk: what is asked.
        ask: is told of each request, and of each wait.
    """

    def __init__(self, desk: Desk, ask: Callable[[str, str], object]) -> None:
        super().__init__()
        self._desk = desk
        self._ask = ask

    @property
    def account(self) -> ConnectionSettings:
        """An invented account."""
        return ConnectionSettings("https://acme.zendesk.com", "bearer", "", "invented")

    @property
    def traffic(self) -> RequestStats:
        """Not counted."""
        return RequestStats()

    def iter_sweep(self, query: Query, sweep: Sweep) -> Iterator[Page]:
        """Ask what the sweep wants to know, until it is done; a wait takes the desk's clock along."""
        while not sweep.done:
            self._ask("ask", query.resource.name)
            page = sweep.take(self._desk.answer(sweep.start_time))
            yield page
            if page.wait:
                over = self._desk.now + page.wait
                self._ask("wait", query.resource.name)
                self._desk.now = max(self._desk.now, over)
