"""Fixtures of the warehouses on which every load test runs."""

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from airflow_zendesk.storage import open_store
from airflow_zendesk.storage.store import Store
from airflow_zendesk.warehouse.database import Database
from airflow_zendesk.warehouse.loading import open_warehouse
from tests.support.postgres import server

CONNECTION = "AIRFLOW_CONN_WAREHOUSE"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Start a PostgreSQL server for the tests; return the id of a connection to it."""
    with server() as connection:
        os.environ[CONNECTION] = connection
        yield "warehouse"
        del os.environ[CONNECTION]


@pytest.fixture(params=["duckdb", "postgres"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The `warehouse` argument of the operator."""
    if request.param == "duckdb":
        return f"duckdb://{tmp_path}/warehouse.duckdb"
    return str(request.getfixturevalue("postgres"))


@pytest.fixture
def schema() -> str:
    """The name of a schema that no other test uses."""
    return f"zendesk_{uuid.uuid4().hex[:12]}"


@pytest.fixture
def database(warehouse: str, schema: str) -> Database:
    """An empty warehouse, not yet open."""
    return open_warehouse(warehouse, schema)


@pytest.fixture
def query(warehouse: str, schema: str) -> Callable[[str], list[tuple[object, ...]]]:
    """Return a function that runs one statement in the warehouse; ``$schema`` is the schema of the test."""

    def run(statement: str) -> list[tuple[object, ...]]:
        with open_warehouse(warehouse, schema) as opened, opened.transaction():
            return opened.execute(statement)

    return run


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """The storage of the dataset: an empty folder."""
    folder = tmp_path / "data"
    return open_store(LocalFileSystem(), str(folder), folder.as_uri())
