"""The HTTP response of an incremental export, parsed into a page of records or a named error.

Source: https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/ for the page,
https://developer.zendesk.com/api-reference/introduction/requests/ for the statuses.
"""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import msgspec

from airflow_zendesk.exceptions import (
    MalformedResponseError,
    TransportError,
)
from airflow_zendesk.zendesk.records import RawRecord, Record, read_records
from airflow_zendesk.zendesk.resources import Resource
from airflow_zendesk.zendesk.response_errors import check_json, error_for
from airflow_zendesk.zendesk.response_headers import server_date

_ENVELOPE = msgspec.json.Decoder(RawRecord)
_RECORDS = msgspec.json.Decoder(list[RawRecord])
_INTEGER = msgspec.json.Decoder(int | None)
_BOOLEAN = msgspec.json.Decoder(bool)
_TEXT = msgspec.json.Decoder(str | None)
_NULL = msgspec.Raw(b"null")
_CHUNK_BYTES = 2**16
#: Zendesk's cursors have about a hundred characters.
_MAX_CURSOR_CHARACTERS = 4_096
#: Any escape in a JSON string; the group catches half a surrogate pair without its other half.
_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportResponse:
    """One page as Zendesk sent it; times are unix seconds.

    Args:
        records: its events, in the order received.
        end_time: how far the page reaches, according to Zendesk.
        end_of_stream: whether Zendesk says that no more events follow.
        server_date: the server's clock when it responded; the worker's clock proves nothing.
        after_cursor: the cursor of the next page, where pages have one.
        count: the number of objects on all pages of a list, if it says so.
        replaced_surrogates: how many lone surrogates, which UTF-8 cannot encode, became U+FFFD.
    """

    records: list[Record]
    end_time: int | None
    end_of_stream: bool
    server_date: int
    after_cursor: str | None = None
    count: int | None = None
    replaced_surrogates: int = 0


def parse_response(
    resource: Resource, start_time: int, status: int, headers: Mapping[str, str], body: bytes
) -> ExportResponse:
    """Parse one response; ``headers`` must be case-insensitive.

    Raises:
        RequestRefusedError: Zendesk refuses the request, and would refuse it again.
        InvalidResponseError: the response is not one of the export.
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
        raise MalformedResponseError(resource.path, start_time, "its text is not valid UTF-8") from None
    except ValueError as error:
        raise MalformedResponseError(resource.path, start_time, str(error)) from None


def _read(resource: Resource, headers: Mapping[str, str], body: bytes) -> ExportResponse:
    # The body first: a response cut within its headers must count as cut, not as one without a Date.
    envelope, replaced = _decode(body)
    date = server_date(headers)
    records = _RECORDS.decode(_required(envelope, resource.name))
    count = _INTEGER.decode(envelope.get("count", _NULL))
    if resource.is_list:
        end_of_stream, cursor = _list_end(resource, envelope)
        return ExportResponse(
            records=read_records(records, (), default=0),
            end_time=None,
            end_of_stream=end_of_stream,
            server_date=date,
            after_cursor=cursor,
            count=count,
            replaced_surrogates=replaced,
        )
    if count is not None and count > len(records):
        raise EOFError(f"its count is {count}, but it has {len(records)} records")
    end_time = None if resource.paging == "cursor" else _INTEGER.decode(envelope.get("end_time", _NULL))
    if end_time is not None and end_time > date:
        raise ValueError(f"its end_time {end_time} is after the server's own clock, {date}")
    end_of_stream = _BOOLEAN.decode(_required(envelope, "end_of_stream"))
    return ExportResponse(
        records=read_records(records, resource.times),
        end_time=end_time,
        end_of_stream=end_of_stream,
        server_date=date,
        after_cursor=_cursor(envelope, end_of_stream=end_of_stream) if resource.paging == "cursor" else None,
        replaced_surrogates=replaced,
    )


def _list_end(resource: Resource, envelope: RawRecord) -> tuple[bool, str | None]:
    """Whether a page is the last of a list, and the cursor of the next one."""
    if resource.paging == "list_cursor":
        meta = _ENVELOPE.decode(_required(envelope, "meta"))
        is_last = not _BOOLEAN.decode(_required(meta, "has_more"))
        return is_last, _cursor(meta, end_of_stream=is_last)
    return _TEXT.decode(envelope.get("next_page", _NULL)) is None, None


def _cursor(envelope: RawRecord, *, end_of_stream: bool) -> str | None:
    cursor: str | None = _TEXT.decode(envelope.get("after_cursor", _NULL))
    if not cursor and not end_of_stream:
        raise ValueError("it has no after_cursor, but is not the last page")
    if cursor and len(cursor) > _MAX_CURSOR_CHARACTERS:
        raise ValueError(f"its after_cursor has {len(cursor):,} characters")
    return cursor


def _decode(body: bytes) -> tuple[RawRecord, int]:
    replaced = 0
    try:
        envelope = _ENVELOPE.decode(body)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        # One emoji cut in half by a browser must not make the whole page unreadable.
        body, replaced = _replace_lone_surrogates(body)
        if not replaced:
            raise
        envelope = _ENVELOPE.decode(body)
    _check_utf8(body)
    return envelope, replaced


def _check_utf8(body: bytes) -> None:
    """Validate the text, because the JSON decoder passes strings on without decoding them.

    In chunks: decoded as a whole, one emoji would turn every character into four bytes. Larger chunks take four times
    as long, because the memory of each one is requested from the system.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(body)
    for start in range(0, len(body), _CHUNK_BYTES):
        decoder.decode(view[start : start + _CHUNK_BYTES])


def _replace_lone_surrogates(body: bytes) -> tuple[bytes, int]:
    replaced = 0

    def replace(match: re.Match[bytes]) -> bytes:
        nonlocal replaced
        replaced += match[1] is not None
        return match[0] if match[1] is None else rb"\ufffd"

    return _ESCAPE.sub(replace, body), replaced


def _required(envelope: RawRecord, key: str) -> msgspec.Raw:
    if key not in envelope:
        raise ValueError(f"it has no {key}")
    return envelope[key]
