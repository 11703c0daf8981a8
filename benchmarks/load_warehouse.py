"""Events into DuckDB and PostgreSQL, against the naive ways: `python benchmarks/load_warehouse.py [EVENTS]`.

A million events by default, in slices of 200,000. The load verifies each slice, replaces rows, takes children apart and
keeps a ledger; the naive ways append the events and nothing else. These get the first slice, or a part of it, for all
would take too long: what is compared are rates. A PostgreSQL of its own is started, from the system's package.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import msgspec
import pandas as pd
import sqlalchemy
from fsspec.implementations.local import LocalFileSystem

from airflow_zendesk.dataset.publish import publish
from airflow_zendesk.dataset.settings import DatasetSettings
from airflow_zendesk.dataset.slice_file import Certificate, SliceWriter
from airflow_zendesk.emulator import Simulator
from airflow_zendesk.emulator.serialization import encode, serialize_ticket_event
from airflow_zendesk.emulator.ticket import TicketEvent
from airflow_zendesk.storage import open_store
from airflow_zendesk.storage.store import Store
from airflow_zendesk.warehouse.loading import load_slices, open_warehouse
from airflow_zendesk.window import Window
from airflow_zendesk.zendesk.records import RawRecord, read_records

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.support.postgres import server

EVENTS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
A_DAY = min(EVENTS, 200_000)
DAYS = [Window(start, start + timedelta(days=1)) for start in
        (datetime(2026, 1, 5, tzinfo=UTC) + timedelta(days=n) for n in range(EVENTS // A_DAY))]  # fmt: skip
#: So many rows for the ways that send them one by one.
FEW = 5_000
PAGE = 10_000


def main() -> None:
    """Make the slices, load them, and print a line for each way."""
    with tempfile.TemporaryDirectory() as folder, server() as connection:
        os.environ["AIRFLOW_HOME"] = f"{folder}/airflow"
        os.environ["AIRFLOW_CONN_WAREHOUSE"] = connection
        store = open_store(LocalFileSystem(), f"{folder}/data", f"file://{folder}/data")
        rows = sum(make(store, day) for day in DAYS)
        frame = pd.read_parquet(next(Path(folder).glob("data/ticket_events/*/*.parquet")))
        place = msgspec.json.decode(connection)
        engine = sqlalchemy.create_engine(
            f"postgresql+psycopg://{place['login']}@/{place['schema']}?host={place['host']}"
        )
        print(f"{rows:,} events\n\n{'way':<46}{'events':>10}{'seconds':>9}{'events/s':>10}{'ratio':>8}")
        for warehouse in ("warehouse", f"duckdb://{folder}/w.duckdb"):
            with open_warehouse(warehouse, "zendesk"):
                """Imports take their time, once."""
        with closing(duckdb.connect(f"{folder}/naive.duckdb")) as file, engine.connect() as naive:
            fast = line("DuckDB: the load", rows, lambda: load(f"duckdb://{folder}/w.duckdb", store))
            line("DuckDB: row inserts (executemany)", FEW, lambda: insert(file, frame.head(FEW)), fast)
            fast = line("PostgreSQL: the load", rows, lambda: load("warehouse", store))
            line("PostgreSQL: pandas.to_sql", len(frame), lambda: to_sql(naive, frame), fast)
            line("PostgreSQL: row inserts (one INSERT each)", FEW, lambda: insert_each(naive, frame.head(FEW)), fast)


def line(way: str, rows: int, do: Callable[[], None], fast: float | None = None) -> float:
    """Do it, and tell how fast it was, and how many times faster the load is."""
    started = time.perf_counter()
    do()
    seconds = time.perf_counter() - started
    ratio = "" if fast is None else f"{fast * seconds / rows:.1f}x"
    print(f"{way:<46}{rows:>10,}{seconds:>9.1f}{rows / seconds:>10,.0f}{ratio:>8}", flush=True)
    return rows / seconds


def make(store: Store, day: Window) -> int:
    """Publish a day of invented events."""
    world = Simulator(events_per_day=A_DAY)
    settings = DatasetSettings("ticket_events", "acme", "1d", (), "all")
    with closing(SliceWriter(settings, day)) as writer:
        records = []
        for event in world.events("ticket_events", day.start_time, day.end_time):
            assert isinstance(event, TicketEvent)
            text = encode(serialize_ticket_event(event, with_comments=False))
            records.append(msgspec.json.decode(text, type=RawRecord))
            if len(records) == PAGE:
                writer.write(read_records(records))
                records.clear()
        writer.write(read_records(records))
        sealed = writer.seal(Certificate("end_time", day.end_time, day.end_time), duplicates=0)
        publish(store, settings, sealed, None, allow_shrink=False)
        return sealed.footer.rows


def load(warehouse: str, store: Store) -> None:
    """As the operator does it."""
    load_slices(open_warehouse(warehouse, "zendesk"), store, "ticket_events", DAYS)


def insert(file: duckdb.DuckDBPyConnection, frame: pd.DataFrame) -> None:
    """Row by row into DuckDB."""
    file.execute("CREATE TABLE events AS SELECT * FROM frame LIMIT 0")
    places = ", ".join("?" * len(frame.columns))
    file.executemany(
        f"INSERT INTO events VALUES ({places})", frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    )


def to_sql(connection: sqlalchemy.Connection, frame: pd.DataFrame) -> None:
    """As pandas does it by itself."""
    frame.to_sql("naive", connection, index=False)
    connection.commit()


def insert_each(connection: sqlalchemy.Connection, frame: pd.DataFrame) -> None:
    """A statement for each row."""
    names = ", ".join(f'"{name}"' for name in frame.columns)
    values = ", ".join(f":{name}" for name in frame.columns)
    statement = sqlalchemy.text(f"INSERT INTO naive ({names}) VALUES ({values})")
    for row in frame.astype(object).where(frame.notna(), None).to_dict("records"):
        connection.execute(statement, {str(name): value for name, value in row.items()})
    connection.commit()


if __name__ == "__main__":
    main()
