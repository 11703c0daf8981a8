"""What the emulator answers: a request comes in as a value, an answer goes out as a value, and no socket is near."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from email.utils import formatdate
from typing import Any

from airflow_zendesk.emulator import wire
from airflow_zendesk.emulator.access import Door
from airflow_zendesk.emulator.faults.desk import Delivery
from airflow_zendesk.emulator.messages import TOKENS, Answer, LoggedRequest, RefusedError, Request
from airflow_zendesk.emulator.paging import MAX_PER_PAGE, WITHHELD_SECONDS, EmptyEndTime, Page, answer_page
from airflow_zendesk.emulator.refusals import REFUSALS
from airflow_zendesk.emulator.scenario import Script
from airflow_zendesk.emulator.world import RESOURCES, Event, Simulator

#: "Returns only up to 50 results per request"; counted here like any other export, at Zendesk in a bucket of its own.
_SAMPLE, _MAX_PER_SAMPLE = "ticket_events/sample", 50
#: The requests per minute of a whole account, on a middling plan: told in headers, not enforced here.
_ACCOUNT_LIMIT = 700
#: What is told when the limit is off: a careful client that is told nothing assumes Zendesk's ten.
_UNLIMITED = 1_000_000
_SCOPES: Mapping[str, Callable[[Event | Delivery], bool]] = {
    "all": lambda _: True,
    "agent": lambda event: not event.case.is_ai_agent,
    "ai_agent": lambda event: event.case.is_ai_agent,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the emulator gives.

    Args:
        requests_per_minute: The limit of the incremental exports; None for no limit.
        minute_seconds: How long that minute is.
        max_per_page: The most that a page holds of what is not in one second.
        empty_end_time: See `paging.py`.
    """

    requests_per_minute: int | None = None
    minute_seconds: float = 60.0
    max_per_page: int = MAX_PER_PAGE
    empty_end_time: EmptyEndTime = None


