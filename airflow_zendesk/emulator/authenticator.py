"""Credentials and access tokens: who sent a request, and whether they may export.

Zendesk's four methods are supported: password, API token, a given OAuth token, and OAuth tokens from the client
credentials grant (https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/). The error responses
are Zendesk's, as recorded from real accounts.
"""

import binascii
import json
import threading
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Literal, get_args

from airflow_zendesk.emulator import fixtures
from airflow_zendesk.emulator.messages import ApiError, Json, Request

#: Zendesk no longer accepts passwords, and stops accepting API tokens in April 2027.
AuthMethod = Literal["password", "api_token", "bearer", "client_credentials"]
AUTH_METHODS: tuple[AuthMethod, ...] = get_args(AuthMethod)

_ANONYMOUS: Json = {"id": None, "name": "Anonymous user", "email": "invalid@example.com", "role": "end-user"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials that the emulator accepts. All values are invented.

    Args:
        email: The user's email address; with `/token` appended it is the login that goes with the API token.
        password: The user's password.
        api_token: An API token.
        access_token: An OAuth token that never expires.
        client_id: The OAuth client that may request tokens.
        client_secret: The secret of that client.
        expires_in: Lifetime of issued tokens in seconds. None means no expiry; the token response then omits the key.
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

    def connection_fields(self, auth_method: AuthMethod) -> dict[str, str]:
        """Return login and password of an Airflow connection that uses this method."""
        return {
            "password": {"login": self.email, "password": self.password},
            "api_token": {"login": f"{self.email}/token", "password": self.api_token},
            "bearer": {"password": self.access_token},
            "client_credentials": {"login": self.client_id, "password": self.client_secret},
        }[auth_method]


@dataclass(frozen=True, slots=True)
class _AccessToken:
    may_read: bool
    expires_at: float


class Authenticator:
    """Checks the credentials of requests, and issues access tokens."""

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials
        self._given = {credentials.access_token: _AccessToken(may_read=True, expires_at=float("inf"))}
        self._issued: dict[str, _AccessToken] = {}
        self._lock = threading.Lock()
        self._issued_count = 0

    def user_of(self, request: Request) -> Json:
        """Return the user that Zendesk takes the caller for.

        A wrong password gives the anonymous user; only a wrong token is an error.
        """
        scheme, _, encoded = (request.authorization or "").partition(" ")
        if scheme.lower() == "bearer":
            self._check_token(encoded, request.time)
            return self._user()
        login, password = _login_and_password(encoded) if scheme.lower() == "basic" else ("", "")
        valid = self.credentials
        if (login, password) in {(valid.email, valid.password), (f"{valid.email}/token", valid.api_token)}:
            return self._user()
        if login.endswith("/token"):
            raise _not_authenticated()
        return _ANONYMOUS

    def require_admin(self, request: Request) -> None:
        """Raise an error unless the caller is an administrator."""
        user = self.user_of(request)
        if user["id"] is None:
            raise _not_authenticated()
        if user["role"] != "admin":
            raise ApiError(403)

    def issue_token(self, request: Request) -> Json:
        """Issue a new access token to the OAuth client."""
        try:
            grant = json.loads(request.body)
        except ValueError:
            grant = None
        if not isinstance(grant, dict) or grant.get("grant_type") != "client_credentials":
            raise _oauth_error(400, "unsupported_grant_type", "The authorization grant type is not supported.")
        valid = self.credentials
        if (grant.get("client_id"), grant.get("client_secret")) != (valid.client_id, valid.client_secret):
            reason = "The client identifier provided is invalid, or the client failed to authenticate."
            raise _oauth_error(401, "invalid_client", reason)
        # Zendesk issues tokens for unknown scopes too; such a token gives no access.
        scope = str(grant.get("scope", "read"))
        expires_at = float("inf") if valid.expires_in is None else request.time + valid.expires_in
        with self._lock:
            self._issued_count += 1
            token = f"{valid.access_token}-issued-{self._issued_count}"
            self._issued[token] = _AccessToken("read" in scope.split(), expires_at)
        issued: Json = {"access_token": token, "token_type": "bearer", "scope": scope}
        return issued if valid.expires_in is None else issued | {"expires_in": valid.expires_in}

    def revoke_issued_tokens(self) -> None:
        """Revoke every token that was issued so far."""
        with self._lock:
            self._issued.clear()

    def _user(self) -> Json:
        valid = self.credentials
        return {
            "id": fixtures.ADMIN_ID,
            "name": "Example Admin",
            "email": valid.email,
            "role": valid.role,
            "active": True,
        }

    def _check_token(self, text: str, now: float) -> None:
        with self._lock:
            token = (self._given | self._issued).get(text)
        if token is None or token.expires_at <= now:
            reason = "The access token provided is expired, revoked, malformed or invalid for other reasons."
            raise _oauth_error(401, "invalid_token", reason)
        if not token.may_read:
            raise ApiError(403)


def _not_authenticated() -> ApiError:
    return ApiError(401, headers={"WWW-Authenticate": 'Basic realm="Web Password"'})


def _oauth_error(status: int, code: str, description: str) -> ApiError:
    return ApiError(status, {"error": code, "error_description": description})


def _login_and_password(encoded: str) -> tuple[str, str]:
    try:
        login, _, password = b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return login, password
