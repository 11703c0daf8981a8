"""Tokens of the OAuth grant ``client_credentials``: what to ask for, and what comes back.

Source: https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/
"""

import msgspec

TOKEN_PATH = "/oauth/tokens"  # noqa: S105  a path
#: The exports only read.
_SCOPE = "read"


class Token(msgspec.Struct):
    """An access token; ``expires_in`` are seconds, or None where the client's tokens have no end."""

    access_token: str
    expires_in: int | None = None


def token_request(client_id: str, client_secret: str) -> dict[str, str]:
    """The JSON body of a request for a token."""
    return {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": client_secret,
        "scope": _SCOPE,
    }


def read_token(body: bytes) -> Token:
    """The token in an answer.

    Raises:
        ValueError: the body is no such answer; the message does not quote it.
    """
    try:
        return msgspec.json.decode(body, type=Token)
    except msgspec.MsgspecError:
        raise ValueError("it is no token") from None
