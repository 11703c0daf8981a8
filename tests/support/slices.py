"""Events, records and slices for tests."""

import json
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq

from airflow_zendesk.dataset.settings import DatasetSettings
from airflow_zendesk.dataset.slice_file import Certificate, SealedSlice, SliceWriter
from airflow_zendesk.window import Grain, Slice
from airflow_zendesk.zendesk.records import RawRecord, Record, read_records

DAY = Slice.of("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
SETTINGS = DatasetSettings(
    resource="ticket_events",
    account="acme.zendesk.com",
    grain=Grain.of("1d"),
    include=(),
    support_type_scope="all",
)
CERTIFICATE = Certificate(by="end_time", end_time=1767312000, server_date_at_least=1767312300)


def event(number: int, **members: Any) -> dict[str, Any]:
    """An invented event of the day, a minute after the one before."""
    return {"id": number, "ticket_id": 7, "timestamp": DAY.start_time + 60 * number, "via": "Web form"} | members


def as_records(records: Iterable[dict[str, Any]]) -> list[Record]:
    """The records as the code reads them from a page."""
    return read_records(msgspec.json.decode(json.dumps(list(records)).encode(), type=list[RawRecord]))


@contextmanager
def sealed(records: Iterable[dict[str, Any]], slice_: Slice = DAY) -> Iterator[SealedSlice]:
    """The records as a sealed slice of ticket events."""
    with closing(SliceWriter(SETTINGS, slice_)) as writer:
        writer.write(as_records(records))
        yield writer.seal(CERTIFICATE, duplicates=0)


def content(records: Iterable[dict[str, Any]]) -> bytes:
    """The records as the bytes of a slice."""
    with sealed(records) as slice_:
        slice_.file.seek(0)
        return slice_.file.read()


def exported_ids(folder: Path, resource: str = "ticket_events") -> list[int]:
    """The ids in all slices of a dataset in a folder."""
    return sorted(
        id_ for path in (folder / resource).rglob("*.parquet") for id_ in pq.ParquetFile(path).read()["id"].to_pylist()
    )
