"""Forged slices: valid Parquet files with a footer, whose content no exporter would write."""

import io
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from airflow_zendesk.dataset.digest import RowDigest
from airflow_zendesk.dataset.settings import DatasetSettings, to_json
from airflow_zendesk.dataset.slice_file import FOOTER_KEY, Certificate, SliceWriter, read_footer
from airflow_zendesk.window import Slice
from tests.support.slices import SETTINGS, as_records

#: The shortest time that a slice must have settled, in seconds.
SETTLE = 90


def valid_slice(slice_: Slice, records: Iterable[dict[str, Any]], settings: DatasetSettings = SETTINGS) -> bytes:
    """A slice as the exporter writes it, with a certificate."""
    with closing(SliceWriter(settings, slice_)) as writer:
        writer.write(as_records(records))
        sealed = writer.seal(Certificate("end_time", slice_.end_time, slice_.end_time + SETTLE), duplicates=0)
        sealed.file.seek(0)
        return sealed.file.read()


def forged(content: bytes, new_rows: Iterable[Mapping[str, Any]] | None = None, **changes: Any) -> bytes:
    """The slice with other rows and their digest and number, and then with other values in the footer."""
    file = pq.ParquetFile(io.BytesIO(content))
    table, footer = file.read(), read_footer(file, "a slice")
    if new_rows is not None:
        table = pa.Table.from_pylist(list(new_rows), table.schema)
        digest = RowDigest()
        for batch in table.to_batches():
            digest.update(batch)
        footer = msgspec.structs.replace(footer, rows=digest.rows, digest=str(digest))
    footer = msgspec.structs.replace(footer, **changes)
    forgery = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({FOOTER_KEY: to_json(footer)}), forgery)
    return forgery.getvalue()


def rows_of(content: bytes) -> list[dict[str, Any]]:
    """The rows of a slice."""
    rows: list[dict[str, Any]] = pq.read_table(io.BytesIO(content)).to_pylist()
    return rows
