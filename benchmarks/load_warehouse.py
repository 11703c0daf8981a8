"""Compare loads into DuckDB and PostgreSQL with simpler methods: `python benchmarks/load_warehouse.py [EVENTS]`.

By default it loads a million events in slices of 200,000. A load verifies each slice, replaces its rows, reads the
child events and keeps a ledger; the simpler methods only append the events. They are slow, so they get one slice or
part of one, and rates are compared. The benchmark starts a PostgreSQL server from the system's package.
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
from airflow_zendesk.window import Grain, Slice
from airflow_zendesk.zendesk.records import RawRecord, read_records

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.support.postgres import server

EVENTS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
A_DAY = min(EVENTS, 200_000)
DAYS = [Slice(start, start + timedelta(days=1)) for start in
        (datetime(2026, 1, 5, tzinfo=UTC) + timedelta(days=n) for n in range(EVENTS // A_DAY))]  # fmt: skip
#: The number of rows for methods that insert them one by one.
FEW = 5_000
PAGE = 10_000


def main() -> None:
    """Create slices, load them, and print a line for each method."""
    with tempfile.TemporaryDirectory() as folder, server() as connection:
        os.environ["AIRFLOW_HOME"] = f"{folder}/airflow"
        os.environ["AIRFLOW_CONN_WAREHOUSE"] = connection
        store = open_store(LocalFileSystem(), f"{folder}/data", f"file://{folder}/data")
        rows = sum(make(store, day) for day in DAYS)
        frame = pd.read_parquet(next(Path(folder).glob("data/ticket_events/*/*.parquet")))
        server_ = msgspec.json.decode(connection)
        engine = sqlalchemy.create_engine(
            f"postgresql+psycopg://{server_['login']}@/{server_['schema']}?host={server_['host']}"
        )
        print(f"{rows:,} events\n\n{'method':<46}{'events':>10}{'seconds':>9}{'events/s':>10}{'ratio':>8}")
        for warehouse in ("warehouse", f"duckdb://{folder}/w.duckdb"):
            with open_warehouse(warehouse, "zendesk"):
                """Import the modules before the measurement."""
        with closing(duckdb.connect(f"{folder}/naive.duckdb")) as file, engine.connect() as naive:
            load_rate = line("DuckDB: the load", rows, lambda: load(f"duckdb://{folder}/w.duckdb", store))
            line("DuckDB: row inserts (executemany)", FEW, lambda: insert(file, frame.head(FEW)), load_rate)
            load_rate = line("PostgreSQL: the load", rows, lambda: load("warehouse", store))
            line("PostgreSQL: pandas.to_sql", len(frame), lambda: to_sql(naive, frame), load_rate)
            line(
                "PostgreSQL: row inserts (one INSERT each)", FEW, lambda: insert_each(naive, frame.head(FEW)), load_rate
            )


def line(method: str, rows: int, run: Callable[[], None], load_rate: float | None = None) -> float:
    """Run a method; print its rate, and how many times faster the load is."""
    started = time.perf_counter()
    run()
    seconds = time.perf_counter() - started
    ratio = "" if load_rate is None else f"{load_rate * seconds / rows:.1f}x"
    print(f"{method:<46}{rows:>10,}{seconds:>9.1f}{rows / seconds:>10,.0f}{ratio:>8}", flush=True)
    return rows / seconds


def make(store: Store, day: Slice) -> int:
    """Publish one day of invented events; return their number."""
    simulator = Simulator(events_per_day=A_DAY)
    settings = DatasetSettings(
        resource="ticket_events", account="acme", grain=Grain.of("1d"), include=(), support_type_scope="all"
    )
    with closing(SliceWriter(settings, day)) as writer:
        records = []
        for event in simulator.events("ticket_events", day.start_time, day.end_time):
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
    """Load the slices like the operator."""
    load_slices(open_warehouse(warehouse, "zendesk"), store, "ticket_events", DAYS)


def insert(file: duckdb.DuckDBPyConnection, frame: pd.DataFrame) -> None:
    """Insert row by row into DuckDB."""
    file.execute("CREATE TABLE events AS SELECT * FROM frame LIMIT 0")
    markers = ", ".join("?" * len(frame.columns))
    file.executemany(
        f"INSERT INTO events VALUES ({markers})", frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    )


def to_sql(connection: sqlalchemy.Connection, frame: pd.DataFrame) -> None:
    """Insert with pandas."""
    frame.to_sql("naive", connection, index=False)
    connection.commit()


def insert_each(connection: sqlalchemy.Connection, frame: pd.DataFrame) -> None:
    """Insert with one statement for each row."""
    names = ", ".join(f'"{name}"' for name in frame.columns)
    values = ", ".join(f":{name}" for name in frame.columns)
    statement = sqlalchemy.text(f"INSERT INTO naive ({names}) VALUES ({values})")
    for row in frame.astype(object).where(frame.notna(), None).to_dict("records"):
        connection.execute(statement, {str(name): value for name, value in row.items()})
    connection.commit()


if __name__ == "__main__":
    main()
