"""Merges versions of objects, so that a slice of a state resource contains each object once, in its newest version.

An object that changes again leaves its old place in Zendesk's stream. A later export of the same slice lacks it, so the
stored version is kept: it is the latest that was exported until the slice with the change is there.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from airflow_zendesk.dataset.settings import DatasetSettings
from airflow_zendesk.dataset.slice_file import Certificate, SealedSlice, SliceWriter, are_distinct, iter_rows
from airflow_zendesk.window import Slice
from airflow_zendesk.zendesk.records import TIMESTAMP, Record, Rows
from airflow_zendesk.zendesk.resources import RESOURCES

#: 24 bytes per row: its id, its time in microseconds, and its position in the files.
_ROW = np.dtype([("id", np.int64), (TIMESTAMP, np.int64), ("position", np.int64)])


class StateWriter(SliceWriter):
    """Spools the objects of one slice, of which Zendesk may deliver several versions."""

    def __init__(self, settings: DatasetSettings, slice_: Slice) -> None:
        super().__init__(settings, slice_)
        self._ids: list[NDArray[np.int64]] = []
        self._merged: SliceWriter | None = None

    def write(self, records: Sequence[Record]) -> Rows:
        """Add objects, each once; see ``SliceWriter.write``."""
        self._ids.append(np.array([record.id for record in records], np.int64))
        return super().write(records)

    def seal(self, certificate: Certificate, duplicates: int) -> SealedSlice:
        """Keep the newest version of each object, and seal; see ``SliceWriter.seal``."""
        if are_distinct(self._ids):
            return super().seal(certificate, duplicates)
        self._finish()
        self._merged = SliceWriter(self._settings, self.slice)
        _write_newest(self._merged, [pq.ParquetFile(self._file)], "the local spool")
        return self._merged.seal(certificate, duplicates)

    def close(self) -> None:
        """Remove the spool, sealed or not."""
        super().close()
        if self._merged is not None:
            self._merged.close()


def slice_writer(settings: DatasetSettings, slice_: Slice) -> SliceWriter:
    """The writer of a slice of this dataset."""
    return (StateWriter if RESOURCES[settings.resource].is_state else SliceWriter)(settings, slice_)


@contextmanager
def keep_stored(
    settings: DatasetSettings, sealed: SealedSlice, stored: pq.ParquetFile, uri: str
) -> Iterator[SealedSlice]:
    """A slice with the objects that only its stored version has; valid within the block.

    Raises:
        DamagedObjectError: the stored version cannot be read; the error names ``uri``.
    """
    writer = SliceWriter(settings, sealed.slice)
    try:
        _write_newest(writer, [stored, pq.ParquetFile(sealed.file)], uri)
        yield writer.seal(sealed.footer.certificate, sealed.footer.duplicates)
    finally:
        writer.close()


def _write_newest(writer: SliceWriter, files: Sequence[pq.ParquetFile], uri: str) -> None:
    """Write the rows of the files, of each id only the newest; of equal times, the last one in the order of the files.

    Raises:
        DamagedObjectError: a file cannot be read; the error names ``uri``.
    """
    is_newest = _newest(files, uri)
    at = 0
    for file in files:
        for batch in iter_rows(file, uri):
            writer.write_batch(batch.filter(pa.array(is_newest[at : at + batch.num_rows])))
            at += batch.num_rows


def _newest(files: Sequence[pq.ParquetFile], uri: str) -> NDArray[np.bool_]:
    """Whether each row is the newest of its id, in the order of the files."""
    parts: list[NDArray[Any]] = [np.empty(0, _ROW)]
    for file in files:
        for batch in iter_rows(file, uri):
            rows = np.empty(batch.num_rows, _ROW)
            rows["id"] = batch.column("id").to_pylist()
            rows[TIMESTAMP] = batch.column(TIMESTAMP).cast("int64").to_pylist()
            parts.append(rows)
    rows = np.concatenate(parts)
    rows["position"] = np.arange(rows.size)
    rows.sort(order=("id", TIMESTAMP, "position"))
    newest = np.zeros(rows.size, np.bool_)
    if rows.size:
        newest[rows["position"][np.append(rows["id"][1:] != rows["id"][:-1], True)]] = True
    return newest
