"""Tokens of the grant client_credentials."""

import pytest

from airflow_zendesk.zendesk.oauth import Token, read_token, token_request


def test_request_is_zendesks() -> None:
    """The exports only read."""
    assert {
        "grant_type": "client_credentials", "client_id": "my_client", "client_secret": "invented", "scope": "read",
    } == token_request("my_client", "invented")  # fmt: skip


def test_token_is_read_with_or_without_an_end() -> None:
    """What else the answer says does not matter."""
    answer = b'{"access_token": "abc", "token_type": "bearer", "scope": "read", "expires_in": 1800}'
    assert Token("abc", 1800) == read_token(answer)
    assert Token("abc", None) == read_token(b'{"access_token": "abc"}')


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{}", b'{"access_token": 5}', b'{"access_token": "secret", "expires']
)
def test_what_is_no_token_is_not_quoted(body: bytes) -> None:
    """It might be half of one."""
    with pytest.raises(ValueError, match=r"^it is no token$"):
        read_token(body)
