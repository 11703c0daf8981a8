"""The emulator itself: a local web server that answers like Zendesk's incremental exports."""

import math
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Self
from urllib.parse import urlsplit

from airflow_zendesk.emulator.access import Credentials, Door, Way
from airflow_zendesk.emulator.messages import EXPORTS, TOKENS, Act, Call, LoggedRequest, Request
from airflow_zendesk.emulator.paging import MAX_PER_PAGE, EmptyEndTime
from airflow_zendesk.emulator.scenario import Script, open_door, transmit
from airflow_zendesk.emulator.service import Limits, Service
from airflow_zendesk.emulator.sockets import Server, head_and_body
from airflow_zendesk.emulator.world import Simulator

#: How many requests are remembered.
_LOGGED_REQUESTS = 10_000


class ZendeskEmulator:
    """A local Zendesk: an invented support desk behind the incremental exports, on 127.0.0.1.

    Use it as a context manager; it listens inside the block.

    Args:
        world: The support desk; by default one with 2,000 events a day.
        port: Where to listen; 0 takes any free port.
        credentials: What opens it, and to whom.
        requests_per_minute: The limit of the exports, None for no limit. Zendesk's own is 10.
        minute_seconds: The length of that minute; tests like it shorter.
        max_per_page: The most that a page holds of what is not in one second. Zendesk's own is 1,000.
        clock: Gives the present in unix seconds; nothing newer than a minute is exported.
        empty_end_time: What `end_time` is on a page without items. Zendesk's answer is not known.
        scenario: What goes wrong; see `scenario.py`.

    Raises:
        ScenarioError: The scenario is none.
    """

    def __init__(
        self,
        world: Simulator | None = None,
        *,
        port: int = 0,
        credentials: Credentials | None = None,
        requests_per_minute: int | None = None,
        minute_seconds: float = 60.0,
        max_per_page: int = MAX_PER_PAGE,
        clock: Callable[[], float] = time.time,
        empty_end_time: EmptyEndTime = None,
        scenario: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        self._door = Door(credentials or Credentials())
        self._limits = Limits(requests_per_minute, minute_seconds, max_per_page, empty_end_time)
        self._service = Service(
            world or Simulator(),
            self._door,
            self._limits,
            lambda: self.requests,
            lambda: self._script,
            self.set_scenario,
        )
        self._script = Script(scenario)
        self._port = port
        self._clock = clock
        self._lock = threading.Lock()
        self._log: deque[LoggedRequest] = deque(maxlen=_LOGGED_REQUESTS)
        self._number = 0
        self._minute, self._calls = -1, 0
        self._server: Server | None = None

    def __enter__(self) -> Self:
        self._server = Server(self._port, self._answer)
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server:
            self._server.stop()
            self._server = None

    @property
    def port(self) -> int:
        """The port it listens on."""
        if self._server is None:
            raise RuntimeError("the emulator listens only inside its with block")
        return self._server.server_port

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[LoggedRequest]:
        """The newest 10,000 requests for exports and tokens, oldest first."""
        with self._lock:
            return list(self._log)

    def connection(self, way: Way = "api_token") -> dict[str, str]:
        """The Airflow connection that leads here and comes in this way, ready for `json.dumps`."""
        return {"conn_type": "zendesk_export", "host": self.url, **self._door.credentials.fields(way)}

    def set_scenario(self, scenario: Iterable[Mapping[str, Any]]) -> None:
        """Play this scenario from now on, in place of the one before; an empty one ends it.

        Raises:
            ScenarioError: It is no scenario; the message says why.
        """
        self._script = Script(scenario)

    def expected_ids(
        self, resource: str, start: datetime, end: datetime, *, support_type_scope: str = "all"
    ) -> list[int]:
        """The ids that a perfect export of the half-open time contains, redacted_comments minute or not.

        Args:
            resource: `ticket_events` or `ticket_metric_events`.
            start: An aware datetime.
            end: An aware datetime; what happens at it does not belong.
            support_type_scope: `all`, `agent` or `ai_agent`. Zendesk's own default, `agent`, leaves tickets out.
        """
        if start.tzinfo is None or end.tzinfo is None:
            raise ValueError("start and end must be aware datetimes")
        events = self._service.events(
            resource, math.ceil(start.timestamp()), math.ceil(end.timestamp()), support_type_scope
        )
        return [event.id for event in events]

    def serve_forever(self) -> None:
        """Block until Ctrl-C or SIGTERM, inside the with block and in the main thread."""
        previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return
        finally:
            signal.signal(signal.SIGTERM, previous)

    def _answer(self, call: Call) -> Iterable[Act]:
        request = self._receive(call)
        script = self._script
        steps = script.acting(request)
        open_door(steps, self._door)
        answer = script.answer(request, steps, self._service.answer(request))
        if request.is_export or request.path == TOKENS:
            faults = tuple(step.fault.name for step in steps)
            logged = LoggedRequest(request.method, request.path, request.query, answer.status, request.time, faults)
            with self._lock:
                self._log.append(logged)
        return transmit(steps, *head_and_body(answer, gzipped=call.takes_gzip))

    def _receive(self, call: Call) -> Request:
        """Everything that makes two equal requests differ is decided here: time, number, calls in this minute."""
        parts = urlsplit(call.target)
        with self._lock:
            now = self._clock()
            self._number += 1
            minute = int(now // self._limits.minute_seconds)
            if minute != self._minute:
                self._minute, self._calls = minute, 0
            self._calls += parts.path.startswith(EXPORTS)
            return Request(
                call.method,
                parts.path,
                parts.query,
                call.authorization,
                call.body,
                self.url,
                now,
                self._number,
                self._calls,
            )
