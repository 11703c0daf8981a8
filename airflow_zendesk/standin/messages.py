"""What goes in and out of the service, as values."""

from dataclasses import dataclass
from urllib.parse import parse_qsl

EXPORTS = "/api/v2/incremental/"


@dataclass(frozen=True, slots=True)
class Request:
    """A GET request, and what the stand-in knows when it arrives.

    Args:
        path: Without the query.
        query: As it came.
        authorization: The header of that name.
        origin: Scheme, host and port of the stand-in.
        time: The present, by the clock of the stand-in.
        number: How many requests there have been, this one included.
        calls: How many exports were asked for in this minute of the clock, this one included.
    """

    path: str
    query: str
    authorization: str | None
    origin: str
    time: float
    number: int
    calls: int

    @property
    def is_export(self) -> bool:
        """Whether it counts against the limit of the incremental exports."""
        return self.path.startswith(EXPORTS)

    @property
    def parameters(self) -> dict[str, str]:
        """The query, taken apart."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer, not yet compressed."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """What is remembered of a request for an export: nothing secret."""

    method: str
    path: str
    query: str
    status: int
    time: float
