"""One HTTP answer of an incremental export: a page of records, or the error that it is.

Source: https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/ for the page,
https://developer.zendesk.com/api-reference/introduction/requests/ for the statuses.
"""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec

from airflow_zendesk.exceptions import (
    AccountNotFoundError,
    AuthenticationError,
    MalformedResponseError,
    NotJsonError,
    PageTimeoutError,
    PermissionDeniedError,
    RateLimitedError,
    RedirectError,
    RequestRefusedError,
    ServerError,
    StartTimeTooRecentError,
    TransportError,
    ZendeskError,
)
from airflow_zendesk.zendesk.records import RawRecord, Record, read_records
from airflow_zendesk.zendesk.resources import Resource

_REFUSALS: dict[int, type[RequestRefusedError]] = {
    HTTPStatus.UNAUTHORIZED: AuthenticationError,
    HTTPStatus.FORBIDDEN: PermissionDeniedError,
    HTTPStatus.NOT_FOUND: AccountNotFoundError,
}
#: Statuses below 500 with which servers and proxies say "not now".
_NOT_NOW = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.LOCKED, HTTPStatus.TOO_EARLY}
#: An answer that took too long: the gateway's word for it, and Cloudflare's, which stands before Zendesk.
_TOO_SLOW = {HTTPStatus.GATEWAY_TIMEOUT, 524}

#: Zendesk's words for errors that are told as they are. A word that we do not know could be anything: a customer's, or
#: the secret that was sent.
_CODES = {
    "APIRateLimitExceeded", "Forbidden", "InvalidEndpoint", "InvalidPaginationParameter", "InvalidValue",
    "ParameterMissing", "RecordInvalid", "RecordNotFound", "StartTimeTooRecent", "invalid_client", "invalid_grant",
    "invalid_request", "invalid_scope", "invalid_token", "unauthorized", "unauthorized_client",
    "unsupported_grant_type",
}  # fmt: skip
#: The same for what answers in place of the API.
_CONTENT_TYPES = {
    "application/json", "application/octet-stream", "application/xml", "text/html", "text/plain", "text/xml",
}  # fmt: skip

#: Zendesk's limits are per minute: whoever wishes for more than an hour does not mean us, or not seconds.
_LONGEST_WISH = 3_600.0

_ENVELOPE = msgspec.json.Decoder(RawRecord)
_RECORDS = msgspec.json.Decoder(list[RawRecord])
_INTEGER = msgspec.json.Decoder(int | None)
_BOOLEAN = msgspec.json.Decoder(bool)
_NULL = msgspec.Raw(b"null")
_PIECE_BYTES = 2**20
#: Any escape in a JSON string; the group catches half a surrogate pair without its other half.
_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Answer:
    """One page as Zendesk sent it; times are unix seconds."""

    records: list[Record]
    end_time: int | None
    end_of_stream: bool
    #: The server's clock when it answered: the only clock that proves anything.
    server_date: int
    #: How many lone surrogates, which no UTF-8 text can hold, became U+FFFD.
    repaired: int = 0


