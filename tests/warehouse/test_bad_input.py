"""What a load refuses: a named error, nothing half done, and the next load right."""

import dataclasses
import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import PIPE
from typing import IO, Any, cast

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airflow_zendesk.dataset.digest import RowDigest
from airflow_zendesk.dataset.layout import slice_key
from airflow_zendesk.dataset.schema import SCHEMA_VERSION
from airflow_zendesk.dataset.settings import DatasetSettings, load_settings
from airflow_zendesk.dataset.slice_file import FOOTER_KEY
from airflow_zendesk.exceptions import (
    AlteredTableError,
    DamagedObjectError,
    DatasetNotFoundError,
    MissingSliceError,
    NewerSchemaError,
    SettingsError,
    SliceChangedError,
    StorageUnavailableError,
    WarehouseMismatchError,
    WarehouseRefusedError,
    WarehouseUnavailableError,
    ZendeskError,
)
from airflow_zendesk.storage.local import LocalStore
from airflow_zendesk.storage.store import Store
from airflow_zendesk.warehouse.database import Database
from airflow_zendesk.warehouse.duckdb import DuckDBDatabase
from airflow_zendesk.warehouse.loading import load_slices, open_warehouse
from airflow_zendesk.warehouse.stored_slices import find_slices
from airflow_zendesk.warehouse.tables import Table
from tests.support.clocks import FakeClock
from tests.support.published import NEXT_DAY, RECORDS, put
from tests.support.slices import DAY, event

Ask = Callable[[str], list[tuple[Any, ...]]]

KEY = slice_key("ticket_events", DAY)


@pytest.fixture
def loaded(database: Database, store: Store) -> Database:
    """A warehouse with a slice of two events."""
    put(store, [event(1), event(2)])
    load_slices(database, store, "ticket_events", [DAY])
    return database


def rewrite(store: Store, change: Callable[[pa.Table], pa.Table], **footer: Any) -> None:
    """Put a slice in place of the day's that its exporter never sealed."""
    table = pq.ParquetFile(store.open(KEY)).read()
    metadata = msgspec.json.decode(table.schema.metadata[FOOTER_KEY]) | footer
    file = io.BytesIO()
    pq.write_table(change(table).replace_schema_metadata({FOOTER_KEY: msgspec.json.encode(metadata)}), file)
    store.put(KEY, file, store.version(KEY))


def refused(database: Database, store: Store, error: type[ZendeskError], reason: str, ask: Ask) -> None:
    """The load is refused for that reason, and nothing has changed."""
    before = ask("SELECT id, digest FROM $schema.ticket_events, $schema.loaded_slices ORDER BY id")
    with pytest.raises(error, match=reason):
        load_slices(database, store, "ticket_events", [DAY])
    assert before == ask("SELECT id, digest FROM $schema.ticket_events, $schema.loaded_slices ORDER BY id")


def test_missing_slices_are_named_before_anything_is_loaded(database: Database, store: Store, ask: Ask) -> None:
    """The first of them, and how many."""
    put(store, [event(1)])
    later = [NEXT_DAY, type(DAY)(NEXT_DAY.end, NEXT_DAY.end + (DAY.end - DAY.start))]
    with pytest.raises(
        MissingSliceError, match=r"20260102T000000Z--20260103T000000Z.parquet \(and 1 more\) is not there"
    ):
        load_slices(database, store, "ticket_events", [DAY, *later])
    assert [(0,)] == ask("SELECT count(*) FROM information_schema.tables WHERE table_schema = '$schema'")


def test_dataset_that_is_not_there_is_told(database: Database, store: Store) -> None:
    """Nothing has been exported to that destination."""
    with pytest.raises(DatasetNotFoundError, match=r"There is no dataset at file://.*/data/ticket_events"):
        load_slices(database, store, "ticket_events", [DAY])


def test_rows_that_were_not_sealed_are_not_loaded(loaded: Database, store: Store, ask: Ask) -> None:
    """A file that lost a row since is damaged, also if it reads well."""
    rewrite(store, lambda table: table.slice(1), digest="sum-sha256:other")
    refused(loaded, store, DamagedObjectError, "it holds 1 rows with digest sum-sha256:", ask)


