"""An HTTP answer is a page, or the error that it is."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

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
from airflow_zendesk.zendesk.resources import RESOURCES
from airflow_zendesk.zendesk.response import ExportResponse, parse_response

DATE = 1_767_225_600
HEADERS = {"date": "Thu, 01 Jan 2026 00:00:00 GMT", "content-type": "application/json; charset=utf-8"}
PATH = "/api/v2/incremental/ticket_events"
PAGE = {"ticket_events": [{"id": 1, "timestamp": 5}], "count": 1, "end_of_stream": False, "end_time": 6}


def read(body: bytes | dict[str, Any], status: int = 200, **headers: str | None) -> ExportResponse:
    """What the exporter makes of such an answer; headers given as None are left out."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    merged = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
    present = CaseInsensitiveDict({name: value for name, value in merged.items() if value is not None})
    return parse_response(RESOURCES["ticket_events"], 5, status, present, content)


def test_page_is_read() -> None:
    """The envelope, its items, and the server's own clock."""
    answer = read(PAGE | {"next_page": "https://elsewhere.example.com/"})
    assert (1, 5_000_000) == answer.records[0][:2]
    assert (6, False, DATE, 0) == (
        answer.end_time,
        answer.end_of_stream,
        answer.server_date,
        answer.replaced_surrogates,
    )


def test_null_and_missing_end_time_are_the_same() -> None:
    """Whether a page may lack it is for the sweep to say."""
    assert read(PAGE | {"end_time": None}).end_time is None
    assert read({"ticket_events": [], "end_of_stream": True}).end_time is None


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ({"ticket_events": []}, "it has no end_of_stream"),
        ({"end_of_stream": True}, "it has no ticket_events"),
        ({"ticket_events": [], "end_of_stream": 1}, "Expected `bool`, got `int`"),
        ({"ticket_events": {}, "end_of_stream": True}, "Expected `array`, got `object`"),
        ({"ticket_events": [{"id": 1, "timestamp": 5}, 3], "end_of_stream": True}, r"got `int` - at `\$\[1\]`"),
        ({"ticket_events": [{"id": 1}], "end_of_stream": True}, r"record 0 \(id 1\) has no readable timestamp"),
        (PAGE | {"end_time": "6"}, "Expected `int | null`, got `str`"),
        (PAGE | {"end_time": DATE + 1}, "end_time 1767225601 is after the server's own clock, 1767225600"),
    ],
)
def test_json_of_another_shape_is_refused(page: dict[str, Any], reason: str) -> None:
    """What cannot be exported without loss is an error that names the page."""
    with pytest.raises(MalformedResponseError, match=reason) as caught:
        read(page)
    assert (PATH, 5) == (caught.value.path, caught.value.start_time)


def test_answer_without_a_date_proves_nothing() -> None:
    """The worker's clock is no substitute."""
    for date in (None, "soon"):
        with pytest.raises(MalformedResponseError, match="no readable Date header"):
            read(PAGE, date=date)


@pytest.mark.parametrize("cut", [0, 1, 20, 40, 60])
def test_cut_body_is_asked_for_again(cut: int) -> None:
    """A body that ends too early is a fault of the moment."""
    with pytest.raises(TransportError) as caught:
        read(json.dumps(PAGE).encode()[:cut])
    assert caught.value.retryable


def test_count_above_the_items_is_a_cut_body() -> None:
    """And a count below them is no harm."""
    with pytest.raises(TransportError, match="its count is 2, but it has 1 records"):
        read(PAGE | {"count": 2})
    assert 1 == len(read(PAGE | {"count": 0}).records)


@pytest.mark.parametrize("body", [b'{"ticket_events": NaN}', b'{"a": 1} trailing', b'\xef\xbb\xbf{"a": 1}'])
def test_what_is_no_json_is_damaged(body: bytes) -> None:
    """NaN, trailing text and a byte order mark are no JSON."""
    with pytest.raises(TransportError):
        read(body)


def test_html_or_text_is_something_else_than_the_api() -> None:
    """A login page or a proxy, recognized by its type or by its first byte."""
    with pytest.raises(NotJsonError, match="text/html"):
        read(b"<html>", content_type="text/html")
    with pytest.raises(NotJsonError, match="application/json"):
        read(b"<html>")
    with pytest.raises(NotJsonError, match="no content type"):
        read(b"hello", content_type=None)
    with pytest.raises(NotJsonError, match="returned an unknown content type instead"):
        read(b"hello", content_type="text/invented-token")


def test_json_is_json_however_its_type_is_spelt() -> None:
    """Media types know no case."""
    for content_type in ("Application/JSON", "application/json;charset=utf-8", "application/vnd.api+json"):
        assert 1 == len(read(PAGE, content_type=content_type).records)


