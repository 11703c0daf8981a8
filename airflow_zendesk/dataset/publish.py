"""From a sealed slice to the object that readers see: one PUT, or none at all.

The order is what makes it safe. The token of what is stored is read before the first request to Zendesk; the slice is
sealed and read again on the local disk; only then storage is touched, once. A process that dies at any point leaves the
old object or the new one, whole. Where an answer of the storage does not tell which, the digest of what is there does.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from airflow_zendesk.dataset.diff import SliceDiff, compare
from airflow_zendesk.dataset.layout import slice_key
from airflow_zendesk.dataset.settings import DatasetSettings, ensure_settings
from airflow_zendesk.dataset.slice_file import Footer, SealedSlice, read_footer
from airflow_zendesk.exceptions import DamagedObjectError, ShrinkRefusedError, SliceChangedError
from airflow_zendesk.storage.store import Store, Version, put_and_confirm

Outcome = Literal["published", "unchanged"]


@dataclass(frozen=True, slots=True)
class PublishResult:
    """What became of a slice, and how it differs from the version that it replaced, if there was one.

    ``seconds_late`` is how late the latest of the added events was, at the least: when the old version was
    extracted, by the server's clock, that event had happened so long ago and was not among the answers.
    """

    outcome: Outcome
    difference: SliceDiff | None = None
    seconds_late: int | None = None


def publish(
    store: Store, settings: DatasetSettings, sealed: SealedSlice, expected: Version | None, *, allow_shrink: bool
) -> PublishResult:
    """Make the slice visible, unless the same rows are already.

    Args:
        store: where the dataset lies.
        record: how the dataset is made; it is made to be so, or compared, before anything is written.
        sealed: the slice.
        expected: the token of the stored version that was there before the extraction began.
        allow_shrink: whether the slice may lose events that are stored; that is how redacted ones are erased.

    Raises:
        DatasetMismatchError: the dataset was made with other settings.
        ShrinkRefusedError: the stored slice has events that this one lacks.
        SliceChangedError: another run wrote other rows during the extraction.
        DamagedObjectError: something that is no slice of ours is in its place.
        StorageError: the storage does not do what it should.
    """
    key = slice_key(settings.resource, sealed.slice)
    ensure_settings(store, settings)
    current = store.version(key)
    replaced = PublishResult("published")
    if current is not None:
        with open_slice(store, key) as stored:
            footer = read_footer(stored, store.uri(key))
            if footer.digest == sealed.footer.digest:
                return PublishResult("unchanged")
            if current != expected:
                raise SliceChangedError(store.uri(key))
            difference = compare(stored, pq.ParquetFile(sealed.file), store.uri(key))
        if difference.removed and not allow_shrink:
            raise ShrinkRefusedError(store.uri(key), footer.rows, sealed.footer.rows, difference.removed)
        replaced = PublishResult("published", difference, _seconds_late(difference, footer))
    digest = sealed.footer.digest
    put_and_confirm(store, key, sealed.file, expected, lambda: stored_footer(store, key).digest == digest)
    return replaced


def stored_footer(store: Store, key: str) -> Footer:
    """The footer of a stored slice.

    Raises:
        DamagedObjectError: the object is no slice of ours.
    """
    with open_slice(store, key) as file:
        return read_footer(file, store.uri(key))


@contextmanager
def open_slice(store: Store, key: str) -> Iterator[pq.ParquetFile]:
    """A stored object, opened as Parquet.

    Raises:
        DamagedObjectError: it is none.
        StorageError: it cannot be opened, or not be read in the block.
    """
    with store.translate_errors(key), store.open(key) as source:
        try:
            file = pq.ParquetFile(source)
        except pa.ArrowInvalid:
            raise DamagedObjectError(store.uri(key), "it is no Parquet file") from None
        yield file


def _seconds_late(difference: SliceDiff, stored: Footer) -> int | None:
    if difference.oldest_added is None:
        return None
    return stored.certificate.server_date_at_least - difference.oldest_added
