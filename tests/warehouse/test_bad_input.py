"""What a load rejects: each case is a named error, changes nothing, and leaves the next load correct."""

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
from airflow_zendesk.dataset.settings import DatasetSettings, load_settings, to_json
from airflow_zendesk.dataset.slice_file import FOOTER_KEY
from airflow_zendesk.destination import open_destination
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

Query = Callable[[str], list[tuple[Any, ...]]]

KEY = slice_key("ticket_events", DAY)


@pytest.fixture
def loaded(database: Database, store: Store) -> Database:
    """A warehouse with one slice of two events."""
    put(store, [event(1), event(2)])
    load_slices(database, store, "ticket_events", [DAY])
    return database


def rewrite(store: Store, change: Callable[[pa.Table], pa.Table], **footer: Any) -> None:
    """Replace the slice of the day by one that no exporter sealed."""
    table = pq.ParquetFile(store.open(KEY)).read()
    metadata = msgspec.json.decode(table.schema.metadata[FOOTER_KEY]) | footer
    file = io.BytesIO()
    pq.write_table(change(table).replace_schema_metadata({FOOTER_KEY: msgspec.json.encode(metadata)}), file)
    store.put(KEY, file, store.version(KEY))


def load_fails(database: Database, store: Store, error: type[ZendeskError], reason: str, query: Query) -> None:
    """Check that the load fails for this reason and changes nothing."""
    before = query("SELECT id, digest FROM $schema.ticket_events, $schema.loaded_slices ORDER BY id")
    with pytest.raises(error, match=reason):
        load_slices(database, store, "ticket_events", [DAY])
    assert before == query("SELECT id, digest FROM $schema.ticket_events, $schema.loaded_slices ORDER BY id")


def test_missing_slices_are_reported_before_anything_is_loaded(database: Database, store: Store, query: Query) -> None:
    """The error has the first of them, and the number of the others."""
    put(store, [event(1)])
    later = [NEXT_DAY, type(DAY)(NEXT_DAY.end, NEXT_DAY.end + (DAY.end - DAY.start))]
    with pytest.raises(
        MissingSliceError, match=r"20260102T000000Z--20260103T000000Z.parquet \(and 1 more\) is not in storage"
    ):
        load_slices(database, store, "ticket_events", [DAY, *later])
    assert [(0,)] == query("SELECT count(*) FROM information_schema.tables WHERE table_schema = '$schema'")


def test_missing_dataset_is_reported(database: Database, store: Store) -> None:
    """Nothing has been exported to the destination."""
    with pytest.raises(DatasetNotFoundError, match=r"There is no dataset at file://.*/data/ticket_events"):
        load_slices(database, store, "ticket_events", [DAY])


def test_rows_that_do_not_match_the_footer_are_not_loaded(loaded: Database, store: Store, query: Query) -> None:
    """A readable file that has lost a row is damaged."""
    rewrite(store, lambda table: table.slice(1), digest="sum-sha256:other")
    load_fails(loaded, store, DamagedObjectError, "it has 1 row with digest sum-sha256:", query)


def test_damage_that_is_found_at_the_end_rolls_a_load_back(loaded: Database, store: Store, query: Query) -> None:
    """The digest is known after the last of several batches, when the others have been sent."""
    put(store, [event(id_, timestamp=DAY.start_time + 3 * id_) for id_ in range(1, 25_001)])
    rewrite(store, lambda table: table, digest="sum-sha256:other")
    load_fails(loaded, store, DamagedObjectError, "it has 25,000 rows with digest sum-sha256:", query)


def test_damaged_file_is_not_loaded(loaded: Database, store: Store, query: Query) -> None:
    """Some bytes of the first column have changed."""
    put(store, [event(1), event(3)])
    content = bytearray(store.read(KEY) or b"")
    content[50:90] = bytes(40)
    store.put(KEY, io.BytesIO(content), store.version(KEY))
    load_fails(loaded, store, DamagedObjectError, "it cannot be read|with digest", query)


def test_slice_of_another_day_is_not_loaded(loaded: Database, store: Store, query: Query) -> None:
    """The file was copied to another key."""
    rewrite(store, lambda table: table, start=NEXT_DAY.start.isoformat(), digest="sum-sha256:other")
    load_fails(loaded, store, DamagedObjectError, "its footer describes another slice", query)


