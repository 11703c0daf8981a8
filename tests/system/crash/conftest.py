"""The stores on which exports are killed, and the emulator that they read from."""

import json
import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_zendesk.emulator import ZendeskEmulator
from tests.system.crash.jobs import Location
from tests.system.crash.late_simulator import LateSimulator

if TYPE_CHECKING:
    from tests.support.stores.servers import StoreServer

#: The stores, with the names of the fixtures that start them.
STORES = {"local": None, "S3": "moto", "Azure": "azurite"}

#: Whether to kill at every step of each store, which takes hours.
ALL = os.environ.get("CRASH") == "all"

NewLocation = Callable[[], Location]


@pytest.fixture(scope="session")
def simulator() -> LateSimulator:
    """An account with about forty events an hour."""
    return LateSimulator(events_per_day=1_000)


@pytest.fixture(scope="session")
def emulator(simulator: LateSimulator) -> Iterator[ZendeskEmulator]:
    """A local Zendesk."""
    with ZendeskEmulator(simulator) as emulator:
        yield emulator


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> str:
    """The name of a store."""
    return str(request.param)


@pytest.fixture
def new_location(request: pytest.FixtureRequest, store: str, emulator: ZendeskEmulator, tmp_path: Path) -> NewLocation:
    """Returns an empty destination on the store, a new one at each call."""
    environment = {"AIRFLOW_CONN_ZENDESK_DEFAULT": json.dumps(emulator.connection())}
    fixture = STORES[store]
    if fixture is None:
        numbers = count()
        return lambda: Location((tmp_path / str(next(numbers))).as_uri(), environment)
    server: StoreServer = request.getfixturevalue(fixture)
    return lambda: Location(server.destination(), environment | server.environment)
