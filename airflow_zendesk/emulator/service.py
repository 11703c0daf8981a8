"""Turns a request into a response, without any I/O."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from email.utils import formatdate
from typing import Any

from airflow_zendesk.emulator.authenticator import Authenticator
from airflow_zendesk.emulator.error_bodies import ERROR_BODIES
from airflow_zendesk.emulator.export_pages import MAX_PER_PAGE, WITHHELD_SECONDS, EmptyEndTime, EventPage, build_page
from airflow_zendesk.emulator.faults.event_faults import Delivery
from airflow_zendesk.emulator.messages import TOKENS, ApiError, HttpResponse, LoggedRequest, Request
from airflow_zendesk.emulator.scenario import ScenarioRunner
from airflow_zendesk.emulator.serialization import encode, serialize_page
from airflow_zendesk.emulator.simulator import RESOURCES, Event, Simulator

#: "Returns only up to 50 results per request". Zendesk limits samples separately; here they count as exports.
_SAMPLE, _MAX_PER_SAMPLE = "ticket_events/sample", 50
#: The requests per minute of a whole account on a medium plan: sent in headers, not enforced here.
_ACCOUNT_LIMIT = 700
#: Sent in headers if there is no limit, because a careful client without that header assumes Zendesk's ten.
_UNLIMITED = 1_000_000
_SCOPES: Mapping[str, Callable[[Event | Delivery], bool]] = {
    "all": lambda _: True,
    "agent": lambda event: not event.ticket.is_ai_agent,
    "ai_agent": lambda event: event.ticket.is_ai_agent,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the emulator returns.

    Args:
        requests_per_minute: The limit of the incremental exports; None for no limit.
        minute_seconds: The length of that minute.
        max_per_page: The maximum number of items in a page, unless they share one second.
        empty_end_time: See `export_pages.py`.
    """

    requests_per_minute: int | None = None
    minute_seconds: float = 60.0
    max_per_page: int = MAX_PER_PAGE
    empty_end_time: EmptyEndTime = None


