"""Loads into each warehouse: every stored row is in the tables once, whatever happened before."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from airflow_zendesk.dataset.layout import slice_key
from airflow_zendesk.storage.store import Store
from airflow_zendesk.warehouse.database import Database
from airflow_zendesk.warehouse.load_report import SliceLoad
from airflow_zendesk.warehouse.loading import load_slices, open_warehouse
from airflow_zendesk.window import Slice
from airflow_zendesk.zendesk.resources import RESOURCES
from tests.support.published import NEXT_DAY, metric_event, put
from tests.support.slices import DAY, event

Query = Callable[[str], list[tuple[Any, ...]]]

CHILDREN = [{"id": 11, "event_type": "Change", "status": "open", "previous_value": "new"}, {"event_type": "Comment"}]


def load(database: Database, store: Store, *slices: Slice, resource: str = "ticket_events") -> Sequence[SliceLoad]:
    """Load the slices, by default one day."""
    return load_slices(database, store, resource, slices or [DAY]).slices


def outcomes(loads: Sequence[SliceLoad]) -> list[tuple[str, int]]:
    """Return the outcome and the row count of each slice."""
    return [(each.outcome, each.rows) for each in loads]


def test_every_value_is_loaded(database: Database, store: Store, query: Query) -> None:
    """Each column has its type. JSON keeps its meaning, everything else its exact value."""
    records = [
        event(1, created_at="2026-01-01T00:01:00Z", updater_id=-1, event_type="Audit", child_events=CHILDREN),
        event(2, via='a "quoted", text\nof two lines \\. and \\', system={"a": [1, "ü", None]}, merged_ticket_ids=[]),
        event(3, via="", metadata={}, new_key={"b": "☃"}, instance_id=4, metric="m", type="t"),
        event(4, time="2026-01-01T00:04:00.000001Z", ticket_id=None, via=None),
    ]
    put(store, records)
    load(database, store)
    stored = pq.ParquetFile(store.open(slice_key("ticket_events", DAY))).read()
    names = ", ".join(f'"{name}"' for name in stored.schema.names)
    (*found,) = query(f"SELECT {names}, slice_start FROM $schema.ticket_events ORDER BY id")
    json_columns = {column.name for column in RESOURCES["ticket_events"].columns if column.kind == "json"}
    expected = [
        (*(parsed(value) if name in json_columns else value for name, value in row.items()), DAY.start)
        for row in stored.to_pylist()
    ]
    is_json = [name in json_columns for name in stored.schema.names] + [False]
    assert expected == [
        tuple(parsed(value) if json_ else value for value, json_ in zip(row, is_json, strict=True)) for row in found
    ]


def parsed(value: Any) -> Any:
    """Parse JSON that is text; PostgreSQL's driver has parsed it already."""
    return json.loads(value) if isinstance(value, str) else value


def test_every_batch_of_a_long_slice_is_loaded(database: Database, store: Store, query: Query) -> None:
    """Rows are read and sent 10,000 at a time."""
    ids = range(1, 25_001)
    put(store, [event(id_, timestamp=DAY.start_time + 3 * id_, via=f"row {id_}") for id_ in ids])
    assert [("loaded", 25_000)] == outcomes(load(database, store))
    assert [(id_, f"row {id_}") for id_ in ids] == query("SELECT id, via FROM $schema.ticket_events ORDER BY id")


def test_slice_is_loaded_once(database: Database, store: Store, query: Query) -> None:
    """A second load of the same rows changes nothing, not even the ledger."""
    put(store, [event(1, child_events=CHILDREN), event(2)])
    assert [("loaded", 2)] == outcomes(load(database, store))
    ledger = query("SELECT * FROM $schema.loaded_slices")
    assert [("unchanged", 2)] == outcomes(load(database, store))
    assert ledger == query("SELECT * FROM $schema.loaded_slices")
    assert [("ticket_events", DAY.start, DAY.end, store.uri(slice_key("ticket_events", DAY)), 2)] == query(
        "SELECT resource, slice_start, slice_end, uri, rows FROM $schema.loaded_slices"
    )


