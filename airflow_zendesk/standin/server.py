"""The stand-in itself: a local web server that answers like Zendesk's incremental exports."""

import math
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Self
from urllib.parse import urlsplit

from airflow_zendesk.standin.messages import EXPORTS, Answer, LoggedRequest, Request
from airflow_zendesk.standin.paging import EmptyEndTime
from airflow_zendesk.standin.service import Service
from airflow_zendesk.standin.sockets import Server
from airflow_zendesk.standin.world import World

#: How many requests are remembered.
_LOGGED_REQUESTS = 10_000


class Standin:
    """A local Zendesk: an invented support desk behind the incremental exports, on 127.0.0.1.

    Use it as a context manager; it listens inside the block.

    Args:
        world: The support desk; by default one with 2,000 events a day.
        port: Where to listen; 0 takes any free port.
        login: The user's name for basic authentication, with `/token` at its end as for a Zendesk API token.
        password: The token.
        requests_per_minute: The limit of the exports, None for no limit. Zendesk's own is 10.
        minute_seconds: The length of that minute; tests like it shorter.
        clock: Gives the present in unix seconds; nothing newer than a minute is exported.
        empty_end_time: What `end_time` is on a page without items. Zendesk's answer is not known.
    """

    def __init__(
        self,
        world: World | None = None,
        *,
        port: int = 0,
        login: str = "agent@example.com/token",
        password: str = "invented-token",  # noqa: S107 - opens nothing but this
        requests_per_minute: int | None = None,
        minute_seconds: float = 60.0,
        clock: Callable[[], float] = time.time,
        empty_end_time: EmptyEndTime = None,
    ) -> None:
        self._service = Service(
            world or World(),
            login,
            password,
            lambda: self.requests,
            requests_per_minute,
            minute_seconds,
            empty_end_time,
        )
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
            raise RuntimeError("the stand-in listens only inside its with block")
        return self._server.server_port

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[LoggedRequest]:
        """The newest 10,000 requests for exports, oldest first."""
        with self._lock:
            return list(self._log)

    def connection(self) -> dict[str, str]:
        """The Airflow connection that leads here, ready for `json.dumps`."""
        service = self._service
        return {"conn_type": "zendesk_export", "host": self.url, "login": service.login, "password": service.password}

    def truth(self, resource: str, start: datetime, end: datetime, *, support_type_scope: str = "all") -> list[int]:
        """The ids that a perfect export of the half-open time contains, withheld minute or not.

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

    def _answer(self, method: str, target: str, authorization: str | None) -> Answer:
        request = self._receive(target, authorization)
        answer = self._service.answer(request)
        if request.is_export:
            logged = LoggedRequest(method, request.path, request.query, answer.status, request.time)
            with self._lock:
                self._log.append(logged)
        return answer

    def _receive(self, target: str, authorization: str | None) -> Request:
        """Everything that makes two equal requests differ is decided here: time, number, calls in this minute."""
        parts = urlsplit(target)
        with self._lock:
            now = self._clock()
            self._number += 1
            minute = int(now // self._service.minute_seconds)
            if minute != self._minute:
                self._minute, self._calls = minute, 0
            self._calls += parts.path.startswith(EXPORTS)
            return Request(parts.path, parts.query, authorization, self.url, now, self._number, self._calls)