@dataclass(frozen=True, slots=True)
class Service:
    """The API in front of the simulator.

    Args:
        simulator: Computes the events.
        authenticator: Checks credentials.
        limits: How much is returned.
        logged: Returns the requests so far.
        runner: Returns the runner of the current scenario.
        set_scenario: Replaces the scenario; raises ValueError if it is invalid.
    """

    simulator: Simulator
    authenticator: Authenticator
    limits: Limits
    logged: Callable[[], Sequence[LoggedRequest]]
    runner: Callable[[], ScenarioRunner]
    set_scenario: Callable[[Iterable[Any]], None]

    def respond(self, request: Request) -> HttpResponse:
        """Return the response to a request. Besides the request it depends on tokens, log and scenario only."""
        headers = self._headers(request)
        try:
            return HttpResponse(200, headers, self._body(request).encode())
        except ApiError as error:
            content_type, body = ERROR_BODIES[error.status]
            headers |= {"Content-Type": content_type, **error.headers}
            return HttpResponse(error.status, headers, (encode(error.body) if error.body else body).encode())

    def events(self, resource: str, start: int, end: int, support_type_scope: str) -> Iterator[Event]:
        """Yield the events of `[start, end)`; the scope applies to ticket events only."""
        in_scope = _in_scope(resource, support_type_scope)
        return filter(in_scope, self.runner().with_bulk_updates(self.simulator.events)(resource, start, end))

    def _body(self, request: Request) -> str:
        path = request.path.removesuffix(".json")
        if request.is_export and request.method == "GET":
            return self._export(request)
        match request.method, path:
            case "GET", "/api/v2/users/me":
                return encode({"user": self.authenticator.user_of(request)})
            case "POST", path if path == TOKENS:
                return encode(self.authenticator.issue_token(request))
            case "GET", "/emulator/expected_ids":
                return encode({"ids": self._expected_ids(request.parameters)})
            case "GET", "/emulator/requests":
                return encode({"requests": [asdict(logged) for logged in self.logged()]})
            case "POST", "/emulator/scenario":
                return encode({"steps": self._set_scenario(request.body)})
        raise ApiError(404)

    def _set_scenario(self, body: bytes) -> int:
        try:
            scenario = json.loads(body)
            self.set_scenario(scenario)
        except ValueError as error:
            raise ApiError(400, {"error": str(error)}) from None
        return len(scenario)

    def _export(self, request: Request) -> str:
        self.authenticator.require_admin(request)
        self._check_limit(request)
        resource, max_per_page = request.resource, self.limits.max_per_page
        if resource == _SAMPLE:
            resource, max_per_page = "ticket_events", _MAX_PER_SAMPLE
        if resource not in RESOURCES:
            raise ApiError(404)
        now, parameters = int(request.time), request.parameters
        start_time = _integer(parameters, "start_time")
        if start_time > now - WITHHELD_SECONDS:
            raise ApiError(400)
        per_page = min(_integer(parameters, "per_page", at_least=1), max_per_page) if "per_page" in parameters else None
        page = build_page(
            self._deliveries(resource, start_time, now, _scope(parameters, default="agent")),
            start_time=start_time,
            per_page=per_page or max_per_page,
            now=now,
            shuffle=request.number,
            empty_end_time=self.limits.empty_end_time,
        )
        with_comments = "comment_events" in parameters.get("include", "").split(",")
        next_page = page.next_page(request.origin + request.path, per_page)
        events = EventPage(tuple(delivery.event for delivery in page.items), page.end_of_stream, page.end_time)
        return serialize_page(resource, events, now=now, with_comments=with_comments, next_page=next_page)

    def _deliveries(self, resource: str, start_time: int, now: int, scope: str) -> Iterator[Delivery]:
        runner = self.runner()
        source = runner.with_bulk_updates(self.simulator.events)
        return filter(_in_scope(resource, scope), runner.deliveries(source, resource, start_time, now))

    def _expected_ids(self, parameters: dict[str, str]) -> list[int]:
        resource = parameters.get("resource", "")
        if resource not in RESOURCES:
            raise ApiError(400, {"error": f"resource must be one of: {', '.join(RESOURCES)}"})
        start, end = _integer(parameters, "start"), _integer(parameters, "end")
        events = self.events(resource, start, end, _scope(parameters, default="all"))
        return [event.id for event in events]

    def _check_limit(self, request: Request) -> None:
        limit = self.limits.requests_per_minute
        if limit is not None and request.exports_this_minute > limit:
            raise ApiError(429, headers={"Retry-After": str(self._seconds_to_reset(request))})

    def _seconds_to_reset(self, request: Request) -> int:
        """Return the whole seconds to the next minute; Zendesk's limits reset at full minutes of the clock."""
        minute = self.limits.minute_seconds
        return max(1, math.ceil(minute - request.time % minute))

    def _headers(self, request: Request) -> dict[str, str]:
        resets = self._seconds_to_reset(request)
        total = self.limits.requests_per_minute or _UNLIMITED
        account = _ACCOUNT_LIMIT if self.limits.requests_per_minute else _UNLIMITED
        account_remaining = str(max(account - request.exports_this_minute, 0))
        headers = {
            "Date": formatdate(request.time, usegmt=True),
            "Content-Type": "application/json; charset=UTF-8",
            "Cache-Control": "max-age=0, private, must-revalidate",
            "X-Request-Id": f"emulator-{request.number}",
            "X-Zendesk-Api-Version": "v2",
            "X-Rate-Limit": str(account),
            "X-Rate-Limit-Remaining": account_remaining,
            "RateLimit-Limit": str(account),
            "RateLimit-Remaining": account_remaining,
            "RateLimit-Reset": str(resets),
        }
        if request.is_export:
            bucket = f"total={total}; remaining={max(total - request.exports_this_minute, 0)}; resets={resets}"
            headers["Zendesk-RateLimit-Incremental-Exports"] = bucket
        return headers


def _in_scope(resource: str, support_type_scope: str) -> Callable[[Event | Delivery], bool]:
    return _SCOPES[support_type_scope if resource == "ticket_events" else "all"]


def _integer(parameters: dict[str, str], name: str, at_least: int = 0) -> int:
    """Return a required integer parameter. The exact words of Zendesk's error responses are unknown."""
    if name not in parameters:
        raise ApiError(400, {"error": "ParameterMissing", "description": f"Parameter {name} is required"})
    text = parameters[name]
    if not (text.isascii() and text.isdigit() and int(text) >= at_least):
        raise _invalid(name, f"must be an integer of at least {at_least}")
    return int(text)


def _scope(parameters: dict[str, str], default: str) -> str:
    scope = parameters.get("support_type_scope", default)
    if scope not in _SCOPES:
        raise _invalid("support_type_scope", f"must be one of {', '.join(_SCOPES)}")
    return scope


def _invalid(name: str, rule: str) -> ApiError:
    message = f"You passed an invalid value for the {name} attribute. Invalid parameter: {name} {rule}"
    return ApiError(400, {"error": {"title": "Invalid attribute", "message": message}})