def test_changed_slice_replaces_its_own_rows(database: Database, store: Store, query: Query) -> None:
    """Rows are added, changed and erased, with their children; the rows of other slices stay."""
    put(store, [event(1, child_events=CHILDREN), event(2, child_events=CHILDREN), event(3)])
    put(store, [event(9, timestamp=NEXT_DAY.start_time, child_events=CHILDREN[:1])], NEXT_DAY)
    load(database, store, DAY, NEXT_DAY)
    put(store, [event(1, via="Mail", child_events=CHILDREN[:1]), event(3), event(4)])
    assert [("loaded", 3), ("unchanged", 1)] == outcomes(load(database, store, DAY, NEXT_DAY))
    assert [(1, "Mail"), (3, "Web form"), (4, "Web form"), (9, "Web form")] == query(
        "SELECT id, via FROM $schema.ticket_events ORDER BY id"
    )
    assert [(1, 1), (9, 1)] == query("SELECT event_id, ordinal FROM $schema.ticket_child_events ORDER BY event_id")


def test_slice_without_rows_is_loaded(database: Database, store: Store, query: Query) -> None:
    """It is recorded in the ledger, and the rows of the slice before it are removed."""
    put(store, [])
    assert [("loaded", 0)] == outcomes(load(database, store))
    put(store, [event(1)])
    load(database, store)
    put(store, [])
    assert [("loaded", 0)] == outcomes(load(database, store))
    assert [(0,)] == query("SELECT count(*) FROM $schema.ticket_events")


@pytest.mark.parametrize("order", [(DAY, NEXT_DAY), (NEXT_DAY, DAY)])
def test_id_in_two_slices_is_in_the_table_once(
    database: Database, store: Store, query: Query, order: tuple[Slice]
) -> None:
    """The row of the later slice is kept, whatever the order of the loads. Without it, the other row returns."""
    put(store, [event(1, via="first", child_events=CHILDREN), event(2)])
    put(store, [event(1, via="later"), event(3)], NEXT_DAY)
    assert [0, 1] == [each.duplicates for each in load(database, store, *order)]
    assert [(1, "later"), (2, "Web form"), (3, "Web form")] == query(
        "SELECT id, via FROM $schema.ticket_events ORDER BY id"
    )
    assert [(0,)] == query("SELECT count(*) FROM $schema.ticket_child_events")
    assert ["unchanged"] * 2 == [each.outcome for each in load(database, store, *order)]
    put(store, [event(3)], NEXT_DAY)
    load(database, store, NEXT_DAY)
    assert [(1, "first"), (2, "Web form"), (3, "Web form")] == query(
        "SELECT id, via FROM $schema.ticket_events ORDER BY id"
    )
    assert [(2,)] == query("SELECT count(*) FROM $schema.ticket_child_events")


def test_load_warns_about_an_id_in_two_slices(database: Database, store: Store) -> None:
    """The warning has the number of ids."""
    put(store, [event(1)])
    put(store, [event(1), event(3)], NEXT_DAY)
    (warning,) = load_slices(database, store, "ticket_events", [DAY, NEXT_DAY]).warnings()
    assert warning.startswith("1 ids of ticket_events also occur in another slice")


def test_rows_deleted_by_hand_are_loaded_again(database: Database, store: Store, query: Query) -> None:
    """A load counts the rows of a slice, and does not rely on the ledger alone."""
    put(store, [event(1), event(2)])
    load(database, store)
    query("DELETE FROM $schema.ticket_events WHERE id = 1")
    assert [("loaded", 2)] == outcomes(load(database, store))
    assert [(2,)] == query("SELECT count(*) FROM $schema.ticket_events")


def test_each_resource_has_its_own_table(database: Database, store: Store, query: Query) -> None:
    """It also has its own rows in the ledger."""
    put(store, [event(1)])
    put(
        store, [metric_event(1, "activate", deleted=False), metric_event(2, "fulfill")], resource="ticket_metric_events"
    )
    load(database, store)
    load(database, store, resource="ticket_metric_events")
    assert [(1, "activate", False), (2, "fulfill", None)] == query(
        "SELECT id, type, deleted FROM $schema.ticket_metric_events ORDER BY id"
    )
    assert [("ticket_events", 1), ("ticket_metric_events", 2)] == query(
        "SELECT resource, rows FROM $schema.loaded_slices ORDER BY resource"
    )


