"""The emulator itself: a local web server that responds like Zendesk's incremental exports."""

import math
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Self
from urllib.parse import urlsplit

from airflow_zendesk.emulator.authenticator import Authenticator, AuthMethod, Credentials
from airflow_zendesk.emulator.endpoints import TOKENS, Bucket, bucket_of
from airflow_zendesk.emulator.expectations import expected_objects
from airflow_zendesk.emulator.export_pages import MAX_PER_PAGE, EmptyEndTime
from airflow_zendesk.emulator.exports import Exports
from airflow_zendesk.emulator.limits import Limits
from airflow_zendesk.emulator.messages import LoggedRequest, RawRequest, Request, ServerAction
from airflow_zendesk.emulator.scenario import ScenarioRunner, apply_token_faults, server_actions
from airflow_zendesk.emulator.service import Service
from airflow_zendesk.emulator.simulator import Simulator
from airflow_zendesk.emulator.sockets import HttpServer, head_and_body

#: The maximum number of requests in the log.
_LOGGED_REQUESTS = 10_000


class ZendeskEmulator:
    """A local Zendesk with invented events, for the incremental exports, on 127.0.0.1.

    Use it as a context manager; it listens inside the with block.

    Args:
        simulator: Computes the events; by default 2,000 a day.
        port: The port to listen on; 0 takes any free port.
        credentials: The accepted credentials, and the role of the user.
        requests_per_minute: The rate limit of the exports; None for no limit. Zendesk's own limit is 10.
        minute_seconds: The length of that minute; tests set it shorter.
        max_per_page: The maximum number of items in a page, unless they share one second. Zendesk's own is 1,000.
        clock: Returns the present in unix seconds; the newest minute is withheld.
        empty_end_time: The `end_time` of a page without items. Zendesk's value is unknown.
        scenario: The faults to inject; see `scenario.py`.
        users_requests_per_minute: The rate limit of the cursor export of users; None for no limit. Zendesk's own is 20.
        cursor_lifetime: The number of further requests until a cursor expires; None if cursors do not expire.

    Raises:
        ScenarioError: The scenario is invalid.
    """

    def __init__(  # noqa: PLR0913 - one keyword for each option
        self,
        simulator: Simulator | None = None,
        *,
        port: int = 0,
        credentials: Credentials | None = None,
        requests_per_minute: int | None = None,
        minute_seconds: float = 60.0,
        max_per_page: int = MAX_PER_PAGE,
        clock: Callable[[], float] = time.time,
        empty_end_time: EmptyEndTime = None,
        scenario: Iterable[Mapping[str, Any]] = (),
        users_requests_per_minute: int | None = None,
        cursor_lifetime: int | None = None,
    ) -> None:
        self._authenticator = Authenticator(credentials or Credentials())
        self._limits = Limits(
            requests_per_minute,
            minute_seconds,
            max_per_page,
            empty_end_time,
            users_requests_per_minute,
            cursor_lifetime,
        )
        self._exports = Exports(simulator or Simulator(), self._limits, lambda: self._runner)
        self._service = Service(
            self._exports, self._authenticator, self._limits, lambda: self.requests, self.set_scenario
        )
        self._runner = ScenarioRunner(scenario)
        self._port = port
        self._clock = clock
        self._lock = threading.Lock()
        self._log: deque[LoggedRequest] = deque(maxlen=_LOGGED_REQUESTS)
        self._request_count = 0
        self._minute = -1
        self._requests_this_minute: Counter[Bucket] = Counter()
        self._server: HttpServer | None = None

    def __enter__(self) -> Self:
        self._server = HttpServer(self._port, self._respond)
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server:
            self._server.stop()
            self._server = None

    @property
    def port(self) -> int:
        """The port that it listens on."""
        if self._server is None:
            raise RuntimeError("the emulator listens only inside its with block")
        return self._server.server_port

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[LoggedRequest]:
        """The newest 10,000 requests for exports, lists and tokens, oldest first."""
        with self._lock:
            return list(self._log)

    def connection(self, auth_method: AuthMethod = "api_token") -> dict[str, str]:
        """Return an Airflow connection to this emulator with this method of authentication, ready for `json.dumps`."""
        fields = self._authenticator.credentials.connection_fields(auth_method)
        return {"conn_type": "zendesk_export", "host": self.url, **fields}

    def set_scenario(self, scenario: Iterable[Mapping[str, Any]]) -> None:
        """Replace the current scenario; an empty one removes all faults.

        Raises:
            ScenarioError: The scenario is invalid; the current one stays active.
        """
        self._runner = ScenarioRunner(scenario)

    def expected_ids(
        self, resource: str, start: datetime, end: datetime, *, support_type_scope: str = "all"
    ) -> list[int]:
        """Return the ids that a complete export of `[start, end)` must contain, including those still withheld.

        Args:
            resource: `ticket_events` or `ticket_metric_events`.
            start: An aware datetime.
            end: An aware datetime, exclusive.
            support_type_scope: `all`, `agent` or `ai_agent`. Zendesk's own default is `agent`.
        """
        if start.tzinfo is None or end.tzinfo is None:
            raise ValueError("start and end must be aware datetimes")
        scope = {"support_type_scope": support_type_scope}
        seconds = math.ceil(start.timestamp()), math.ceil(end.timestamp())
        return [event.id for event in self._exports.events(resource, *seconds, scope)]

    def expected_objects(
        self, resource: str, at: datetime, *, since: datetime | None = None, support_type_scope: str = "all"
    ) -> dict[int, int]:
        """Return the unix second of the last change of each object, by its id, including those still withheld.

        Args:
            resource: `tickets`, `users`, `organizations` or a list such as `groups`.
            at: The present, an aware datetime. A change in that second has happened.
            since: If given, only objects that last changed at or after it; an aware datetime.
            support_type_scope: For tickets: `all`, `agent` or `ai_agent`. Zendesk's own default is `agent`.
        """
        if at.tzinfo is None or (since is not None and since.tzinfo is None):
            raise ValueError("at and since must be aware datetimes")
        first = 0 if since is None else math.ceil(since.timestamp())
        parameters = {"resource": resource, "at": str(int(at.timestamp())), "since": str(first)}
        return expected_objects(self._exports, parameters | {"support_type_scope": support_type_scope})

    def serve_forever(self) -> None:
        """Block until Ctrl-C or SIGTERM. Call it inside the with block, in the main thread."""
        previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return
        finally:
            signal.signal(signal.SIGTERM, previous)

    def _respond(self, raw_request: RawRequest) -> Iterable[ServerAction]:
        request = self._receive(raw_request)
        runner = self._runner
        steps = runner.take_steps(request)
        apply_token_faults(steps, self._authenticator)
        response = runner.apply(request, steps, self._service.respond(request))
        if request.bucket or request.path == TOKENS:
            faults = tuple(step.fault.name for step in steps)
            logged = LoggedRequest(request.method, request.path, request.query, response.status, request.time, faults)
            with self._lock:
                self._log.append(logged)
        return server_actions(steps, *head_and_body(response, gzipped=raw_request.accepts_gzip))

    def _receive(self, raw_request: RawRequest) -> Request:
        """Add what differs between two equal requests: time, number, requests in this minute."""
        parts = urlsplit(raw_request.target)
        bucket = bucket_of(parts.path)
        with self._lock:
            now = self._clock()
            self._request_count += 1
            minute = int(now // self._limits.minute_seconds)
            if minute != self._minute:
                self._minute = minute
                self._requests_this_minute.clear()
            if bucket is not None:
                self._requests_this_minute[bucket] += 1
            return Request(
                raw_request.method,
                parts.path,
                parts.query,
                raw_request.authorization,
                raw_request.body,
                self.url,
                now,
                self._request_count,
                self._requests_this_minute[bucket] if bucket else 0,
                self._requests_this_minute.total(),
            )
