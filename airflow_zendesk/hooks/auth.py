"""Authentication of requests: basic, or a bearer token that is given or requested from Zendesk."""

from collections.abc import Callable

from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth

from airflow_zendesk.hooks.connection import ConnectionSettings
from airflow_zendesk.zendesk.oauth import Token

#: A token is renewed a minute before it expires, because a request takes time too.
_MARGIN_SECONDS = 60.0


class BearerAuth(AuthBase):
    """Sends a bearer token, which is looked up for each request."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the header."""
        request.headers["Authorization"] = f"Bearer {self._token()}"
        return request


class TokenCache:
    """Caches the access token of an OAuth client during a run, and renews it before it expires.

    Args:
        request_token: requests a token from Zendesk.
        clock: returns seconds of a monotonic clock.
    """

    def __init__(self, request_token: Callable[[], Token], clock: Callable[[], float]) -> None:
        self._request_token = request_token
        self._clock = clock
        self._token: str | None = None
        self._renew_at = float("inf")

    def token(self) -> str:
        """Return a valid token, requesting one if necessary."""
        if self._token is None or self._clock() >= self._renew_at:
            token = self._request_token()
            self._token = token.access_token
            # A token without an expiry is used until a request returns 401.
            lifetime = float("inf") if token.expires_in is None else token.expires_in
            self._renew_at = self._clock() + lifetime - _MARGIN_SECONDS
        return self._token

    def invalidate(self) -> bool:
        """Discard the cached token after a 401, so that the next request fetches a new one; False if there was none."""
        had_token, self._token = self._token is not None, None
        return had_token


class NoAuth(AuthBase):
    """Sends no credentials. Without any ``auth``, requests would look for some in a .netrc file."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Return the request unchanged."""
        return request


def authentication(settings: ConnectionSettings, token_cache: TokenCache) -> AuthBase:
    """Create the ``auth`` of a session."""
    if settings.auth == "client_credentials":
        return BearerAuth(token_cache.token)
    if settings.auth == "bearer":
        return BearerAuth(lambda: settings.secret)
    # As bytes, because requests would encode text as Latin-1.
    return HTTPBasicAuth(settings.login.encode(), settings.secret.encode())