def test_deep_nesting_and_broken_utf8_are_refused() -> None:
    """Neither crashes the worker."""
    with pytest.raises(MalformedResponseError, match="nested too deeply"):
        read(b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    for broken in (b"\xff", b"\xc3", b"x" * 2_000_000 + b"\xff"):
        with pytest.raises(MalformedResponseError, match="its text is not valid UTF-8"):
            read(b'{"ticket_events": [{"id": 1, "timestamp": 5, "via": "%b"}], "end_of_stream": true}' % broken)


def test_letters_are_whole_wherever_the_check_of_the_text_cuts_it() -> None:
    """The body is checked in pieces."""
    for filling in range(2**20 - 70, 2**20 - 40):
        body = '{"ticket_events": [{"id": 1, "timestamp": 5, "via": "%s🙏"}], "end_of_stream": true}' % ("x" * filling)
        assert 1 == len(read(body.encode()).records)


def test_lone_surrogates_are_replaced_and_counted() -> None:
    """Half an emoji does not make a page unreadable; pairs and escaped backslashes stay as they are."""
    answer = read(
        rb'{"ticket_events": [{"id": 1, "timestamp": 5, "system": "\ud83d \ud83d\ude00 \\ud83d \uDE00"}],'
        rb' "end_of_stream": true}'
    )
    assert rb'"\ufffd \ud83d\ude00 \\ud83d \ufffd"' == bytes(answer.records[0].raw["system"])
    assert 2 == answer.replaced_surrogates


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, b'{"error": "Couldn\'t authenticate you"}', AuthenticationError(401, PATH)),
        (
            401,
            b'{"error": "invalid_token", "error_description": "..."}',
            AuthenticationError(401, PATH, "invalid_token"),
        ),
        (403, b'{"error": {"title": "Forbidden", "message": "..."}}', PermissionDeniedError(403, PATH, "Forbidden")),
        (404, b"{}", AccountNotFoundError(404, PATH)),
        (400, b'{"error": "StartTimeTooRecent"}', StartTimeTooRecentError(400, PATH, "StartTimeTooRecent")),
        (422, b"Too recent start_time. Use a ...", StartTimeTooRecentError(422, PATH, "StartTimeTooRecent")),
        (400, b'{"errors": [{"code": "InvalidValue"}]}', RequestRefusedError(400, PATH, "InvalidValue")),
        (500, b"", ServerError(PATH, 500)),
        (504, b"upstream request timeout", PageTimeoutError(PATH, "Zendesk returned 504")),
        (524, b"error code: 524", PageTimeoutError(PATH, "Zendesk returned 524")),
        (400, b'{"error": "invented"}', RequestRefusedError(400, PATH, None)),
        (403, b'{"error": "Forbidden-invented"}', PermissionDeniedError(403, PATH, None)),
        (409, b"", ServerError(PATH, 409)),
        (429, b"", RateLimitedError(PATH)),
    ],
)
def test_status_becomes_a_named_error(status: int, body: bytes, error: ZendeskError) -> None:
    """Each refusal says what to do; none quotes the body."""
    with pytest.raises(type(error)) as caught:
        read(body, status)
    assert vars(error) == vars(caught.value)


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("https://token.example.com/secret?token=abc", "leads out of zendesk.com"),
        ("https://zendesk.com.example.com/", "leads out of zendesk.com"),
        ("https://token.zendesk.com/", "leads elsewhere in zendesk.com"),
        *((nowhere, "leads to the same host or nowhere") for nowhere in (None, "", "/elsewhere", "http://[")),
    ],
)
def test_redirect_states_the_direction_and_nothing_of_the_target(location: str | None, message: str) -> None:
    """The target may hold anything, its host too."""
    with pytest.raises(RedirectError, match=message) as caught:
        read(b"", 302, location=location)
    assert "token" not in str(caught.value)


def test_limit_without_a_wish_ends_with_the_minute_of_the_servers_clock() -> None:
    """Or in a whole minute, if it does not tell the time."""
    for date, seconds in (("Thu, 01 Jan 2026 00:00:19 GMT", 41.0), (None, 60.0)):
        with pytest.raises(RateLimitedError) as caught:
            read(b"", 429, date=date)
        assert seconds == caught.value.next_minute


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("1.5", 1.5),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30.0),
        ("Wed, 31 Dec 2025 23:59:00 GMT", 0.0),
        ("Thu, 01 Jan 2026 00:00:30 -0000", 30.0),
        ("Thu, 01 Jan 99999 00:00:30 GMT", None),
        ("3600", 3_600.0),
        ("3601", None),
        ("9" * 400, None),
        ("Thu, 01 Jan 2026 01:00:01 GMT", None),
        ("-3", None),
        ("soon", None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_number_or_date(header: str | None, seconds: float | None) -> None:
    """A date counts from the server's own clock; more than an hour cannot be meant."""
    with pytest.raises(RateLimitedError) as caught:
        read(b"", 429, retry_after=header)
    assert seconds == caught.value.retry_after


fragments = st.sampled_from(
    [
        b'{"ticket_events": [', b'{"id": 1, "timestamp": 5', b'"created_at": "2026-01-01T00:00:00Z"', b'"via": {', b"}",
        b"]", b", ", b'"count": ', b'"end_time": ', b'"end_of_stream": true}', b"null", b"NaN", b"1e999", b"9" * 30,
        b'"\\ud83d"', b'"\\u0000"', b"\xff", b"[" * 500, b'"', b"\\", "é🙏".encode(),
    ]
)  # fmt: skip


@given(st.lists(fragments | st.binary(max_size=3), max_size=14))
def test_any_body_is_a_page_or_a_named_error(parts: list[bytes]) -> None:
    """Law: no other exception leaves the decoder."""
    with contextlib.suppress(ZendeskError):
        assert all(-(2**63) <= record.id < 2**63 for record in read(b"".join(parts)).records)


header_texts = st.text(max_size=20) | st.sampled_from(
    [
        "7",
        "-1",
        "Thu, 01 Jan 2026 00:00:00 GMT",
        "Thu, 01 Jan 0001 00:00:00 -0000",
        "http://[",
        "https://a/b",
        "9" * 400,
    ]
)


@given(st.sampled_from([200, 204, 302, 308, 400, 401, 429, 503, 504, 599]), header_texts, header_texts)
def test_any_headers_are_a_page_or_a_named_error(status: int, one: str, other: str) -> None:
    """Law: whatever a date, a wish, a type or a target says."""
    with contextlib.suppress(ZendeskError):
        read(PAGE, status, date=one, retry_after=other, location=one)
    with contextlib.suppress(ZendeskError):
        read(PAGE, status, content_type=one, date=other)
