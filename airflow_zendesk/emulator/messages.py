"""What goes in and out of the service, as values."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any
from urllib.parse import parse_qsl

EXPORTS = "/api/v2/incremental/"
TOKENS = "/oauth/tokens"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """What a client sent: a request, before the emulator has looked at it."""

    method: str
    target: str
    authorization: str | None
    body: bytes
    takes_gzip: bool


@dataclass(frozen=True, slots=True)
class Request:
    """A request, and what the emulator knows when it arrives.

    Args:
        method: `GET` or `POST`.
        path: Without the query.
        query: As it came.
        authorization: The header of that name.
        body: As it came; empty for `GET`.
        origin: Scheme, host and port of the emulator.
        time: The present, by the clock of the emulator.
        number: How many requests there have been, this one included.
        calls: How many exports were asked for in this minute of the clock, this one included.
    """

    method: str
    path: str
    query: str
    authorization: str | None
    body: bytes
    origin: str
    time: float
    number: int
    calls: int

    @property
    def is_export(self) -> bool:
        """Whether it counts against the limit of the incremental exports."""
        return self.path.startswith(EXPORTS)

    @property
    def resource(self) -> str:
        """The last part of the path of an export."""
        return self.path.removeprefix(EXPORTS).removesuffix(".json")

    @property
    def parameters(self) -> dict[str, str]:
        """The query, taken apart."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    def number_of(self, parameter: str, default: int) -> int:
        """A parameter that is a whole number; the default if it is missing or something else."""
        text = self.parameters.get(parameter, "")
        return int(text) if text.isascii() and text.isdigit() else default


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer, not yet compressed unless its headers say so."""

    status: int
    headers: dict[str, str]
    body: bytes


class RefusedError(Exception):
    """A request that is refused; without a body of its own, with the one that was recorded for the status."""

    def __init__(self, status: int, body: object = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, body, headers)
        self.status, self.body, self.headers = status, body, headers or {}


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """What is remembered of a request for an export or a token: nothing secret.

    `faults` are the names of those that a scenario made act on it; `status` is the one that was answered, or would
    have been if the answer had arrived.
    """

    method: str
    path: str
    query: str
    status: int
    time: float
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pause:
    """Say nothing for so many seconds, or until the client hangs up."""

    seconds: float


class Hangup(Enum):
    """An end of the conversation: in peace, with a reset, or with one that the next connection is met with too."""

    CLOSE = auto()
    RESET = auto()
    RESET_NEXT_TOO = auto()


#: What the server does for an answer, one thing after the other; bytes are written.
Act = bytes | Pause | Hangup
