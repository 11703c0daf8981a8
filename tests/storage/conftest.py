"""The stores that the tests of this folder run on. All of them are real."""

import uuid
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from airflow_zendesk.destination import open_destination
from airflow_zendesk.storage import open_store
from airflow_zendesk.storage.store import Store
from tests.support.stores.servers import StoreServer


@pytest.fixture(params=["moto", "azurite", "gcs"])
def server(request: pytest.FixtureRequest) -> StoreServer:
    """The servers that implement conditional writes."""
    server: StoreServer = request.getfixturevalue(request.param)
    return server


@pytest.fixture(params=["local", "memory", "moto", "azurite", "gcs"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty folder in each kind of store."""
    if request.param == "local":
        return open_destination(tmp_path.as_uri())
    if request.param == "memory":
        folder = f"/{uuid.uuid4()}"
        return open_store(MemoryFileSystem(), folder, f"memory:/{folder}")
    return open_destination(request.getfixturevalue(request.param).destination())