def test_slice_of_a_newer_schema_version_is_not_loaded(loaded: Database, store: Store, query: Query) -> None:
    """It may have columns that this version does not know."""
    rewrite(store, lambda table: table, schema_version="1.9", digest="sum-sha256:other")
    load_fails(loaded, store, NewerSchemaError, rf"has schema version 1.9, .* supports {SCHEMA_VERSION}", query)


def test_slice_of_an_older_schema_version_is_loaded(loaded: Database, store: Store, query: Query) -> None:
    """Columns it does not have are null. Its digest covers the columns it has."""
    put(store, [event(3, via="Mail")])
    digest = RowDigest()
    for batch in older(pq.ParquetFile(store.open(KEY)).read()).to_batches():
        digest.update(batch)
    rewrite(store, older, schema_version="0.9", digest=str(digest))
    load_slices(loaded, store, "ticket_events", [DAY])
    assert [(3, "Mail", None, None)] == query("SELECT id, via, metric, extra FROM $schema.ticket_events")


def older(table: pa.Table) -> pa.Table:
    """Remove columns, as if an earlier version had written the rows."""
    return table.drop_columns(["extra", "metric"])


def test_slice_replaced_while_it_is_read_is_retried(store: Store) -> None:
    """The footer was read from another version than the rows."""
    put(store, [event(1), event(2)])
    (found,) = find_slices(store, load_settings(store, "ticket_events"), [DAY])
    put(store, [event(1), event(3)])
    with pytest.raises(SliceChangedError) as caught, found.batches() as batches:
        list(batches)
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"account": "other.zendesk.com"}, "account is 'acme.zendesk.com', requested 'other.zendesk.com'"),
        ({"include": ("comment_events",)}, r"include is \(\), requested \('comment_events',\)"),
        ({"grain": "1h"}, "grain is '1d', requested '1h'"),
    ],
)
def test_another_dataset_needs_another_schema(
    loaded: Database, store: Store, query: Query, tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    """The tables of a schema belong to one dataset."""
    settings: DatasetSettings = msgspec.structs.replace(RECORDS["ticket_events"], **change)
    (tmp_path / "data/_datasets/ticket_events.json").write_bytes(to_json(settings))
    load_fails(loaded, store, WarehouseMismatchError, reason, query)


def test_another_resource_of_another_account_needs_another_schema(
    loaded: Database, store: Store, tmp_path: Path
) -> None:
    """The tables of a schema belong to one account."""
    put(store, [], resource="ticket_metric_events")
    settings = msgspec.structs.replace(RECORDS["ticket_metric_events"], account="other.zendesk.com")
    (tmp_path / "data/_datasets/ticket_metric_events.json").write_bytes(to_json(settings))
    with pytest.raises(WarehouseMismatchError, match=r"account is 'acme\.zendesk\.com', requested 'other\.zend"):
        load_slices(loaded, store, "ticket_metric_events", [DAY])


def test_load_does_not_replace_a_version_published_meanwhile(
    warehouse: str, schema: str, loaded: Database, store: Store, query: Query
) -> None:
    """Another load may have loaded the newer version; this load is retried."""
    put(store, [event(1), event(3)])
    slow = open_warehouse(warehouse, schema)

    class Slow(type(slow)):  # type: ignore[misc]
        def copy_rows(self, table: Table, batches: Iterator[pa.RecordBatch]) -> int:
            copied: int = super().copy_rows(table, batches)
            put(store, [event(1), event(4)])
            return copied

    slow.__class__ = Slow
    with pytest.raises(SliceChangedError):
        load_slices(slow, store, "ticket_events", [DAY])
    assert [(1,), (2,)] == query("SELECT id FROM $schema.ticket_events ORDER BY id")
    load_slices(loaded, store, "ticket_events", [DAY])
    assert [(1,), (4,)] == query("SELECT id FROM $schema.ticket_events ORDER BY id")


def test_storage_failure_is_not_reported_as_damage(store: Store, tmp_path: Path) -> None:
    """It is retryable. A slice that was replaced during the failure is reported as changed."""
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
    """A file whose connection is reset."""

    def read(self, size: int = -1) -> bytes:  # noqa: ARG002
        """Fail."""
        raise ConnectionResetError


class Broken(LocalStore):
    """A store whose files fail."""

    def open(self, key: str) -> IO[bytes]:  # noqa: ARG002
        """Open an object for reading."""
        return cast("IO[bytes]", Reset())


@pytest.mark.parametrize(
    ("alteration", "reason"),
    [
        ("ALTER TABLE $schema.ticket_events DROP COLUMN extra", "it has no column extra"),
        ("ALTER TABLE $schema.ticket_events ALTER COLUMN metric TYPE varchar(9)", "its column metric is "),
        (
            "DROP TABLE $schema.ticket_events_duplicates",
            "ticket_events_duplicates in .* was changed since the last load: it is missing",
        ),
    ],
)
def test_altered_table_is_reported(loaded: Database, store: Store, query: Query, alteration: str, reason: str) -> None:
    """The error has the table and what is wrong with it."""
    if loaded.dialect_name == "duckdb":
        # DuckDB's text types have no length, and it can drop a column that a view reads.
        alteration = alteration.replace("varchar(9)", "integer")
    else:
        query("DROP VIEW $schema.unreadable, $schema.ticket_comments, $schema.ticket_field_history")
    query(alteration)
    with pytest.raises(AlteredTableError, match=reason):
        load_slices(loaded, store, "ticket_events", [DAY])


def test_columns_of_a_newer_version_are_added(loaded: Database, store: Store, query: Query) -> None:
    """Existing rows have null in the new columns. A column that a user added stays."""
    if loaded.dialect_name == "postgres":
        query("DROP VIEW $schema.unreadable, $schema.ticket_comments, $schema.ticket_field_history")
    query("ALTER TABLE $schema.ticket_events DROP COLUMN metric")
    query("ALTER TABLE $schema.ticket_events ADD COLUMN mine integer")
    query("UPDATE $schema.loaded_datasets SET schema_version = '0.9', views = ''")
    put(store, [event(1), event(2, metric="m")])
    load_slices(loaded, store, "ticket_events", [DAY])
    assert [(1, None, None), (2, "m", None)] == query("SELECT id, metric, mine FROM $schema.ticket_events ORDER BY id")
    assert [(SCHEMA_VERSION,)] == query("SELECT schema_version FROM $schema.loaded_datasets")
    assert [(0,)] == query("SELECT count(*) FROM $schema.unreadable")


def test_tables_of_a_newer_version_are_not_changed(loaded: Database, store: Store, query: Query) -> None:
    """This version would leave columns empty that it does not know."""
    query("UPDATE $schema.loaded_datasets SET schema_version = '1.9'")
    put(store, [event(1)])
    load_fails(loaded, store, WarehouseMismatchError, "schema_version is '1.9'", query)
    # Another major version may record the settings in a form that this version cannot read.
    query("""UPDATE $schema.loaded_datasets SET schema_version = '2.0', record = '{"grain": {"days": 1}}'""")
    load_fails(loaded, store, WarehouseMismatchError, "schema_version is '2.0'", query)


def test_exception_during_a_load_rolls_back(
    warehouse: str, schema: str, loaded: Database, store: Store, query: Query
) -> None:
    """For example a timeout of the task; the next load succeeds."""
    put(store, [event(1), event(3)])
    interrupted = open_warehouse(warehouse, schema)

    class Interrupted(type(interrupted)):  # type: ignore[misc]
        def copy_rows(self, table: Table, batches: Iterator[pa.RecordBatch]) -> int:
            super().copy_rows(table, batches)
            raise KeyboardInterrupt

    interrupted.__class__ = Interrupted
    with pytest.raises(KeyboardInterrupt):
        load_slices(interrupted, store, "ticket_events", [DAY])
    assert [(1,), (2,)] == query("SELECT id FROM $schema.ticket_events ORDER BY id")
    load_slices(loaded, store, "ticket_events", [DAY])
    assert [(1,), (3,)] == query("SELECT id FROM $schema.ticket_events ORDER BY id")


def test_error_about_a_value_hides_the_value(warehouse: str, schema: str) -> None:
    """The message of the database may quote a row."""
    with (
        pytest.raises(WarehouseRefusedError) as caught,
        open_warehouse(warehouse, schema) as opened,
        opened.transaction(),
    ):
        opened.execute("SELECT CAST('a secret' AS integer)")
    assert "secret" not in str(caught.value)
    assert caught.value.reason is None
    assert caught.value.code in ("InvalidTextRepresentation (22P02)", "ConversionException")


@pytest.mark.parametrize("name", ["Zendesk", "a-b", "a.b", "", "1a", "a" * 64])
def test_schema_must_be_a_plain_name(warehouse: str, name: str) -> None:
    """Other names would need quotes in every query."""
    with pytest.raises(SettingsError, match="is not a plain name"):
        open_warehouse(warehouse, name)


@pytest.mark.parametrize(
    "warehouse", ["", "duckdb://relative.duckdb", "mysql://host/db", "duckdb://", "/data/a.duckdb"]
)
def test_warehouse_must_be_a_file_or_a_connection(warehouse: str) -> None:
    """Anything else is rejected."""
    with pytest.raises(
        SettingsError, match=r"is (not valid|empty)\. (Use|Set it to) a file like duckdb:///data/warehouse\.duckdb"
    ):
        open_warehouse(warehouse, "zendesk")


@pytest.mark.parametrize(
    ("warehouse", "client", "extra"), [("duckdb:///data/a.duckdb", "duckdb", "duckdb"), ("db", "psycopg", "postgres")]
)
def test_missing_client_is_named_with_the_extra_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, warehouse: str, client: str, extra: str
) -> None:
    """A load would otherwise be retried for nothing, with the traceback of an import."""
    monkeypatch.setitem(sys.modules, client, None)
    monkeypatch.delitem(sys.modules, f"airflow_zendesk.warehouse.{extra}", raising=False)
    message = rf"not installed \({client}\)\. Install it: pip install 'airflow-zendesk\[{extra}\]'\."
    with pytest.raises(SettingsError, match=message):
        open_warehouse(warehouse, "zendesk")


