"""Requests and responses of the emulator, as plain values."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any
from urllib.parse import parse_qsl

from airflow_zendesk.emulator.endpoints import EXPORTS, Bucket, Endpoint, bucket_of, endpoint_of

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A request as the client sent it."""

    method: str
    target: str
    authorization: str | None
    body: bytes
    accepts_gzip: bool


@dataclass(frozen=True, slots=True)
class Request:
    """A request, and what the emulator adds when it arrives.

    Args:
        method: `GET` or `POST`.
        path: The path without the query.
        query: The query as sent.
        authorization: The `Authorization` header.
        body: The body as sent; empty for `GET`.
        origin: Scheme, host and port of the emulator.
        time: The time of arrival in unix seconds, by the emulator's clock.
        number: The number of requests so far, including this one.
        requests_this_minute: The number of requests against the same rate limit in this minute of the clock, including
            this one.
        account_requests_this_minute: The number of requests for exports and lists in this minute, including this one.
    """

    method: str
    path: str
    query: str
    authorization: str | None
    body: bytes
    origin: str
    time: float
    number: int
    requests_this_minute: int
    account_requests_this_minute: int

    @property
    def endpoint(self) -> Endpoint | None:
        """The endpoint that it is for; None if the path is another one."""
        return endpoint_of(self.path)

    @property
    def bucket(self) -> Bucket | None:
        """The rate limit that it counts against."""
        return bucket_of(self.path)

    @property
    def is_export(self) -> bool:
        """Whether it is for an incremental export, even for one that does not exist."""
        return self.path.startswith(EXPORTS)

    @property
    def is_list(self) -> bool:
        """Whether it is for a list."""
        return self.endpoint is not None and self.endpoint.is_list

    @property
    def resource(self) -> str:
        """The key of the requested records; for an unknown export, the last segments of its path."""
        return self.endpoint.resource if self.endpoint else self.path.removeprefix(EXPORTS).removesuffix(".json")

    @property
    def parameters(self) -> dict[str, str]:
        """The parsed query."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def cursor(self) -> str | None:
        """The requested cursor: of an export, or of a list."""
        return self.parameters.get("cursor", self.parameters.get("page[after]"))

    @property
    def page_size(self) -> int:
        """The requested page size; if none is requested, Zendesk's default."""
        return self.integer("page[size]", self.integer("per_page", 100 if self.is_list else 1_000))

    def integer(self, parameter: str, default: int) -> int:
        """Return the value of an integer parameter, or the default if it is missing or not an integer."""
        text = self.parameters.get(parameter, "")
        return int(text) if text.isascii() and text.isdigit() else default


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A complete response; the body is compressed only if its headers say so."""

    status: int
    headers: dict[str, str]
    body: bytes


class ApiError(Exception):
    """An error response; without a body, the one recorded for the status is sent."""

    def __init__(self, status: int, body: object = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, body, headers)
        self.status, self.body, self.headers = status, body, headers or {}


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """The log entry of a request for an export or a token. It contains no secret.

    `faults` are the names of the faults that acted on it. `status` is the status that was sent, or that would have been
    sent if a fault had not interrupted the response.
    """

    method: str
    path: str
    query: str
    status: int
    time: float
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pause:
    """Send nothing for this number of seconds, or until the client disconnects."""

    seconds: float


class Disconnect(Enum):
    """How the server ends a connection; `RESET_NEXT_TOO` also resets the next connection as soon as it is accepted."""

    CLOSE = auto()
    RESET = auto()
    RESET_NEXT_TOO = auto()


#: One step of sending a response; bytes are written to the connection.
ServerAction = bytes | Pause | Disconnect
