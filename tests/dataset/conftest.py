"""The stores that every test of a store runs on."""

import uuid
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from airflow_zendesk.dataset.store import Store
from airflow_zendesk.dataset.stores import open_store


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty folder, on a disk and in an object store."""
    if request.param == "local":
        return open_store(LocalFileSystem(), str(tmp_path), tmp_path.as_uri())
    folder = f"/{uuid.uuid4()}"
    return open_store(MemoryFileSystem(), folder, f"memory:/{folder}")


@pytest.fixture
def local_store(tmp_path: Path) -> Store:
    """An empty folder on a disk."""
    return open_store(LocalFileSystem(), str(tmp_path), tmp_path.as_uri())