def test_damaged_file_is_not_loaded(loaded: Database, store: Store, ask: Ask) -> None:
    """Bytes in the middle that the disk made up."""
    put(store, [event(1), event(3)])
    content = bytearray(store.read(KEY) or b"")
    content[100:140] = bytes(40)
    store.put(KEY, io.BytesIO(content), store.version(KEY))
    refused(loaded, store, DamagedObjectError, "it cannot be read|with digest", ask)


def test_slice_of_another_time_is_not_loaded(loaded: Database, store: Store, ask: Ask) -> None:
    """Somebody copied a file to another name."""
    rewrite(store, lambda table: table, start=NEXT_DAY.start.isoformat(), digest="sum-sha256:other")
    refused(loaded, store, DamagedObjectError, "its footer says that it is another slice", ask)


def test_slice_of_a_newer_version_is_not_loaded(loaded: Database, store: Store, ask: Ask) -> None:
    """It may have columns that nobody here knows."""
    rewrite(store, lambda table: table, schema_version="1.9", digest="sum-sha256:other")
    refused(loaded, store, NewerSchemaError, rf"has schema version 1.9, .* knows {SCHEMA_VERSION}", ask)


def test_slice_of_an_older_version_lacks_columns(loaded: Database, store: Store, ask: Ask) -> None:
    """They are null; its digest is that of the columns it has."""
    put(store, [event(3, via="Mail")])
    digest = RowDigest()
    for batch in older(pq.ParquetFile(store.open(KEY)).read()).to_batches():
        digest.update(batch)
    rewrite(store, older, schema_version="0.9", digest=str(digest))
    load_slices(loaded, store, "ticket_events", [DAY])
    assert [(3, "Mail", None, None)] == ask("SELECT id, via, metric, extra FROM $schema.ticket_events")


def older(table: pa.Table) -> pa.Table:
    """The rows as a version before ours might have written them."""
    return table.drop_columns(["extra", "metric"])


