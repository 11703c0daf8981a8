"""Who may come in, and how: by password, API token, OAuth token given or minted; and what everybody else is told.

The refusals are Zendesk's, as recorded from real accounts. The grant `client_credentials` is described at
https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/
"""

import binascii
import json
import threading
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Literal, get_args

from airflow_zendesk.emulator.messages import Json, RefusedError, Request

#: The ways in; Zendesk has closed the first to all accounts, and closes the second in April 2027.
Way = Literal["password", "api_token", "bearer", "client_credentials"]
WAYS: tuple[Way, ...] = get_args(Way)

_ADMIN_ID = 21_900_000_000_000
_ANONYMOUS: Json = {"id": None, "name": "Anonymous user", "email": "invalid@example.com", "role": "end-user"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What opens the emulator, and to whom; all of it invented, and good for nothing else.

    Args:
        email: The user's login, with `/token` behind it when it goes with the API token.
        password: The user's password.
        api_token: An API token.
        access_token: An OAuth token that never ends.
        client_id: The OAuth client that may mint tokens.
        client_secret: Its secret.
        expires_in: Seconds that a minted token is good for; None for no end, of which the answer then says nothing.
        role: The user's role. Only `admin` may export.
    """

    email: str = "agent@example.com"
    password: str = field(default="invented-password", repr=False)
    api_token: str = field(default="invented-token", repr=False)
    access_token: str = field(default="invented-access-token", repr=False)
    client_id: str = "invented_client"
    client_secret: str = field(default="invented-secret", repr=False)
    expires_in: int | None = 1_800
    role: str = "admin"

    def fields(self, way: Way) -> dict[str, str]:
        """The fields of an Airflow connection that comes in this way."""
        return {
            "password": {"login": self.email, "password": self.password},
            "api_token": {"login": f"{self.email}/token", "password": self.api_token},
            "bearer": {"password": self.access_token},
            "client_credentials": {"login": self.client_id, "password": self.client_secret},
        }[way]


@dataclass(frozen=True, slots=True)
class _Token:
    may_read: bool
    ends: float


class Door:
    """Knows the credentials and the tokens minted from them, and whom a request comes from."""

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials
        self._given = {credentials.access_token: _Token(may_read=True, ends=float("inf"))}
        self._minted: dict[str, _Token] = {}
        self._lock = threading.Lock()
        self._number = 0

    def user(self, request: Request) -> Json:
        """Whom Zendesk takes the caller for: a wrong password makes a stranger, only a wrong token is an error."""
        scheme, _, proof = (request.authorization or "").partition(" ")
        if scheme.lower() == "bearer":
            self._check_token(proof, request.time)
            return self._known()
        login, password = _login_and_password(proof) if scheme.lower() == "basic" else ("", "")
        known = self.credentials
        if (login, password) in {(known.email, known.password), (f"{known.email}/token", known.api_token)}:
            return self._known()
        if login.endswith("/token"):
            raise _not_authenticated()
        return _ANONYMOUS

    def admit(self, request: Request) -> None:
        """Let an administrator in; everybody else is refused."""
        user = self.user(request)
        if user["id"] is None:
            raise _not_authenticated()
        if user["role"] != "admin":
            raise RefusedError(403)

    def mint(self, request: Request) -> Json:
        """A new token for the OAuth client that asks for one."""
        try:
            asked = json.loads(request.body)
        except ValueError:
            asked = None
        if not isinstance(asked, dict) or asked.get("grant_type") != "client_credentials":
            raise _oauth_error(400, "unsupported_grant_type", "The authorization grant type is not supported.")
        known = self.credentials
        if (asked.get("client_id"), asked.get("client_secret")) != (known.client_id, known.client_secret):
            reason = "The client identifier provided is invalid, or the client failed to authenticate."
            raise _oauth_error(401, "invalid_client", reason)
        # Zendesk mints for scopes that do not exist, too; such a token opens nothing.
        scope = str(asked.get("scope", "read"))
        ends = float("inf") if known.expires_in is None else request.time + known.expires_in
        with self._lock:
            self._number += 1
            token = f"{known.access_token}-minted-{self._number}"
            self._minted[token] = _Token("read" in scope.split(), ends)
        answer: Json = {"access_token": token, "token_type": "bearer", "scope": scope}
        return answer if known.expires_in is None else answer | {"expires_in": known.expires_in}

    def revoke(self) -> None:
        """Take back every token that was minted so far."""
        with self._lock:
            self._minted.clear()

    def _known(self) -> Json:
        known = self.credentials
        return {"id": _ADMIN_ID, "name": "Example Admin", "email": known.email, "role": known.role, "active": True}

    def _check_token(self, text: str, now: float) -> None:
        with self._lock:
            token = (self._given | self._minted).get(text)
        if token is None or token.ends <= now:
            reason = "The access token provided is expired, revoked, malformed or invalid for other reasons."
            raise _oauth_error(401, "invalid_token", reason)
        if not token.may_read:
            raise RefusedError(403)


def _not_authenticated() -> RefusedError:
    return RefusedError(401, headers={"WWW-Authenticate": 'Basic realm="Web Password"'})


def _oauth_error(status: int, code: str, description: str) -> RefusedError:
    return RefusedError(status, {"error": code, "error_description": description})


def _login_and_password(proof: str) -> tuple[str, str]:
    try:
        login, _, password = b64decode(proof).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return login, password
