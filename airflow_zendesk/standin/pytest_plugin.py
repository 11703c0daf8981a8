"""A stand-in for your own tests: `pytest_plugins = ["airflow_zendesk.standin.pytest_plugin"]` in `conftest.py`."""

from collections.abc import Iterator

import pytest

from airflow_zendesk.standin.server import Standin
from airflow_zendesk.standin.world import World


@pytest.fixture
def zendesk_standin() -> Iterator[Standin]:
    """A running stand-in, the same support desk in every test."""
    with Standin(World(seed=1)) as standin:
        yield standin
