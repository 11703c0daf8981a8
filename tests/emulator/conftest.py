from collections.abc import Iterator

import pytest
import requests

from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from tests.support.emulator_client import Clock


@pytest.fixture
def clock() -> Clock:
    """The emulator's clock."""
    return Clock()


#: Shared by all tests, because its events are always the same and it caches them.
_SIMULATOR = Simulator(seed=1)


@pytest.fixture
def emulator(clock: Clock) -> Iterator[ZendeskEmulator]:
    """A running emulator with 2,000 events a day."""
    with ZendeskEmulator(_SIMULATOR, clock=clock) as running:
        yield running


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """A client with the right credentials."""
    with requests.Session() as open_session:
        open_session.trust_env = False
        open_session.auth = ("agent@example.com/token", "invented-token")
        yield open_session
