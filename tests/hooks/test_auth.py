"""How requests prove who asks."""

from airflow_zendesk.hooks.auth import TokenCache
from airflow_zendesk.zendesk.oauth import Token
from tests.support.clock import FakeClock


class Mint:
    """Makes tokens with numbers."""

    def __init__(self, expires_in: int | None) -> None:
        self.minted = 0
        self.expires_in = expires_in

    def __call__(self) -> Token:
        """The next one."""
        self.minted += 1
        return Token(f"token {self.minted}", self.expires_in)


def test_token_is_kept_until_a_minute_before_its_end() -> None:
    """One serves many requests; the next is there before it ends."""
    time = FakeClock()
    keeper = TokenCache(Mint(1_800), time.clock)
    assert "token 1" == keeper.token()
    time.now = 1_739.9
    assert "token 1" == keeper.token()
    time.now = 1_740.0
    assert "token 2" == keeper.token()


def test_token_without_an_end_is_kept_until_it_is_refused() -> None:
    """Forgetting tells whether there was one to forget."""
    time = FakeClock()
    keeper = TokenCache(Mint(None), time.clock)
    assert not keeper.invalidate()
    assert "token 1" == keeper.token()
    time.now = 1e9
    assert "token 1" == keeper.token()
    assert keeper.invalidate()
    assert "token 2" == keeper.token()
