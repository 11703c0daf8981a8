"""What the stand-in answers: a request comes in as a value, an answer goes out as a value, and no socket is near."""

import math
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from email.utils import formatdate

from airflow_zendesk.standin import wire
from airflow_zendesk.standin.messages import EXPORTS, Answer, LoggedRequest, Request
from airflow_zendesk.standin.paging import MAX_PER_PAGE, WITHHELD_SECONDS, EmptyEndTime, answer_page
from airflow_zendesk.standin.world import RESOURCES, Event, World

#: "Returns only up to 50 results per request"; counted here like any other export, at Zendesk in a bucket of its own.
_SAMPLE, _MAX_PER_SAMPLE = "ticket_events/sample", 50
#: The requests per minute of a whole account, on a middling plan: told in headers, not enforced here.
_ACCOUNT_LIMIT = 700
#: What is told when the limit is off: a careful client that is told nothing assumes Zendesk's ten.
_UNLIMITED = 1_000_000
_SCOPES: Mapping[str, Callable[[Event], bool]] = {
    "all": lambda _: True,
    "agent": lambda event: not event.case.is_ai_agent,
    "ai_agent": lambda event: event.case.is_ai_agent,
}
_ADMIN = {"id": 21_900_000_000_000, "name": "Example Admin", "role": "admin", "active": True}
_ANONYMOUS = {"id": None, "name": "Anonymous user", "email": "invalid@example.com", "role": "end-user"}


class _RefusedError(Exception):
    """A request that has an error for an answer."""

    def __init__(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, body, headers)
        self.status, self.body, self.headers = status, body, headers or {}