#: A process that loads slices. With "stop", it prints a line in the middle of the load and waits to be killed.
LOADER = """
import sys, time
from fsspec.implementations.local import LocalFileSystem
from airflow_zendesk.storage import open_store
from airflow_zendesk.warehouse.loading import load_slices, open_warehouse
from airflow_zendesk.window import Slice

warehouse, schema, folder, stop, *slices = sys.argv[1:]
database = open_warehouse(warehouse, schema)

class Stopping(type(database)):
    def copy_rows(self, table, batches):
        copied = super().copy_rows(table, batches)
        print("copied", flush=True)
        time.sleep(600)
        return copied

if stop == "stop":
    database.__class__ = Stopping
store = open_store(LocalFileSystem(), folder, "file://" + folder)
load_slices(database, store, "ticket_events", [Slice.of(*text.split("/")) for text in slices])
"""


def loader(warehouse: str, schema: str, folder: Path, stop: str, *slices: Slice) -> "subprocess.Popen[str]":
    """Start a process that loads the slices."""
    texts = [f"{slice_.start.isoformat()}/{slice_.end.isoformat()}" for slice_ in slices]
    command = [sys.executable, "-c", LOADER, warehouse, schema, str(folder), stop, *texts]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_killed_load_changes_nothing(
    warehouse: str, schema: str, database: Database, store: Store, query: Query, tmp_path: Path
) -> None:
    """The tables keep their rows, and the next load succeeds."""
    put(store, [event(1, child_events=CHILDREN), event(2)])
    load(database, store)
    put(store, [event(1), event(3, child_events=CHILDREN)])
    with loader(warehouse, schema, tmp_path / "data", "stop", DAY) as process:
        assert process.stdout
        assert "copied\n" == process.stdout.readline()
        process.kill()
    assert [(1,), (2,)] == query("SELECT id FROM $schema.ticket_events ORDER BY id")
    assert [("loaded", 2)] == outcomes(load(database, store))
    assert [(1,), (3,)] == query("SELECT id FROM $schema.ticket_events ORDER BY id")
    assert [(3, 1), (3, 2)] == query("SELECT event_id, ordinal FROM $schema.ticket_child_events ORDER BY ordinal")


def test_concurrent_loads_are_correct(warehouse: str, schema: str, store: Store, query: Query, tmp_path: Path) -> None:
    """Three loads of five slices, with one id in all slices and tables that do not exist yet."""
    days = [Slice(DAY.start + timedelta(days=n), DAY.end + timedelta(days=n)) for n in range(5)]
    for number, day in enumerate(days, 1):
        put(store, [event(100, via=f"day {number}"), event(number, timestamp=day.start_time)], day)
    parts = [days[0:2], days[1:4], days[3:5]]
    if warehouse.startswith("duckdb"):
        processes = [loader(warehouse, schema, tmp_path / "data", "", *part) for part in parts]
        assert [("", 0)] * 3 == [(process.communicate()[0], process.returncode) for process in processes]
    else:
        # For the server, threads with connections of their own are no different from processes.
        with ThreadPoolExecutor() as pool:
            loads = [pool.submit(load, open_warehouse(warehouse, schema), store, *part) for part in parts]
        assert [2, 3, 2] == [len(each.result()) for each in loads]
    assert [(1, "Web form"), (5, "Web form"), (100, "day 5")] == query(
        "SELECT id, via FROM $schema.ticket_events WHERE id IN (1, 5, 100) ORDER BY id"
    )
    assert [(6, 4, 5)] == query(
        "SELECT (SELECT count(*) FROM $schema.ticket_events), (SELECT count(*) FROM $schema.ticket_events_duplicates), "
        "(SELECT count(*) FROM $schema.loaded_slices)"
    )


def test_ledger_has_the_time_of_the_load(database: Database, store: Store, query: Query) -> None:
    """The time is the worker's."""
    put(store, [event(1)])
    before = datetime.now(UTC)
    load(database, store)
    ((loaded_at,),) = query("SELECT loaded_at FROM $schema.loaded_slices")
    assert before <= loaded_at <= datetime.now(UTC)


def test_progress_is_reported_after_each_slice(database: Database, store: Store, tmp_path: Path) -> None:
    """The callback receives the result of the slice."""
    put(store, [event(1)])
    put(store, [], NEXT_DAY)
    results: list[SliceLoad] = []
    report = load_slices(database, store, "ticket_events", [DAY, NEXT_DAY], on_progress=results.append)
    assert results == report.slices
    assert (tmp_path / "data").as_uri() in results[0].uri
