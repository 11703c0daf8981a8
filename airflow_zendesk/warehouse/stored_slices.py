"""Slices as they lie in storage, read whole and verified: what is loaded is what the exporter has sealed.

A slice is copied to a private local file first. While its rows are read from there, they are digested as the exporter
digested them, so a loader that has read to the end without an error has read every row of one version, once.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from airflow_zendesk.dataset.digest import RowDigest
from airflow_zendesk.dataset.layout import folder_key, slice_key
from airflow_zendesk.dataset.publish import stored_footer
from airflow_zendesk.dataset.schema import SCHEMA_VERSION
from airflow_zendesk.dataset.settings import DatasetSettings
from airflow_zendesk.dataset.slice_file import Footer
from airflow_zendesk.exceptions import (
    DamagedObjectError,
    MissingSliceError,
    NewerSchemaError,
    SliceChangedError,
    StorageError,
)
from airflow_zendesk.storage.store import Store, Version
from airflow_zendesk.window import Slice

_CHUNK_BYTES = 8 << 20
#: About 20 MB of JSON with comments: what a load has in memory at a time.
_BATCH_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class StoredSlice:
    """One slice of a dataset, as its footer describes it; the rows are not read yet."""

    store: Store
    slice: Slice
    key: str
    version: Version
    footer: Footer

    @property
    def uri(self) -> str:
        """Where it lies."""
        return self.store.uri(self.key)

    @contextmanager
    def batches(self) -> Iterator[Iterator[pa.RecordBatch]]:
        """The rows, in batches; the last one is followed by the proof that they were all.

        Raises:
            SliceChangedError: the slice was replaced meanwhile.
            DamagedObjectError: it is not what its footer says.
            StorageError: it cannot be read now.
        """
        with tempfile.TemporaryFile(prefix="airflow-zendesk-") as spool:
            self._copy_to(spool)
            spool.seek(0)
            try:
                with pq.ParquetFile(spool, page_checksum_verification=True, pre_buffer=False) as file:
                    yield self._verified(file)
            except (DamagedObjectError, pa.ArrowException, OSError) as error:
                self.confirm()
                if isinstance(error, DamagedObjectError):
                    raise
                raise DamagedObjectError(self.uri, f"it cannot be read ({type(error).__name__})") from error

    def confirm(self) -> None:
        """See that what lies there is still what was found.

        Raises:
            SliceChangedError: it was replaced.
        """
        if self.store.version(self.key) != self.version:
            raise SliceChangedError(self.uri)

    def _copy_to(self, spool: IO[bytes]) -> None:
        try:
            with self.store.open(self.key) as source:
                for chunk in iter(lambda: self._read(source), b""):
                    spool.write(chunk)
        except StorageError:
            self.confirm()
            raise

    def _read(self, source: IO[bytes]) -> bytes:
        with self.store.translate_errors(self.key):
            return source.read(_CHUNK_BYTES)

    def _verified(self, file: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
        digest = RowDigest()
        for batch in file.iter_batches(batch_size=_BATCH_ROWS, use_threads=False):
            digest.update(batch)
            yield batch
        if str(digest) != self.footer.digest:
            raise DamagedObjectError(
                self.uri, f"it holds {digest.rows} rows with digest {digest}, not what its footer says"
            )


def find_slices(store: Store, settings: DatasetSettings, slices: Sequence[Slice]) -> Iterator[StoredSlice]:
    """The slices as they are stored now, one after the other; it is seen first that all of them are there.

    Raises:
        MissingSliceError: some are not there.
        NewerSchemaError: one was written by a newer version of this package.
        DamagedObjectError: something else is in the place of one.
    """
    folders = dict.fromkeys(folder_key(settings.resource, slice_.start) for slice_ in slices)
    versions = {key: version for folder in folders for key, version in store.list(folder).items()}
    keys = [slice_key(settings.resource, slice_) for slice_ in slices]
    if missing := [key for key in keys if key not in versions]:
        raise MissingSliceError(store.uri(missing[0]), len(missing))
    return (_stored(store, settings, slice_, key, versions[key]) for slice_, key in zip(slices, keys, strict=True))


def _stored(store: Store, settings: DatasetSettings, slice_: Slice, key: str, version: Version) -> StoredSlice:
    footer = stored_footer(store, key)
    uri = store.uri(key)
    if _version(footer.schema_version) > _version(SCHEMA_VERSION):
        raise NewerSchemaError(uri, footer.schema_version, SCHEMA_VERSION)
    if (footer.dataset, footer.start, footer.end) != (settings, slice_.start.isoformat(), slice_.end.isoformat()):
        raise DamagedObjectError(uri, "its footer says that it is another slice")
    return StoredSlice(store, slice_, key, version, footer)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
