"""An emulator for your own tests: `pytest_plugins = ["airflow_zendesk.emulator.pytest_plugin"]` in `conftest.py`."""

from collections.abc import Iterator

import pytest

from airflow_zendesk.emulator.server import ZendeskEmulator
from airflow_zendesk.emulator.simulator import Simulator


@pytest.fixture
def zendesk_emulator() -> Iterator[ZendeskEmulator]:
    """A running emulator, with the same simulated events in every test."""
    with ZendeskEmulator(Simulator(seed=1)) as emulator:
        yield emulator
