"""The warehouses that every test of a load runs on."""

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
    """The id of a connection to a PostgreSQL that is there for the tests alone."""
    with server() as connection:
        os.environ[CONNECTION] = connection
        yield "warehouse"
        del os.environ[CONNECTION]


@pytest.fixture(params=["duckdb", "postgres"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """How a task would be told of the warehouse."""
    if request.param == "duckdb":
        return f"duckdb://{tmp_path}/warehouse.duckdb"
    return str(request.getfixturevalue("postgres"))


@pytest.fixture
def schema() -> str:
    """A schema that no other test uses."""
    return f"zendesk_{uuid.uuid4().hex[:12]}"


@pytest.fixture
def database(warehouse: str, schema: str) -> Database:
    """The warehouse, empty and not yet open."""
    return open_warehouse(warehouse, schema)


@pytest.fixture
def ask(warehouse: str, schema: str) -> Callable[[str], list[tuple[object, ...]]]:
    """A look into the warehouse: the rows of a query, in which ``$schema`` is ours."""

    def query(statement: str) -> list[tuple[object, ...]]:
        with open_warehouse(warehouse, schema) as opened, opened.transaction():
            return opened.execute(statement)

    return query


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty folder for the dataset."""
    folder = tmp_path / "data"
    return open_store(LocalFileSystem(), str(folder), folder.as_uri())