@dataclass(frozen=True, slots=True)
class Service:
    """A support desk behind an API.

    Args:
        world: What happens on the desk.
        login: The user's name for basic authentication; one that ends in `/token` goes with an API token.
        password: The password, or the token.
        logged: Gives the requests so far.
        requests_per_minute: The limit of the incremental exports; None for no limit.
        minute_seconds: How long that minute is.
        empty_end_time: See `paging.py`.
    """

    world: World
    login: str
    password: str = field(repr=False)
    logged: Callable[[], Sequence[LoggedRequest]]
    requests_per_minute: int | None
    minute_seconds: float
    empty_end_time: EmptyEndTime

    def answer(self, request: Request) -> Answer:
        """The whole answer to a request: a pure function of it, but for the log."""
        headers = self._headers(request)
        try:
            return Answer(200, headers, self._body(request).encode())
        except _RefusedError as refused:
            return Answer(refused.status, headers | refused.headers, wire.encode(refused.body).encode())

    def events(self, resource: str, start: int, end: int, support_type_scope: str) -> Iterator[Event]:
        """What happened in the half-open time; only the export of ticket events knows of a scope."""
        belongs = _SCOPES[support_type_scope if resource == "ticket_events" else "all"]
        return filter(belongs, self.world.events(resource, start, end))

    def _body(self, request: Request) -> str:
        path = request.path.removesuffix(".json")
        if request.is_export:
            return self._export(request, path.removeprefix(EXPORTS))
        match path:
            case "/api/v2/users/me":
                return wire.encode({"user": self._user(request)})
            case "/standin/truth":
                return wire.encode({"ids": self._truth(request.parameters)})
            case "/standin/requests":
                return wire.encode({"requests": [asdict(logged) for logged in self.logged()]})
        raise _not_found()

    def _export(self, request: Request, resource: str) -> str:
        if _credentials(request.authorization) != (self.login, self.password):
            raise _unauthorized()
        self._check_limit(request)
        most = MAX_PER_PAGE
        if resource == _SAMPLE:
            resource, most = "ticket_events", _MAX_PER_SAMPLE
        if resource not in RESOURCES:
            raise _not_found()
        now, asked = int(request.time), request.parameters
        start_time = _whole_number(asked, "start_time")
        if start_time > now - WITHHELD_SECONDS:
            too_recent = "Too recent start_time. Use a start_time older than 1 minute"
            raise _RefusedError(400, {"error": "StartTimeTooRecent", "description": too_recent})
        per_page = min(_whole_number(asked, "per_page", least=1), most) if "per_page" in asked else None
        page = answer_page(
            self.events(resource, start_time, now, _scope(asked, default="agent")),
            start_time=start_time,
            per_page=per_page or most,
            now=now,
            shuffle=request.number,
            empty_end_time=self.empty_end_time,
        )
        with_comments = "comment_events" in asked.get("include", "").split(",")
        next_page = page.next_page(request.origin + request.path, per_page)
        return wire.export(resource, page, with_comments=with_comments, next_page=next_page)

    def _truth(self, asked: dict[str, str]) -> list[int]:
        resource = asked.get("resource", "")
        if resource not in RESOURCES:
            raise _RefusedError(400, {"error": f"resource must be one of: {', '.join(RESOURCES)}"})
        start, end = _whole_number(asked, "start"), _whole_number(asked, "end")
        events = self.events(resource, start, end, _scope(asked, default="all"))
        return [event.id for event in events]

    def _user(self, request: Request) -> object:
        """Whom Zendesk takes the caller for: a wrong password makes a stranger, only a wrong token is an error."""
        login, password = _credentials(request.authorization)
        if (login, password) == (self.login, self.password):
            return _ADMIN | {"email": login.removesuffix("/token")}
        if login.endswith("/token"):
            raise _unauthorized()
        return _ANONYMOUS

    def _check_limit(self, request: Request) -> None:
        if self.requests_per_minute is not None and request.calls > self.requests_per_minute:
            description = "Number of allowed incremental export API requests per minute exceeded"
            body = {"error": "APIRateLimitExceeded", "description": description}
            raise _RefusedError(429, body, {"Retry-After": str(self._resets(request))})

    def _resets(self, request: Request) -> int:
        """Whole seconds to the next minute: Zendesk's windows are those of the clock."""
        return max(1, math.ceil(self.minute_seconds - request.time % self.minute_seconds))

    def _headers(self, request: Request) -> dict[str, str]:
        resets = self._resets(request)
        total = self.requests_per_minute or _UNLIMITED
        account = _ACCOUNT_LIMIT if self.requests_per_minute else _UNLIMITED
        account_remaining = str(max(account - request.calls, 0))
        headers = {
            "Date": formatdate(request.time, usegmt=True),
            "Content-Type": "application/json; charset=UTF-8",
            "Cache-Control": "max-age=0, private, must-revalidate",
            "X-Request-Id": f"standin-{request.number}",
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


def _not_found() -> _RefusedError:
    return _RefusedError(404, {"error": "InvalidEndpoint", "description": "Not found"})


def _unauthorized() -> _RefusedError:
    header = {"WWW-Authenticate": 'Basic realm="Web Password"'}
    return _RefusedError(401, {"error": "Couldn't authenticate you"}, header)


def _credentials(authorization: str | None) -> tuple[str, str]:
    """Login and password of basic authentication; both empty if there is none."""
    scheme, _, encoded = (authorization or "").partition(" ")
    try:
        login, _, password = b64decode(encoded).decode().partition(":")
    except ValueError:
        return "", ""
    return (login, password) if scheme.lower() == "basic" else ("", "")


def _whole_number(asked: dict[str, str], name: str, least: int = 0) -> int:
    """A parameter that must be there and be a whole number. How Zendesk words these refusals is not known."""
    if name not in asked:
        raise _RefusedError(400, {"error": "ParameterMissing", "description": f"Parameter {name} is required"})
    text = asked[name]
    if not (text.isascii() and text.isdigit() and int(text) >= least):
        raise _invalid(name, f"must be an integer of at least {least}")
    return int(text)


def _scope(asked: dict[str, str], default: str) -> str:
    scope = asked.get("support_type_scope", default)
    if scope not in _SCOPES:
        raise _invalid("support_type_scope", f"must be one of {', '.join(_SCOPES)}")
    return scope


def _invalid(name: str, rule: str) -> _RefusedError:
    message = f"You passed an invalid value for the {name} attribute. Invalid parameter: {name} {rule}"
    return _RefusedError(400, {"error": {"title": "Invalid attribute", "message": message}})
