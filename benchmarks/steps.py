"""Print the CPU time of each step of an export: `python benchmarks/steps.py`.

20 pages of 1,000 ticket events with comments go through the functions of an export one step after the other, in one
process and without a network. Each figure is the best of seven runs, in CPU seconds per million events.
"""

import gzip
import io
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
import requests
from requests.structures import CaseInsensitiveDict

from airflow_zendesk.dataset.digest import RowDigest
from airflow_zendesk.dataset.schema import arrow_schema, to_batch
from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from airflow_zendesk.zendesk.dedup import RecordBuffer
from airflow_zendesk.zendesk.records import LATE, Record, to_rows
from airflow_zendesk.zendesk.redaction import Redactor
from airflow_zendesk.zendesk.resources import Query
from airflow_zendesk.zendesk.response import parse_response

PAGES, RUNS = 20, 7
QUERY = Query.of("ticket_events", ["comment_events"])
SCHEMA = arrow_schema(QUERY.resource.columns)
HEADERS = CaseInsensitiveDict({"Content-Type": "application/json", "Date": "Sat, 28 Nov 2026 00:00:00 GMT"})

_T = TypeVar("_T")


def main() -> None:
    """Run the steps in the order of an export."""
    bodies = record_pages()
    packed = [gzip.compress(body, compresslevel=6) for body in bodies]
    step("decompress (zlib)", lambda: [zlib.decompress(body, 31) for body in packed])
    responses = step(
        "parse", lambda: [parse_response(QUERY.resource, 0, 200, HEADERS, body).records for body in bodies]
    )
    step("remove duplicates, sort", lambda: release(responses))
    redactor = Redactor(QUERY.privacy, None)
    kept = step("redact", lambda: [redactor.apply(records)[0] for records in responses])
    rows = step(
        "columns of Python values", lambda: [to_rows(records, QUERY.resource.columns).columns for records in kept]
    )
    for columns in rows:
        columns[LATE] = [False] * len(columns["id"])
    batches = step("columns of Arrow", lambda: [to_batch(columns, SCHEMA) for columns in rows])
    step("digest", lambda: digest(batches))
    file = step("write Parquet", lambda: write(batches))
    read = step("read it back", lambda: list(pq.ParquetFile(file).iter_batches(1_000, use_threads=False)))
    step("digest of what was read", lambda: digest(read))


def step(name: str, run: Callable[[], _T]) -> _T:
    """Print the CPU time of a step, and return its result."""
    best = float("inf")
    for _ in range(RUNS):
        started = time.process_time()
        result = run()
        best = min(best, time.process_time() - started)
    print(f"{name:<26}{best / PAGES * 1_000:>6.2f}", flush=True)
    return result


def record_pages() -> list[bytes]:
    """The bodies of consecutive pages."""
    bodies = []
    start = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
    with ZendeskEmulator(Simulator(events_per_day=20_000)) as emulator, requests.Session() as session:
        connection = emulator.connection()
        session.auth = connection["login"], connection["password"]
        for _ in range(PAGES):
            params = QUERY.params(start_time=start, per_page=1_000)
            response = session.get(emulator.url + QUERY.resource.path, params=params)
            response.raise_for_status()
            bodies.append(response.content)
            start = response.json()["end_time"]
    return bodies


def release(responses: list[list[Record]]) -> list[list[Record]]:
    """Pass the pages through the buffer of an export."""
    buffer, released = RecordBuffer(), []
    for records in responses:
        buffer.add(records, 1 << 60)
        released.append(buffer.release(max(record.second for record in records)))
    return released


def digest(batches: list[pa.RecordBatch]) -> str:
    """The digest of all rows."""
    found = RowDigest()
    for batch in batches:
        found.update(batch)
    return str(found)


def write(batches: list[pa.RecordBatch]) -> io.BytesIO:
    """A file like that of a slice."""
    file = io.BytesIO()
    with pq.ParquetWriter(
        file, SCHEMA, compression="zstd", compression_level=1, use_dictionary=["via", "event_type"],
        write_page_checksum=True,
    ) as writer:  # fmt: skip
        writer.write_table(pa.Table.from_batches(batches), row_group_size=10_000)
    file.seek(0)
    return file


if __name__ == "__main__":
    main()
