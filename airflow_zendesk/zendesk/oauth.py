"""Access tokens of the OAuth grant ``client_credentials``: the request and the response.

Source: https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import msgspec

from airflow_zendesk.exceptions import RequestRefusedError, TokenRefusedError, TransportError
from airflow_zendesk.zendesk.response_errors import check_json, error_for

TOKEN_PATH = "/oauth/tokens"  # noqa: S105  a path
#: Exports only read.
_SCOPE = "read"
#: Visible ASCII, as headers and the RFC require: https://datatracker.ietf.org/doc/html/rfc6749#appendix-A.12.
_TOKEN = re.compile(r"[\x21-\x7e]+")
#: The statuses with which Zendesk's OAuth server (Doorkeeper) refuses a client.
_REFUSALS = {
    HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """An access token; ``expires_in`` is in seconds, or None if the token does not expire."""

    access_token: str = field(repr=False)
    expires_in: float | None = None


class _RawToken(msgspec.Struct):
    access_token: str
    expires_in: msgspec.Raw = msgspec.Raw(b"null")


def token_request(client_id: str, client_secret: str) -> dict[str, str]:
    """The JSON body of a token request."""
    return {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": client_secret,
        "scope": _SCOPE,
    }


def is_token(text: str) -> bool:
    """Whether the text has the form of an access token."""
    return _TOKEN.fullmatch(text) is not None


def read_token(status: int, headers: Mapping[str, str], body: bytes) -> Token:
    """Parse the response to a token request. No error quotes the body, because it may contain a part of a token.

    Raises:
        TokenRefusedError: Zendesk refuses the client, or the response has no valid token.
        ZendeskError: the response is another error, or does not come from Zendesk.
    """
    if status != HTTPStatus.OK:
        error = error_for(TOKEN_PATH, status, headers, body)
        if isinstance(error, RequestRefusedError) and status in _REFUSALS:
            raise TokenRefusedError(status, TOKEN_PATH, error.code)
        raise error
    check_json(TOKEN_PATH, headers, body)
    try:
        raw = msgspec.json.decode(body, type=_RawToken)
    except msgspec.ValidationError:
        raise TokenRefusedError(status, TOKEN_PATH) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise TransportError(TOKEN_PATH, "the response is truncated") from None
    if not is_token(raw.access_token):
        raise TokenRefusedError(status, TOKEN_PATH)
    return Token(raw.access_token, _seconds(raw.expires_in))


def _seconds(expires_in: msgspec.Raw) -> float | None:
    """Parse ``expires_in``. If it is invalid, the token is used until a request returns 401."""
    try:
        return msgspec.json.decode(expires_in, type=float | None, strict=False)
    except msgspec.MsgspecError:
        return None
