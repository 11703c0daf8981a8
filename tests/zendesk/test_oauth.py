"""Access tokens of the grant client_credentials."""

import pytest
from requests.structures import CaseInsensitiveDict

from airflow_zendesk.exceptions import (
    AccountNotFoundError,
    NotJsonError,
    RateLimitedError,
    RedirectError,
    ServerError,
    TokenRefusedError,
    TransportError,
    ZendeskError,
)
from airflow_zendesk.zendesk.oauth import Token, read_token, token_request


def read(body: bytes, status: int = 200, content_type: str = "application/json") -> Token:
    """Parse such a response."""
    return read_token(status, CaseInsensitiveDict({"content-type": content_type}), body)


def test_request_has_the_form_that_zendesk_documents() -> None:
    """The scope is read, because exports only read."""
    assert {
        "grant_type": "client_credentials", "client_id": "my_client", "client_secret": "invented", "scope": "read",
    } == token_request("my_client", "invented")  # fmt: skip


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        (b"1800", 1_800.0),
        (b'"1800"', 1_800.0),
        (b"1800.5", 1_800.5),
        (b"null", None),
        (b'"soon"', None),
        (b"{}", None),
        (b"1e999", None),
    ],
)
def test_expiry_of_a_token_is_parsed_if_possible(expires_in: bytes, seconds: float | None) -> None:
    """Otherwise the token is used until it is refused."""
    assert Token("abc", seconds) == read(b'{"access_token": "abc", "scope": "read", "expires_in": %b}' % expires_in)
    assert Token("abc", None) == read(b'{"access_token": "abc"}')


@pytest.mark.parametrize(
    ("status", "body", "error", "message"),
    [
        (200, b'{"access_token": "sec', TransportError, "the response is truncated"),
        (200, b"", TransportError, "the response is truncated"),
        (200, b"<html>secret", NotJsonError, "instead of JSON"),
        (200, b"{}", TokenRefusedError, "identifier and secret"),
        (200, b'{"access_token": 5}', TokenRefusedError, "identifier and secret"),
        (200, b'{"access_token": ""}', TokenRefusedError, "identifier and secret"),
        (200, b'{"access_token": "secret\\nX-Header: 1"}', TokenRefusedError, "identifier and secret"),
        (200, b'{"access_token": "secret\\u2026"}', TokenRefusedError, "identifier and secret"),
        (400, b'{"error": "unauthorized_client"}', TokenRefusedError, r"400 \(unauthorized_client\)"),
        (401, b'{"error": "invalid_client"}', TokenRefusedError, r"401 \(invalid_client\)"),
        (403, b'{"error": "secret"}', TokenRefusedError, "returned 403 for /oauth/tokens"),
        (404, b"{}", AccountNotFoundError, "Check the subdomain"),
        (302, b"", RedirectError, "is not followed"),
        (429, b"", RateLimitedError, "rate limit"),
        (503, b"", ServerError, "status 503"),
    ],
)
def test_invalid_response_is_a_named_error_without_the_body(
    status: int, body: bytes, error: type[ZendeskError], message: str
) -> None:
    """The body may hold a part of a token."""
    with pytest.raises(error, match=message) as caught:
        read(body, status)
    assert "secret" not in str(caught.value).replace("identifier and secret", "")


def test_token_is_not_in_its_repr() -> None:
    """Only the time of its expiry is printed."""
    assert "Token(expires_in=1800)" == repr(Token("abc", 1800))