def test_postgres_that_is_down_is_retried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No server has the socket open."""
    monkeypatch.setenv("AIRFLOW_CONN_DOWN", f'{{"conn_type": "postgres", "host": "{tmp_path}", "login": "a"}}')
    with (
        pytest.raises(WarehouseUnavailableError, match=r"down is not available: .*No such file or directory"),
        open_warehouse("down", "zendesk"),
    ):
        pass


def test_missing_connection_is_reported() -> None:
    """The error has the connection's id."""
    with (
        pytest.raises(SettingsError, match="The Airflow connection 'nobody' does not exist"),
        open_warehouse("nobody", "zendesk"),
    ):
        pass


def test_lost_connection_is_retried(postgres: str, schema: str) -> None:
    """A server closes its connections when it shuts down."""
    with (
        pytest.raises(WarehouseUnavailableError, match="the connection was lost"),
        open_warehouse(postgres, schema) as opened,
        opened.transaction(),
    ):
        opened.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def test_load_waits_for_another_process_to_close_the_file(tmp_path: Path) -> None:
    """After the timeout it fails with an error that is retryable."""
    path, waits = tmp_path / "warehouse.duckdb", FakeClock()
    script = f"import duckdb, sys; held = duckdb.connect({str(path)!r}); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=PIPE, stdout=PIPE, text=True) as holder:
        assert holder.stdout
        assert "held\n" == holder.stdout.readline()
        with (
            pytest.raises(WarehouseUnavailableError, match="another process has had it open for 3 s"),
            DuckDBDatabase(path, "zendesk", lock_timeout=3, sleep=waits.sleep),
        ):
            pass

        def release(seconds: float) -> None:
            waits.sleep(seconds)
            holder.communicate()

        with DuckDBDatabase(path, "zendesk", lock_timeout=3, sleep=release) as opened, opened.transaction():
            assert [(1,)] == opened.execute("SELECT 1")
    assert 3.25 == waits.now


