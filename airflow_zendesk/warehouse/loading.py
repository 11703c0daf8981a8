"""Loads slices of a dataset into the tables of a warehouse, each slice in one transaction."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from airflow_zendesk.dataset.settings import load_settings
from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.storage.store import Store
from airflow_zendesk.warehouse.database import Database
from airflow_zendesk.warehouse.ensure_tables import ensure_tables
from airflow_zendesk.warehouse.load_report import LoadReport, SliceLoad
from airflow_zendesk.warehouse.shape import create_shape
from airflow_zendesk.warehouse.stored_slices import StoredSlice, find_slices
from airflow_zendesk.warehouse.tables import events_table
from airflow_zendesk.window import Slice
from airflow_zendesk.zendesk.resources import RESOURCES

_DUCKDB = "duckdb://"
#: Which of two rows with one id is the later one.
_ORDER_OF_EVENTS = {"is_later": "d.slice_start > :slice_start", "latest_first": "slice_start DESC"}
_ORDER_OF_STATES = {
    "is_later": '(d."timestamp", d.slice_start) > (n."timestamp", n.slice_start)',
    "latest_first": '"timestamp" DESC, slice_start DESC',
}


def open_warehouse(warehouse: str, schema: str, *, read_only: bool = False) -> Database:
    """Return the warehouse at ``duckdb:///path/of/a/file``, or of an Airflow connection to PostgreSQL.

    A DuckDB file that is only read is not created, and is given up soon if a load has it open.

    Raises:
        SettingsError: it is neither, or its client is not installed.
    """
    if not isinstance(warehouse, str):
        raise SettingsError(f"The warehouse is of the type {type(warehouse).__name__}. Use a text.")
    if not warehouse:
        raise SettingsError(
            "The warehouse is empty. Set it to a file like duckdb:///data/warehouse.duckdb, or to the id of an Airflow "
            "connection to PostgreSQL; the DAGs of this package read it from the Airflow Variable zendesk_warehouse."
        )
    # Each driver is an extra of the package: a load into one database does not need the other's.
    if warehouse.startswith(_DUCKDB):
        with _client_of("duckdb"):
            from airflow_zendesk.warehouse.duckdb import DuckDBDatabase  # noqa: PLC0415
        path = _duckdb_path(warehouse)
        if path.is_absolute():
            return (
                DuckDBDatabase(path, schema, read_only=True, lock_timeout=2)
                if read_only
                else DuckDBDatabase(path, schema)
            )
    elif "://" not in warehouse and not warehouse.startswith("/"):
        with _client_of("postgres"):
            from airflow_zendesk.warehouse.postgres import PostgresDatabase  # noqa: PLC0415
        return PostgresDatabase(warehouse, schema)
    raise SettingsError(
        f"The warehouse {_without_password(warehouse)!r} is not valid. Use a file like "
        "duckdb:///data/warehouse.duckdb, with an absolute path, or the id of an Airflow connection to PostgreSQL."
    )


@contextmanager
def _client_of(extra: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise SettingsError(
            f"The client of the warehouse is not installed ({error.name}). Install it: pip install "
            f"'airflow-zendesk[{extra}]'."
        ) from None


def _duckdb_path(warehouse: str) -> Path:
    path = Path(warehouse.removeprefix(_DUCKDB))
    if path.name == ":memory:":
        raise SettingsError(
            f"The warehouse {warehouse!r} would be lost at the end of the task. Use a file like "
            "duckdb:///data/warehouse.duckdb."
        )
    if "\\" in warehouse:
        raise SettingsError(
            f"The warehouse {warehouse!r} has a backslash, which DuckDB reads as a slash. Use a path without one."
        )
    return path


def _without_password(warehouse: str) -> str:
    """A warehouse for messages, because a URL may contain a password."""
    return re.sub(r"//[^/]*@", "//***@", warehouse)


def load_slices(
    database: Database,
    store: Store,
    resource: str,
    slices: Sequence[Slice],
    shape: str | None = None,
    on_progress: Callable[[SliceLoad], None] = lambda _: None,
) -> LoadReport:
    """Load slices in the given order. Slices that were committed before an error stay loaded.

    A slice is skipped if the ledger has its digest and the tables have all of its rows.

    Args:
        database: the warehouse, not yet open.
        store: the storage of the dataset.
        resource: the resource of the dataset.
        slices: the slices to load, of the dataset's grain.
        shape: the shape of further views to create: ``fivetran`` or None.
        on_progress: called after each slice.

    Raises:
        DatasetError: a slice cannot be loaded, or was replaced during the load.
        WarehouseError: the warehouse rejected the load or is not available.
        SettingsError: there is no such dataset.
    """
    settings = load_settings(store, resource)
    found = find_slices(store, settings, slices)
    report = LoadReport(resource, database.name)
    with database:
        ensure_tables(database, settings)
        if shape is not None:
            create_shape(database, shape)
        for stored in found:
            result = _load(database, resource, stored)
            report.slices.append(result)
            on_progress(result)
    return report


def _load(database: Database, resource: str, stored: StoredSlice) -> SliceLoad:
    with database.transaction():
        if _is_loaded(database, resource, stored):
            slice_, footer = stored.slice, stored.footer
            return SliceLoad(
                start=slice_.start,
                end=slice_.end,
                uri=stored.uri,
                digest=footer.digest,
                outcome="unchanged",
                rows=footer.rows,
            )
        database.execute(f"CREATE TEMP TABLE new_rows AS SELECT * FROM $schema.{resource} LIMIT 0")
        with stored.batches() as batches:
            nul_characters = database.copy_rows(events_table(resource), _with_slice_start(batches, stored.slice.start))
        # Concurrent loads fill their own new_rows; from here on, one load runs at a time. The load before this one
        # may have loaded a newer version of the slice, which this load must not replace.
        database.lock()
        stored.check_unchanged()
        result = _merge(database, resource, stored, nul_characters)
        for table in ("new_rows", "affected_ids"):
            database.execute(f"DROP TABLE {table}")
    return result


def _is_loaded(database: Database, resource: str, stored: StoredSlice) -> bool:
    """Whether the ledger has this version of the slice, and the tables have all of its rows."""
    where = {"resource": resource, "slice_start": stored.slice.start}
    ledger = database.execute(
        "SELECT digest, rows FROM $schema.loaded_slices WHERE resource = :resource AND slice_start = :slice_start",
        **where,
    )
    if ledger != [(stored.footer.digest, stored.footer.rows)]:
        return False
    ((rows,),) = database.execute(
        f"SELECT (SELECT count(*) FROM $schema.{resource} WHERE slice_start = :slice_start) + "
        f"(SELECT count(*) FROM $schema.{resource}_duplicates WHERE slice_start = :slice_start)",
        **where,
    )
    return bool(rows == stored.footer.rows)


def _with_slice_start(batches: Iterator[pa.RecordBatch], start: datetime) -> Iterator[pa.RecordBatch]:
    """Add the start of the slice to the batches, as a column."""
    for batch in batches:
        instant = pa.scalar(start, pa.timestamp("us", tz="UTC"))
        yield batch.append_column("slice_start", pa.repeat(instant, batch.num_rows))


def _merge(database: Database, resource: str, stored: StoredSlice, nul_characters: int) -> SliceLoad:
    """Move ``new_rows`` into the tables, and record the slice in the ledger."""
    table = events_table(resource)
    columns = ", ".join(database.dialect.name(column.name) for column in table.columns)
    slice_ = stored.slice
    order = _ORDER_OF_STATES if RESOURCES[resource].is_state else _ORDER_OF_EVENTS
    database.run("merge.sql", {"table": resource, "columns": columns, **order}, slice_start=slice_.start)
    children = 0
    if resource == "ticket_events":
        ((children,),) = database.run(f"{database.dialect_name}/children.sql", {})
    database.run(
        "ledger.sql",
        {},
        resource=resource,
        slice_start=slice_.start,
        slice_end=slice_.end,
        uri=stored.uri,
        digest=stored.footer.digest,
        rows=stored.footer.rows,
        loaded_at=datetime.now(UTC),
    )
    ((duplicates,),) = database.execute(
        f"SELECT count(DISTINCT id) FROM $schema.{resource}_duplicates WHERE id IN (SELECT id FROM new_rows)"
    )
    unreadable = database.execute(
        "SELECT part, count(*) FROM $schema.unreadable "
        "WHERE resource = :resource AND slice_start = :slice_start GROUP BY part",
        resource=resource,
        slice_start=slice_.start,
    )
    return SliceLoad(
        start=slice_.start,
        end=slice_.end,
        uri=stored.uri,
        digest=stored.footer.digest,
        outcome="loaded",
        rows=stored.footer.rows,
        children=children,
        duplicates=duplicates,
        nul_characters_replaced=nul_characters,
        unreadable=dict(unreadable),
    )
