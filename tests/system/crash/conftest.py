"""The stores on which processes are killed, and the desk that they export from."""

import json
import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_zendesk.emulator import ZendeskEmulator
from tests.system.crash.desk import LateSimulator
from tests.system.crash.jobs import Place

if TYPE_CHECKING:
    from tests.support.stores.servers import StoreServer

#: The stores, by the names of the fixtures that start them.
STORES = {"local": None, "S3": "moto", "Azure": "azurite"}

#: Whether there is time for everything: each step of each store.
ALL = os.environ.get("CRASH") == "all"

NewPlace = Callable[[], Place]


@pytest.fixture(scope="session")
def world() -> LateSimulator:
    """A desk of about forty events an hour."""
    return LateSimulator(events_per_day=1_000)


@pytest.fixture(scope="session")
def emulator(world: LateSimulator) -> Iterator[ZendeskEmulator]:
    """A local Zendesk."""
    with ZendeskEmulator(world) as emulator:
        yield emulator


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> str:
    """The name of a store."""
    return str(request.param)


@pytest.fixture
def new_place(request: pytest.FixtureRequest, store: str, emulator: ZendeskEmulator, tmp_path: Path) -> NewPlace:
    """Gives an empty destination on the store, as often as it is called."""
    environment = {"AIRFLOW_CONN_ZENDESK_DEFAULT": json.dumps(emulator.connection())}
    fixture = STORES[store]
    if fixture is None:
        numbers = count()
        return lambda: Place((tmp_path / str(next(numbers))).as_uri(), environment)
    server: StoreServer = request.getfixturevalue(fixture)
    return lambda: Place(server.destination(), environment | server.environment)