@dataclass(frozen=True, slots=True)
class Service:
    """A support desk behind an API.

    Args:
        world: What happens on the desk.
        door: Who may ask.
        limits: How much is given.
        logged: Gives the requests so far.
        script: Gives the scenario that is played now.
        set_scenario: Plays another from now on; a ValueError says why it is none.
    """

    world: Simulator
    door: Door
    limits: Limits
    logged: Callable[[], Sequence[LoggedRequest]]
    script: Callable[[], Script]
    set_scenario: Callable[[Iterable[Any]], None]

    def answer(self, request: Request) -> Answer:
        """The whole answer to a request: a pure function of it, but for the tokens, the log and the scenario."""
        headers = self._headers(request)
        try:
            return Answer(200, headers, self._body(request).encode())
        except RefusedError as refused:
            content_type, body = REFUSALS[refused.status]
            headers |= {"Content-Type": content_type, **refused.headers}
            return Answer(refused.status, headers, (wire.encode(refused.body) if refused.body else body).encode())

    def events(self, resource: str, start: int, end: int, support_type_scope: str) -> Iterator[Event]:
        """What happened in the half-open time; only the export of ticket events knows of a scope."""
        belongs = _belongs(resource, support_type_scope)
        return filter(belongs, self.script().desk(self.world.events)(resource, start, end))

    def _body(self, request: Request) -> str:
        path = request.path.removesuffix(".json")
        if request.is_export and request.method == "GET":
            return self._export(request)
        match request.method, path:
            case "GET", "/api/v2/users/me":
                return wire.encode({"user": self.door.user(request)})
            case "POST", path if path == TOKENS:
                return wire.encode(self.door.mint(request))
            case "GET", "/emulator/expected_ids":
                return wire.encode({"ids": self._truth(request.parameters)})
            case "GET", "/emulator/requests":
                return wire.encode({"requests": [asdict(logged) for logged in self.logged()]})
            case "POST", "/emulator/scenario":
                return wire.encode({"steps": self._set_scenario(request.body)})
        raise RefusedError(404)

    def _set_scenario(self, body: bytes) -> int:
        try:
            scenario = json.loads(body)
            self.set_scenario(scenario)
        except ValueError as error:
            raise RefusedError(400, {"error": str(error)}) from None
        return len(scenario)

    def _export(self, request: Request) -> str:
        self.door.admit(request)
        self._check_limit(request)
        resource, most = request.resource, self.limits.max_per_page
        if resource == _SAMPLE:
            resource, most = "ticket_events", _MAX_PER_SAMPLE
        if resource not in RESOURCES:
            raise RefusedError(404)
        now, asked = int(request.time), request.parameters
        start_time = _whole_number(asked, "start_time")
        if start_time > now - WITHHELD_SECONDS:
            raise RefusedError(400)
        per_page = min(_whole_number(asked, "per_page", least=1), most) if "per_page" in asked else None
        page = answer_page(
            self._deliveries(resource, start_time, now, _scope(asked, default="agent")),
            start_time=start_time,
            per_page=per_page or most,
            now=now,
            shuffle=request.number,
            empty_end_time=self.limits.empty_end_time,
        )
        with_comments = "comment_events" in asked.get("include", "").split(",")
        next_page = page.next_page(request.origin + request.path, per_page)
        events = Page(tuple(delivery.event for delivery in page.items), page.end_of_stream, page.end_time)
        return wire.export(resource, events, with_comments=with_comments, next_page=next_page)

    def _deliveries(self, resource: str, start_time: int, now: int, scope: str) -> Iterator[Delivery]:
        script = self.script()
        source = script.desk(self.world.events)
        return filter(_belongs(resource, scope), script.deliveries(source, resource, start_time, now))

    def _truth(self, asked: dict[str, str]) -> list[int]:
        resource = asked.get("resource", "")
        if resource not in RESOURCES:
            raise RefusedError(400, {"error": f"resource must be one of: {', '.join(RESOURCES)}"})
        start, end = _whole_number(asked, "start"), _whole_number(asked, "end")
        events = self.events(resource, start, end, _scope(asked, default="all"))
        return [event.id for event in events]

    def _check_limit(self, request: Request) -> None:
        limit = self.limits.requests_per_minute
        if limit is not None and request.calls > limit:
            raise RefusedError(429, headers={"Retry-After": str(self._resets(request))})

    def _resets(self, request: Request) -> int:
        """Whole seconds to the next minute: Zendesk's windows are those of the clock."""
        minute = self.limits.minute_seconds
        return max(1, math.ceil(minute - request.time % minute))

    def _headers(self, request: Request) -> dict[str, str]:
        resets = self._resets(request)
        total = self.limits.requests_per_minute or _UNLIMITED
        account = _ACCOUNT_LIMIT if self.limits.requests_per_minute else _UNLIMITED
        account_remaining = str(max(account - request.calls, 0))
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
            bucket = f"total={total}; remaining={max(total - request.calls, 0)}; resets={resets}"
            headers["Zendesk-RateLimit-Incremental-Exports"] = bucket
        return headers


def _belongs(resource: str, support_type_scope: str) -> Callable[[Event | Delivery], bool]:
    return _SCOPES[support_type_scope if resource == "ticket_events" else "all"]


def _whole_number(asked: dict[str, str], name: str, least: int = 0) -> int:
    """A parameter that must be there and be a whole number. How Zendesk words these refusals is not known."""
    if name not in asked:
        raise RefusedError(400, {"error": "ParameterMissing", "description": f"Parameter {name} is required"})
    text = asked[name]
    if not (text.isascii() and text.isdigit() and int(text) >= least):
        raise _invalid(name, f"must be an integer of at least {least}")
    return int(text)


def _scope(asked: dict[str, str], default: str) -> str:
    scope = asked.get("support_type_scope", default)
    if scope not in _SCOPES:
        raise _invalid("support_type_scope", f"must be one of {', '.join(_SCOPES)}")
    return scope


def _invalid(name: str, rule: str) -> RefusedError:
    message = f"You passed an invalid value for the {name} attribute. Invalid parameter: {name} {rule}"
    return RefusedError(400, {"error": {"title": "Invalid attribute", "message": message}})
