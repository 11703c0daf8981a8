"""Attempts at an export that live at the same time and are led step by step, each in a greenlet of its own."""

from greenlet import GreenletExit, greenlet

from airflow_zendesk.exceptions import ZendeskError
from airflow_zendesk.export.report import ExportReport
from airflow_zendesk.export.run import export_window
from airflow_zendesk.window import Grain, Window
from airflow_zendesk.zendesk.resources import Query
from airflow_zendesk.zendesk.settling import MIN_SETTLE
from tests.support.crash.bucket import Bucket, Fate, SteppedStore
from tests.support.crash.desk import Desk, DeskHook, Happening

EVENTS = Query.of("ticket_events")


class Attempt:
    """The real export of a window, which stands still before each request until it is led on.

    Args:
        name: what it signs its writes with.
        bucket: where the dataset lies.
        desk: where the events come from.
        window: what it exports.
        grain: the length of the slices; None for the dataset's own.
        allow_shrink: whether a slice may lose events.
    """

    def __init__(
        self, name: str, bucket: Bucket, desk: Desk, window: Window, grain: Grain | None, *, allow_shrink: bool = False
    ) -> None:
        self.name = name
        self.window = window
        self.grain = grain
        self.allow_shrink = allow_shrink
        #: The method and the key of the request that it is about to send; None when it is over.
        self.request: tuple[str, str] | None = None
        self.report: ExportReport | None = None
        self.error: ZendeskError | None = None
        self.steps = 0
        #: How many versions had been written when it asked which are there; what Zendesk had when it asked for a page.
        self.began = -1
        self._known: list[Happening] | None = None
        self._bucket = bucket
        self._desk = desk
        self._store = SteppedStore(bucket, name, self._ask)
        self._hook = DeskHook(desk, self._ask)
        self._greenlet = greenlet(self._run)
        self._greenlet.switch()

    @property
    def over(self) -> bool:
        """Whether it has ended, in whatever way."""
        return bool(self._greenlet.dead)

    def step(self, fate: Fate = "answered") -> None:
        """Let it send its request, and go on to the next."""
        assert self.request
        self.steps += 1
        if self.request[0] == "list":
            self.began = len(self._bucket.writes)
        if self.request[0] == "ask" and self._known is None:
            self._known = [each for each in self._desk.happened if each.surfaces <= self._desk.now]
        self._greenlet.switch(fate)

    def known_ids(self, window: Window) -> set[int]:
        """The events of a slice that Zendesk had when the extraction began."""
        assert self._known is not None
        return {each.id for each in self._known if window.start_time <= each.timestamp < window.end_time}

    def kill(self) -> None:
        """Let it go no further. That Python unwinds it changes nothing: it has no request left to send."""
        self._greenlet.throw(GreenletExit)
        assert self.over

    def _run(self) -> None:
        try:
            self.report = export_window(
                self._hook,
                self._store,
                EVENTS,
                self.window,
                grain=self.grain,
                settle=MIN_SETTLE,
                allow_shrink=self.allow_shrink,
            )
        except ZendeskError as error:
            self.error = error
        self.request = None

    def _ask(self, method: str, key: str) -> Fate:
        self.request = method, key
        fate: Fate = self._greenlet.parent.switch()
        return fate