def test_second_load_of_a_process_waits_for_the_first(tmp_path: Path) -> None:
    """It waits until the timeout."""
    path = tmp_path / "warehouse.duckdb"
    with (
        DuckDBDatabase(path, "zendesk"),
        pytest.raises(WarehouseUnavailableError, match="another load of this process has it open"),
        DuckDBDatabase(path, "zendesk", lock_timeout=0),
    ):
        pass


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_text_is_loaded_as_utf8_whatever_the_encoding_of_the_connection(
    postgres: str, schema: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    """As a worker's environment may set it. Names of tables are read as text too."""
    folder = tmp_path / "☃"
    store = open_destination(folder.as_uri())
    put(store, [event(1, via="é☃", child_events=[{"event_type": "Change", "subject": "é"}])])
    monkeypatch.setenv("PGCLIENTENCODING", encoding)
    for _ in range(2):
        load_slices(open_warehouse(postgres, schema), store, "ticket_events", [DAY])
    monkeypatch.delenv("PGCLIENTENCODING")
    with open_warehouse(postgres, schema) as opened, opened.transaction():
        assert [("é☃", "é")] == opened.execute(
            "SELECT e.via, h.value FROM $schema.ticket_events AS e "
            "JOIN $schema.ticket_field_history AS h ON h.event_id = e.id"
        )
