"""A load: slices of a dataset into the tables of a warehouse, each in one transaction."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from airflow_zendesk.dataset.settings import load_settings
from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.storage.store import Store
from airflow_zendesk.warehouse.database import Database
from airflow_zendesk.warehouse.ensure_tables import prepare
from airflow_zendesk.warehouse.load_report import LoadReport, SliceLoad
from airflow_zendesk.warehouse.stored_slices import StoredSlice, find_slices
from airflow_zendesk.warehouse.tables import events_table
from airflow_zendesk.window import Slice

_DUCKDB = "duckdb://"


def open_warehouse(warehouse: str, schema: str) -> Database:
    """The warehouse that is meant: ``duckdb:///path/of/a/file``, or the id of a connection to PostgreSQL.

    Raises:
        SettingsError: it is neither.
    """
    # Each is an extra of the package: whoever loads into one need not have the other.
    if warehouse.startswith(_DUCKDB):
        from airflow_zendesk.warehouse.duckdb import DuckDBDatabase  # noqa: PLC0415

        path = Path(warehouse.removeprefix(_DUCKDB))
        if path.is_absolute():
            return DuckDBDatabase(path, schema)
    elif warehouse and "://" not in warehouse:
        from airflow_zendesk.warehouse.postgres import PostgresDatabase  # noqa: PLC0415

        return PostgresDatabase(warehouse, schema)
    raise SettingsError(
        f"The warehouse {warehouse!r} is neither a file like duckdb:///data/zendesk.duckdb nor the id of an Airflow "
        "connection to PostgreSQL."
    )


def load_slices(
    database: Database,
    store: Store,
    resource: str,
    slices: Sequence[Slice],
    on_progress: Callable[[SliceLoad], None] = lambda _: None,
) -> LoadReport:
    """Load slices, in the order given; what was committed before an error stays, and is whole.

    A slice that is in the tables already, by its digest and by the number of its rows, is left alone.

    Args:
        database: the warehouse, not yet open.
        store: where the dataset lies.
        resource: what the dataset holds.
        slices: the slices, of the dataset's own grain.
        on_progress: called after each slice.

    Raises:
        DatasetError: a slice cannot be loaded as it is, or was replaced meanwhile.
        WarehouseError: the warehouse does not take it.
        SettingsError: there is no such dataset.
    """
    settings = load_settings(store, resource)
    found = find_slices(store, settings, slices)
    report = LoadReport(resource, database.name)
    with database:
        prepare(database, settings)
        for stored in found:
            done = _load(database, resource, stored)
            report.slices.append(done)
            on_progress(done)
    return report


def _load(database: Database, resource: str, stored: StoredSlice) -> SliceLoad:
    with database.transaction():
        if _is_loaded(database, resource, stored):
            slice_, footer = stored.slice, stored.footer
            return SliceLoad(slice_.start, slice_.end, stored.uri, footer.digest, "unchanged", footer.rows)
        database.execute(f"CREATE TEMP TABLE new_rows AS SELECT * FROM $schema.{resource} LIMIT 0")
        with stored.batches() as batches:
            nulls_replaced = database.copy_in(events_table(resource), _of_slice(batches, stored.slice.start))
        # Others may fill their own new_rows meanwhile; from here on there is one at a time. Whoever had the lock before
        # may have loaded a newer version of the slice, which this one must not replace.
        database.lock()
        stored.confirm()
        done = _merge(database, resource, stored, nulls_replaced)
        for table in ("new_rows", "touched"):
            database.execute(f"DROP TABLE {table}")
    return done


def _is_loaded(database: Database, resource: str, stored: StoredSlice) -> bool:
    """Whether the ledger has this version of the slice, and the tables have as many rows of it as they should."""
    where = {"resource": resource, "slice_start": stored.slice.start}
    ledger = database.execute(
        "SELECT digest, rows FROM $schema.loaded_slices WHERE resource = :resource AND slice_start = :slice_start",
        **where,
    )
    if ledger != [(stored.footer.digest, stored.footer.rows)]:
        return False
    ((rows,),) = database.execute(
        f"SELECT (SELECT count(*) FROM $schema.{resource} WHERE slice_start = :slice_start) + "
        f"(SELECT count(*) FROM $schema.{resource}_doubles WHERE slice_start = :slice_start)",
        **where,
    )
    return bool(rows == stored.footer.rows)


def _of_slice(batches: Iterator[pa.RecordBatch], start: datetime) -> Iterator[pa.RecordBatch]:
    """The batches with the slice that they belong to, as one more column."""
    for batch in batches:
        instant = pa.scalar(start, pa.timestamp("us", tz="UTC"))
        yield batch.append_column("slice_start", pa.repeat(instant, batch.num_rows))


def _merge(database: Database, resource: str, stored: StoredSlice, nulls_replaced: int) -> SliceLoad:
    """`new_rows` into the tables, and the slice into the ledger."""
    table = events_table(resource)
    columns = ", ".join(database.dialect.name(column.name) for column in table.columns)
    slice_ = stored.slice
    database.run("merge.sql", {"table": resource, "columns": columns}, slice_start=slice_.start)
    children = 0
    if resource == "ticket_events":
        database.run(f"{database.dialect_name}/children.sql", {})
        ((children,),) = database.execute(
            "SELECT count(*) FROM $schema.ticket_child_events WHERE event_id IN (SELECT id FROM new_rows)"
        )
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
    ((doubles,),) = database.execute(
        f"SELECT count(DISTINCT id) FROM $schema.{resource}_doubles WHERE id IN (SELECT id FROM new_rows)"
    )
    unreadable = database.execute(
        "SELECT part, count(*) FROM $schema.unreadable "
        "WHERE resource = :resource AND slice_start = :slice_start GROUP BY part",
        resource=resource,
        slice_start=slice_.start,
    )
    return SliceLoad(
        slice_.start,
        slice_.end,
        stored.uri,
        stored.footer.digest,
        "loaded",
        stored.footer.rows,
        children=children,
        doubles=doubles,
        nulls_replaced=nulls_replaced,
        unreadable=dict(unreadable),
    )
