"""The cache of access tokens."""

from airflow_zendesk.hooks.auth import TokenCache
from airflow_zendesk.zendesk.oauth import Token
from tests.support.clocks import FakeClock


class TokenSource:
    """Returns numbered tokens."""

    def __init__(self, expires_in: int | None) -> None:
        self.requests = 0
        self.expires_in = expires_in

    def __call__(self) -> Token:
        """Return the next token."""
        self.requests += 1
        return Token(f"token {self.requests}", self.expires_in)


def test_token_is_renewed_a_minute_before_it_expires() -> None:
    """Until then one token serves all requests."""
    time = FakeClock()
    cache = TokenCache(TokenSource(1_800), time.clock)
    assert "token 1" == cache.token()
    time.now = 1_739.9
    assert "token 1" == cache.token()
    time.now = 1_740.0
    assert "token 2" == cache.token()


def test_token_that_does_not_expire_is_kept_until_it_is_invalidated() -> None:
    """Invalidating returns whether there was a token."""
    time = FakeClock()
    cache = TokenCache(TokenSource(None), time.clock)
    assert not cache.invalidate()
    assert "token 1" == cache.token()
    time.now = 1e9
    assert "token 1" == cache.token()
    assert cache.invalidate()
    assert "token 2" == cache.token()