def test_slice_replaced_while_it_is_read_is_tried_again(store: Store) -> None:
    """It is another version than the one whose footer was read, so its rows are not what that one says."""
    put(store, [event(1), event(2)])
    (found,) = find_slices(store, load_settings(store, "ticket_events"), [DAY])
    put(store, [event(1), event(3)])
    with pytest.raises(SliceChangedError) as caught, found.batches() as batches:
        list(batches)
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"account": "other.zendesk.com"}, "account is 'acme.zendesk.com', asked for 'other.zendesk.com'"),
        ({"include": ("comment_events",)}, r"include is \(\), asked for \('comment_events',\)"),
        ({"grain": "1h"}, "grain is '1d', asked for '1h'"),
    ],
)
def test_another_dataset_needs_another_schema(
    loaded: Database, store: Store, ask: Ask, tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    """Tables are not half one, half the other."""
    settings: DatasetSettings = msgspec.structs.replace(RECORDS["ticket_events"], **change)
    (tmp_path / "data/_datasets/ticket_events.json").write_bytes(msgspec.json.encode(settings))
    refused(loaded, store, WarehouseMismatchError, told, ask)


def test_other_resource_of_another_account_needs_another_schema(loaded: Database, store: Store, tmp_path: Path) -> None:
    """The tables of a schema are of one account."""
    put(store, [], resource="ticket_metric_events")
    settings = msgspec.structs.replace(RECORDS["ticket_metric_events"], account="other.zendesk.com")
    (tmp_path / "data/_datasets/ticket_metric_events.json").write_bytes(msgspec.json.encode(settings))
    with pytest.raises(WarehouseMismatchError, match=r"account is 'acme\.zendesk\.com', asked for 'other\.zend"):
        load_slices(loaded, store, "ticket_metric_events", [DAY])


def test_version_published_during_a_load_is_not_replaced_by_the_older_one(
    warehouse: str, schema: str, loaded: Database, store: Store, ask: Ask
) -> None:
    """It may be in the tables already, by another load; this one is tried again."""
    put(store, [event(1), event(3)])
    slow = open_warehouse(warehouse, schema)

    class Slow(type(slow)):  # type: ignore[misc]
        def copy_in(self, table: Table, batches: Iterator[pa.RecordBatch]) -> int:
            copied: int = super().copy_in(table, batches)
            put(store, [event(1), event(4)])
            return copied

    slow.__class__ = Slow
    with pytest.raises(SliceChangedError):
        load_slices(slow, store, "ticket_events", [DAY])
    assert [(1,), (2,)] == ask("SELECT id FROM $schema.ticket_events ORDER BY id")
    load_slices(loaded, store, "ticket_events", [DAY])
    assert [(1,), (4,)] == ask("SELECT id FROM $schema.ticket_events ORDER BY id")


def test_fault_of_the_store_is_no_damage(store: Store, tmp_path: Path) -> None:
    """It is left as it is, for the next try; a slice that was replaced under it is told."""
    put(store, [event(1)])
    (found,) = find_slices(store, load_settings(store, "ticket_events"), [DAY])
    path = tmp_path / "data" / KEY
    path.rename(tmp_path / "elsewhere")
    with pytest.raises(SliceChangedError), found.batches():
        pass
    broken = dataclasses.replace(found, store=Broken(store._fs, store._root, store._uri))
    (tmp_path / "elsewhere").rename(path)
    with pytest.raises(StorageUnavailableError), broken.batches():
        pass


class Reset(io.RawIOBase):
    """An answer that breaks off."""

    def read(self, size: int = -1) -> bytes:  # noqa: ARG002
        """Not this time."""
        raise ConnectionResetError


class Broken(LocalStore):
    """A store that answers so."""

    def open(self, key: str) -> IO[bytes]:  # noqa: ARG002
        """An object, opened for reading."""
        return cast("IO[bytes]", Reset())


@pytest.mark.parametrize(
    ("alteration", "told"),
    [
        ("ALTER TABLE $schema.ticket_events DROP COLUMN extra", "it has no column extra"),
        ("ALTER TABLE $schema.ticket_events ALTER COLUMN metric TYPE varchar(9)", "its column metric is "),
        (
            "DROP TABLE $schema.ticket_events_doubles",
            "ticket_events_doubles in .* is not as the loads left it: it is gone",
        ),
    ],
)
def test_table_that_somebody_altered_is_told(
    loaded: Database, store: Store, ask: Ask, alteration: str, told: str
) -> None:
    """What is wrong with it, in which table."""
    if loaded.dialect_name == "duckdb":
        # There a text has no length, and a column of a table that a view reads can be dropped.
        alteration = alteration.replace("varchar(9)", "integer")
    else:
        ask("DROP VIEW $schema.unreadable, $schema.ticket_comments, $schema.ticket_field_history")
    ask(alteration)
    with pytest.raises(AlteredTableError, match=told):
        load_slices(loaded, store, "ticket_events", [DAY])


def test_columns_of_a_newer_version_are_added(loaded: Database, store: Store, ask: Ask) -> None:
    """To the tables that an older version made; the rows that are there have none of it. A user's column stays."""
    if loaded.dialect_name == "postgres":
        ask("DROP VIEW $schema.unreadable, $schema.ticket_comments, $schema.ticket_field_history")
    ask("ALTER TABLE $schema.ticket_events DROP COLUMN metric")
    ask("ALTER TABLE $schema.ticket_events ADD COLUMN mine integer")
    ask("UPDATE $schema.loaded_datasets SET schema_version = '0.9', views = ''")
    put(store, [event(1), event(2, metric="m")])
    load_slices(loaded, store, "ticket_events", [DAY])
    assert [(1, None, None), (2, "m", None)] == ask("SELECT id, metric, mine FROM $schema.ticket_events ORDER BY id")
    assert [(SCHEMA_VERSION,)] == ask("SELECT schema_version FROM $schema.loaded_datasets")
    assert [(0,)] == ask("SELECT count(*) FROM $schema.unreadable")


def test_tables_of_a_newer_version_are_left_alone(loaded: Database, store: Store, ask: Ask) -> None:
    """This version would leave columns empty that it does not know."""
    ask("UPDATE $schema.loaded_datasets SET schema_version = '1.9'")
    put(store, [event(1)])
    refused(loaded, store, WarehouseMismatchError, "schema_version is '1.9'", ask)


def test_exception_in_the_middle_rolls_back(
    warehouse: str, schema: str, loaded: Database, store: Store, ask: Ask
) -> None:
    """A timeout of the task, say; the next load is right."""
    put(store, [event(1), event(3)])
    interrupted = open_warehouse(warehouse, schema)

    class Interrupted(type(interrupted)):  # type: ignore[misc]
        def copy_in(self, table: Table, batches: Iterator[pa.RecordBatch]) -> int:
            super().copy_in(table, batches)
            raise KeyboardInterrupt

    interrupted.__class__ = Interrupted
    with pytest.raises(KeyboardInterrupt):
        load_slices(interrupted, store, "ticket_events", [DAY])
    assert [(1,), (2,)] == ask("SELECT id FROM $schema.ticket_events ORDER BY id")
    load_slices(loaded, store, "ticket_events", [DAY])
    assert [(1,), (3,)] == ask("SELECT id FROM $schema.ticket_events ORDER BY id")


def test_refused_statement_is_told_without_its_sentence(warehouse: str, schema: str) -> None:
    """Which may quote a row."""
    with (
        pytest.raises(WarehouseRefusedError) as caught,
        open_warehouse(warehouse, schema) as opened,
        opened.transaction(),
    ):
        opened.execute("SELECT CAST('a secret' AS integer)")
    assert "secret" not in str(caught.value)
    assert caught.value.code in ("InvalidTextRepresentation (22P02)", "ConversionException")


@pytest.mark.parametrize("name", ["Zendesk", "a-b", "a.b", "", "1a", "a" * 64])
def test_schema_is_a_plain_name(warehouse: str, name: str) -> None:
    """So that it needs no quotes anywhere."""
    with pytest.raises(SettingsError, match="is no plain name"):
        open_warehouse(warehouse, name)


@pytest.mark.parametrize("warehouse", ["", "duckdb://relative.duckdb", "mysql://host/db", "duckdb://"])
def test_warehouse_is_a_file_or_a_connection(warehouse: str) -> None:
    """Anything else is told."""
    with pytest.raises(SettingsError, match=r"is neither a file like duckdb:///data/zendesk\.duckdb nor"):
        open_warehouse(warehouse, "zendesk")


def test_postgres_that_is_down_is_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody listens there."""
    monkeypatch.setenv("AIRFLOW_CONN_DOWN", f'{{"conn_type": "postgres", "host": "{tmp_path}", "login": "a"}}')
    with (
        pytest.raises(WarehouseUnavailableError, match=r"down is not available: .*No such file or directory"),
        open_warehouse("down", "zendesk"),
    ):
        pass


def test_connection_that_is_not_there_is_told() -> None:
    """With its id."""
    with (
        pytest.raises(SettingsError, match="There is no connection 'nobody' to load into"),
        open_warehouse("nobody", "zendesk"),
    ):
        pass


def test_server_that_ends_the_connection_is_tried_again(postgres: str, schema: str) -> None:
    """As it does when it is shut down."""
    with (
        pytest.raises(WarehouseUnavailableError, match="it broke off"),
        open_warehouse(postgres, schema) as opened,
        opened.transaction(),
    ):
        opened.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def test_file_that_another_process_holds_is_waited_for(tmp_path: Path) -> None:
    """For as long as there is patience; then it is told, and can be tried again."""
    path, waits = tmp_path / "warehouse.duckdb", FakeClock()
    script = f"import duckdb, sys; held = duckdb.connect({str(path)!r}); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=PIPE, stdout=PIPE, text=True) as holder:
        assert holder.stdout
        assert "held\n" == holder.stdout.readline()
        with (
            pytest.raises(WarehouseUnavailableError, match="another process has had it open for 3 s"),
            DuckDBDatabase(path, "zendesk", patience=3, sleep=waits.sleep),
        ):
            pass

        def let_go(seconds: float) -> None:
            waits.sleep(seconds)
            holder.communicate()

        with DuckDBDatabase(path, "zendesk", patience=3, sleep=let_go) as opened, opened.transaction():
            assert [(1,)] == opened.execute("SELECT 1")
    assert 3.25 == waits.now


def test_second_load_of_a_process_waits_for_the_first(tmp_path: Path) -> None:
    """One at a time, and no longer than there is patience."""
    path = tmp_path / "warehouse.duckdb"
    with (
        DuckDBDatabase(path, "zendesk"),
        pytest.raises(WarehouseUnavailableError, match="another load of this process has it open"),
        DuckDBDatabase(path, "zendesk", patience=0),
    ):
        pass


def test_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    """And left alone."""
    path = tmp_path / "warehouse.duckdb"
    path.write_text("no database, but somebody's notes, long enough to have a header of one" * 100)
    with pytest.raises(WarehouseRefusedError, match="IOException"), DuckDBDatabase(path, "zendesk"):
        pass
    assert path.read_text().startswith("no database")
