"""Reads slices from storage and verifies them, so that exactly the sealed rows are loaded.

A slice is first copied to a private local file. While its rows are read from there, their digest is computed as the
exporter computed it. A loader that reads to the end without an error has read every row of one version once.
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
from airflow_zendesk.dataset.settings import DatasetSettings
from airflow_zendesk.dataset.slice_file import Footer
from airflow_zendesk.exceptions import (
    DamagedObjectError,
    MissingSliceError,
    SliceChangedError,
    StorageError,
)
from airflow_zendesk.storage.store import Store, Version
from airflow_zendesk.window import Slice
from airflow_zendesk.wording import counted

_CHUNK_BYTES = 8 << 20
#: A load keeps one batch in memory: about 20 MB of JSON with comments.
_BATCH_ROWS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSlice:
    """One slice of a dataset, described by its footer; its rows have not been read yet."""

    store: Store
    slice: Slice
    key: str
    version: Version
    footer: Footer

    @property
    def uri(self) -> str:
        """The URI of the slice's object."""
        return self.store.uri(self.key)

    @contextmanager
    def batches(self) -> Iterator[Iterator[pa.RecordBatch]]:
        """Read the rows in batches. After the last batch, their digest is compared with the footer's.

        Raises:
            SliceChangedError: the slice was replaced while it was read.
            DamagedObjectError: its rows do not match its footer, or it is not readable.
            StorageError: the storage cannot be read now.
        """
        with tempfile.TemporaryFile(prefix="airflow-zendesk-") as spool:
            self._copy_to(spool)
            spool.seek(0)
            try:
                with pq.ParquetFile(spool, page_checksum_verification=True, pre_buffer=False) as file:
                    yield self._verified(file)
            except (DamagedObjectError, pa.ArrowException, OSError) as error:
                self.check_unchanged()
                if isinstance(error, DamagedObjectError):
                    raise
                raise DamagedObjectError(self.uri, f"it cannot be read ({type(error).__name__})") from error

    def check_unchanged(self) -> None:
        """Check that the stored version is still the one whose footer was read.

        Raises:
            SliceChangedError: the slice was replaced.
        """
        if self.store.version(self.key) != self.version:
            raise SliceChangedError(self.uri)

    def _copy_to(self, spool: IO[bytes]) -> None:
        try:
            with self.store.open(self.key) as source:
                for chunk in iter(lambda: self._read(source), b""):
                    spool.write(chunk)
        except StorageError:
            self.check_unchanged()
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
                self.uri, f"it has {counted(digest.rows, 'row')} with digest {digest}, which its footer does not match"
            )


def find_slices(store: Store, settings: DatasetSettings, slices: Sequence[Slice]) -> Iterator[StoredSlice]:
    """Return the slices as they are stored now, one by one, after checking that all of them exist.

    Raises:
        MissingSliceError: a slice does not exist.
        NewerSchemaError: a slice was written by a newer version of this package.
        DamagedObjectError: an object is not the slice that its key names.
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
    times = (slice_.start.isoformat(), slice_.end.isoformat())
    if settings.differences(settings.rename_former(footer.dataset)) or (footer.start, footer.end) != times:
        raise DamagedObjectError(uri, "its footer describes another slice")
    return StoredSlice(store=store, slice=slice_, key=key, version=version, footer=footer)
