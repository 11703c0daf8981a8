"""Publication of a sealed slice as the object that readers see: with one PUT, or none if it is stored already.

The order makes it safe. The version of the stored object is read before the first request to Zendesk; the slice is
sealed and read back on the local disk; only then storage is written, once. A process that is killed at any point leaves
the old object or the new one, complete. If the response of the storage does not say which, the digest of the object is
compared.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from airflow_zendesk.dataset.diff import SliceDiff, diff_slices
from airflow_zendesk.dataset.settings import DatasetSettings, ensure_settings
from airflow_zendesk.dataset.slice_file import Footer, SealedSlice, read_footer
from airflow_zendesk.dataset.versions import keep_stored
from airflow_zendesk.exceptions import DamagedObjectError, ShrinkRefusedError, SliceChangedError
from airflow_zendesk.storage.store import Store, Version, put_and_confirm
from airflow_zendesk.zendesk.resources import RESOURCES

Outcome = Literal["published", "unchanged"]


@dataclass(frozen=True, slots=True)
class PublishResult:
    """The outcome of a publication, what is stored now, and how it differs from the version it replaced, if any.

    ``seconds_late`` is how late the latest added event was, at least: it had happened that long before the old version
    was extracted, by the server's clock, and was not delivered then.
    """

    outcome: Outcome
    footer: Footer
    size: int
    diff: SliceDiff | None = None
    seconds_late: int | None = None


def publish(
    store: Store, settings: DatasetSettings, sealed: SealedSlice, expected: Version | None, *, allow_shrink: bool
) -> PublishResult:
    """Publish a slice, unless the same rows are stored already; settings are stored, or compared, before it.

    Objects that have moved on, and so are missing in the new slice of a state resource, are kept as they are stored.

    Args:
        store: where the dataset is.
        settings: the dataset's settings.
        sealed: the slice.
        expected: the version that was stored before the extraction began, or None.
        allow_shrink: whether the slice may lose events that are stored, which is how redacted events are erased.

    Raises:
        DatasetMismatchError: the dataset was made with other settings.
        ShrinkRefusedError: the stored slice has events that this one lacks.
        SliceChangedError: another run published other rows during the extraction.
        DamagedObjectError: the object in its place is not a slice.
        NewerSchemaError: a newer version of this package wrote the stored slice.
        StorageError: the storage fails.
    """
    ensure_settings(store, settings)
    key = sealed.key
    current = store.version(key)
    if current is not None and RESOURCES[settings.resource].has_moving_objects and not allow_shrink:
        with open_slice(store, key) as stored:
            # Refuses an object whose rows have other columns.
            read_footer(stored, store.uri(key))
            with keep_stored(settings, sealed, stored, store.uri(key)) as merged:
                return _publish(store, merged, current, expected, allow_shrink=False)
    return _publish(store, sealed, current, expected, allow_shrink=allow_shrink)


def _publish(
    store: Store, sealed: SealedSlice, current: Version | None, expected: Version | None, *, allow_shrink: bool
) -> PublishResult:
    key = sealed.key
    published = PublishResult("published", sealed.footer, sealed.size)
    if current is not None:
        with open_slice(store, key) as stored:
            footer = read_footer(stored, store.uri(key))
            if footer.digest == sealed.footer.digest:
                return PublishResult("unchanged", sealed.footer, sealed.size)
            if current != expected:
                raise SliceChangedError(store.uri(key))
            diff = diff_slices(stored, pq.ParquetFile(sealed.file), store.uri(key))
        if diff.removed and not allow_shrink:
            raise ShrinkRefusedError(store.uri(key), footer.rows, sealed.footer.rows, diff.removed)
        published = replace(published, diff=diff, seconds_late=_seconds_late(diff, footer))
    digest = sealed.footer.digest
    put_and_confirm(store, key, sealed.file, expected, lambda: stored_footer(store, key).digest == digest)
    return published


def stored_footer(store: Store, key: str) -> Footer:
    """The footer of a stored slice; raises ``DamagedObjectError`` if the object is not a slice."""
    with open_slice(store, key) as file:
        return read_footer(file, store.uri(key))


@contextmanager
def open_slice(store: Store, key: str) -> Iterator[pq.ParquetFile]:
    """A stored object, opened as Parquet; raises ``DamagedObjectError`` if it is not Parquet.

    If it cannot be opened, or cannot be read within the block, a ``StorageError`` is raised.
    """
    with store.translate_errors(key), store.open(key) as source:
        try:
            file = pq.ParquetFile(source)
        except pa.ArrowInvalid:
            raise DamagedObjectError(store.uri(key), "it is not a Parquet file") from None
        yield file


def _seconds_late(diff: SliceDiff, stored: Footer) -> int | None:
    if diff.oldest_added is None:
        return None
    return stored.certificate.server_date_at_least - diff.oldest_added