def parse_response(resource: Resource, start_time: int, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """Read one answer; ``headers`` must find names whatever their case.

    Raises:
        RequestRefusedError: Zendesk says no, and would again.
        InvalidResponseError: this is no answer of the export.
        TransientError: a rate limit, a failing server, a cut or damaged body.
    """
    if status != HTTPStatus.OK:
        raise error_for(resource.path, status, headers, body)
    check_json(resource.path, headers, body)
    try:
        return _read(resource, headers, body)
    except RecursionError:
        raise MalformedResponseError(resource.path, start_time, "its JSON is nested too deeply") from None
    except msgspec.ValidationError as error:
        raise MalformedResponseError(resource.path, start_time, str(error)) from None
    except (msgspec.DecodeError, EOFError) as error:
        raise TransportError(
            resource.path, f"the response to start_time={start_time} is cut short or damaged: {error}"
        ) from None
    except UnicodeDecodeError:
        raise MalformedResponseError(resource.path, start_time, "its text is no UTF-8") from None
    except ValueError as error:
        raise MalformedResponseError(resource.path, start_time, str(error)) from None


def check_json(path: str, headers: Mapping[str, str], body: bytes) -> None:
    """See that it is the API that answers, and nothing in its place.

    Raises:
        NotJsonError: it is HTML, or text.
    """
    content_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if body.lstrip().startswith(b"<") or "json" not in content_type:
        told = content_type if content_type in _CONTENT_TYPES else "an unknown content type"
        raise NotJsonError(path, told if content_type else None)


def server_date(headers: Mapping[str, str]) -> int:
    """The server's clock in unix seconds, from the ``Date`` header.

    Raises:
        ValueError: it is missing or unreadable.
    """
    try:
        return int(_date(headers["Date"]).timestamp())
    except (KeyError, ValueError):
        raise ValueError("it has no readable Date header, without which no page proves anything") from None


def next_minute(headers: Mapping[str, str]) -> int:
    """Seconds to the next minute of the server's clock, a whole one if it does not tell its time."""
    try:
        return 60 - server_date(headers) % 60
    except ValueError:
        return 60


def retry_after(headers: Mapping[str, str]) -> float | None:
    """``Retry-After`` in seconds, sent as a number or as a date; None if there is none that can be meant."""
    text = headers.get("Retry-After", "").strip()
    try:
        if re.fullmatch(r"\d+(\.\d+)?", text):
            seconds = float(text)
        else:
            seconds = max(0.0, _date(text).timestamp() - server_date(headers))
    except ValueError:
        return None
    return seconds if seconds <= _LONGEST_WISH else None


def _date(text: str) -> datetime:
    """An HTTP date; one without a time zone is in UTC too, and not in that of the worker."""
    date = parsedate_to_datetime(text)
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _read(resource: Resource, headers: Mapping[str, str], body: bytes) -> Answer:
    # The body first: an answer that is cut among its headers must count as cut, not as one without a Date.
    envelope, repaired = _decode(body)
    date = server_date(headers)
    records = _RECORDS.decode(_required(envelope, resource.name))
    count = _INTEGER.decode(envelope.get("count", _NULL))
    if count is not None and count > len(records):
        raise EOFError(f"count promises {count} records, {len(records)} came")
    end_time = _INTEGER.decode(envelope.get("end_time", _NULL))
    if end_time is not None and end_time > date:
        raise ValueError(f"end_time {end_time} lies after the server's own clock, {date}")
    end_of_stream = _BOOLEAN.decode(_required(envelope, "end_of_stream"))
    return Answer(read_records(records), end_time, end_of_stream, date, repaired)


def _decode(body: bytes) -> tuple[RawRecord, int]:
    repaired = 0
    try:
        envelope = _ENVELOPE.decode(body)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        # One emoji that an agent's browser cut in half must not make the whole page unreadable.
        body, repaired = _replace_lone_surrogates(body)
        if not repaired:
            raise
        envelope = _ENVELOPE.decode(body)
    _check_utf8(body)
    return envelope, repaired


def _check_utf8(body: bytes) -> None:
    """The JSON decoder does not look inside the strings that it hands over as they are.

    In pieces, for decoded as a whole one emoji would make four bytes of every character.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(body)
    for start in range(0, len(body), _PIECE_BYTES):
        decoder.decode(view[start : start + _PIECE_BYTES])


def _replace_lone_surrogates(body: bytes) -> tuple[bytes, int]:
    repaired = 0

    def replace(match: re.Match[bytes]) -> bytes:
        nonlocal repaired
        repaired += match[1] is not None
        return match[0] if match[1] is None else rb"\ufffd"

    return _ESCAPE.sub(replace, body), repaired


def _required(envelope: RawRecord, key: str) -> msgspec.Raw:
    if key not in envelope:
        raise ValueError(f"it has no {key}")
    return envelope[key]


def error_for(path: str, status: int, headers: Mapping[str, str], body: bytes) -> ZendeskError:
    """The error that an answer with a status other than 200 is."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimitedError(path, retry_after(headers), float(next_minute(headers)))
    if status in _TOO_SLOW:
        return PageTimeoutError(path, f"Zendesk answered {status}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _NOT_NOW:
        return ServerError(path, status, retry_after(headers))
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return RedirectError(status, path, leads_to=_direction(headers.get("Location", "")))
    # Spellings met so far: the code StartTimeTooRecent (400), and a sentence (422, also as plain text).
    if b"StartTimeTooRecent" in body or b"Too recent start_time" in body:
        return StartTimeTooRecentError(status, path, "StartTimeTooRecent")
    return _REFUSALS.get(status, RequestRefusedError)(status, path, _error_code(body))


def _direction(location: str) -> str:
    """Where a redirect leads, in our words: any part of the target, its host too, may echo what was sent."""
    try:
        host = urlsplit(location).hostname
    except ValueError:  # no URL at all
        host = None
    if host is None:
        return "to the same host or nowhere"
    return "elsewhere in zendesk.com" if host.endswith(".zendesk.com") else "out of zendesk.com"


def _error_code(body: bytes) -> str | None:
    """Zendesk's own word for the error, where the body has one that is known."""
    match = re.search(rb'"(?:error|code|title)"\s*:\s*"([A-Za-z_]{1,64})"', body[:4096])
    return match[1].decode() if match and match[1].decode() in _CODES else None
