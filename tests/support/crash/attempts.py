"""Export attempts that run at the same time and advance request by request, each in a greenlet of its own."""

from greenlet import GreenletExit, greenlet

from airflow_zendesk.exceptions import ZendeskError
from airflow_zendesk.export.report import ExportReport
from airflow_zendesk.export.run import export_window
from airflow_zendesk.window import Grain, Window
from airflow_zendesk.zendesk.resources import Query
from airflow_zendesk.zendesk.settling import MIN_SETTLE
from tests.support.crash.fake_zendesk import FakeEvent, FakeZendesk, FakeZendeskHook
from tests.support.crash.stepped_store import Bucket, Fate, SteppedStore

EVENTS = Query.of("ticket_events")


class Attempt:
    """A real export of a window that stops before each request until ``step`` is called.

    Args:
        name: identifies its writes.
        bucket: where the dataset is stored.
        zendesk: where the events come from.
        window: what it exports.
        grain: the length of the slices; None for the dataset's own.
        allow_shrink: whether a slice may lose events.
    """

    def __init__(
        self,
        name: str,
        bucket: Bucket,
        zendesk: FakeZendesk,
        window: Window,
        grain: Grain | None,
        *,
        allow_shrink: bool = False,
    ) -> None:
        self.name = name
        self.window = window
        self.grain = grain
        self.allow_shrink = allow_shrink
        #: The method and the key of the next request; None when the attempt has ended.
        self.request: tuple[str, str] | None = None
        self.report: ExportReport | None = None
        self.error: ZendeskError | None = None
        self.steps = 0
        #: How many versions had been written when it listed the stored versions.
        self.began = -1
        #: The events that were visible when it fetched its first page.
        self._known: list[FakeEvent] | None = None
        self._bucket = bucket
        self._zendesk = zendesk
        self._store = SteppedStore(bucket, name, self._before_request)
        self._hook = FakeZendeskHook(zendesk, self._before_request)
        self._greenlet = greenlet(self._run)
        self._greenlet.switch()

    @property
    def is_over(self) -> bool:
        """Whether it has ended, by success, error or kill."""
        return bool(self._greenlet.dead)

    def step(self, fate: Fate = "answered") -> None:
        """Send the request, and go on to the next one."""
        assert self.request
        self.steps += 1
        if self.request[0] == "list":
            self.began = len(self._bucket.writes)
        if self.request[0] == "fetch" and self._known is None:
            self._known = [event for event in self._zendesk.events if event.visible_from <= self._zendesk.now]
        self._greenlet.switch(fate)

    def known_ids(self, window: Window) -> set[int]:
        """The events of a slice that were visible when the extraction began."""
        assert self._known is not None
        return {event.id for event in self._known if window.start_time <= event.timestamp < window.end_time}

    def kill(self) -> None:
        """End the attempt. Python unwinds its stack, but no further request is sent."""
        self._greenlet.throw(GreenletExit)
        assert self.is_over

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

    def _before_request(self, method: str, key: str) -> Fate:
        self.request = method, key
        fate: Fate = self._greenlet.parent.switch()
        return fate
