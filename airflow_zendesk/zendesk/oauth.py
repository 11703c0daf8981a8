"""Tokens of the OAuth grant ``client_credentials``: what to ask for, and what comes back.

Source: https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import msgspec

from airflow_zendesk.exceptions import RequestRefusedError, TokenRefusedError, TransportError
from airflow_zendesk.zendesk.response import check_json, error_for

TOKEN_PATH = "/oauth/tokens"  # noqa: S105  a path
#: The exports only read.
_SCOPE = "read"
#: What can stand in a header; also https://datatracker.ietf.org/doc/html/rfc6749#appendix-A.12.
_TOKEN = re.compile(r"[\x21-\x7e]+")
#: With what Zendesk refuses a client: Doorkeeper, which answers here, has several.
_REFUSALS = {
    HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """An access token; ``expires_in`` are seconds, or None where the client's tokens have no end."""

    access_token: str = field(repr=False)
    expires_in: float | None = None


class _Wire(msgspec.Struct):
    access_token: str
    expires_in: msgspec.Raw = msgspec.Raw(b"null")


def token_request(client_id: str, client_secret: str) -> dict[str, str]:
    """The JSON body of a request for a token."""
    return {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": client_secret,
        "scope": _SCOPE,
    }


def is_token(text: str) -> bool:
    """Whether this can be an access token at all: visible ASCII."""
    return _TOKEN.fullmatch(text) is not None


def read_token(status: int, headers: Mapping[str, str], body: bytes) -> Token:
    """The token in an answer, which no error quotes: it might be half of one.

    Raises:
        TokenRefusedError: Zendesk gives none.
        ZendeskError: the answer is another error, or none of Zendesk's.
    """
    if status != HTTPStatus.OK:
        error = error_for(TOKEN_PATH, status, headers, body)
        if isinstance(error, RequestRefusedError) and status in _REFUSALS:
            raise TokenRefusedError(status, TOKEN_PATH, error.code)
        raise error
    check_json(TOKEN_PATH, headers, body)
    try:
        raw = msgspec.json.decode(body, type=_Wire)
    except msgspec.ValidationError:
        raise TokenRefusedError(status, TOKEN_PATH) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise TransportError(TOKEN_PATH, "the answer is cut") from None
    if not is_token(raw.access_token):
        raise TokenRefusedError(status, TOKEN_PATH)
    return Token(raw.access_token, _seconds(raw.expires_in))


def _seconds(expires_in: msgspec.Raw) -> float | None:
    """Zendesk's word on the end of a token; where it cannot be read, a 401 tells of it."""
    try:
        return msgspec.json.decode(expires_in, type=float | None, strict=False)
    except msgspec.MsgspecError:
        return None
