"""How requests prove who asks: basic authentication, or a bearer token that is given or minted."""

from collections.abc import Callable

from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth

from airflow_zendesk.hooks.connection import ConnectionSettings
from airflow_zendesk.zendesk.oauth import Token

#: A minted token is not used in the last minute of its life: the request takes time too.
_MARGIN_SECONDS = 60.0


class BearerAuth(AuthBase):
    """Sends a token that is asked for anew at each request."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Put the header on."""
        request.headers["Authorization"] = f"Bearer {self._token()}"
        return request


class TokenCache:
    """Keeps one minted token for the run, and mints the next before it ends.

    Args:
        mint: asks Zendesk for a token.
        clock: seconds of any steady clock.
    """

    def __init__(self, mint: Callable[[], Token], clock: Callable[[], float]) -> None:
        self._mint = mint
        self._clock = clock
        self._token: str | None = None
        self._ends = float("inf")

    def token(self) -> str:
        """A token that is good for now."""
        if self._token is None or self._clock() >= self._ends:
            minted = self._mint()
            self._token = minted.access_token
            # Where Zendesk names no end, a 401 tells of it.
            lasts = float("inf") if minted.expires_in is None else minted.expires_in
            self._ends = self._clock() + lasts - _MARGIN_SECONDS
        return self._token

    def invalidate(self) -> bool:
        """Mint anew at the next request, because Zendesk took this token no more; False if none was ever minted."""
        minted, self._token = self._token is not None, None
        return minted


class NoAuth(AuthBase):
    """Sends nothing; without any, requests would look for an entry in a .netrc."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Leave the request as it is."""
        return request


def authentication(account: ConnectionSettings, keeper: TokenCache) -> AuthBase:
    """What the session of an account sends along; always something, or a .netrc would be consulted."""
    if account.auth == "client_credentials":
        return BearerAuth(keeper.token)
    if account.auth == "bearer":
        return BearerAuth(lambda: account.secret)
    # As bytes, for requests would encode text as Latin-1.
    return HTTPBasicAuth(account.login.encode(), account.secret.encode())
