"""Footers are read once for each version of an object."""

import io

from airflow_zendesk.dataset.layout import slice_key
from airflow_zendesk.storage.store import Store
from airflow_zendesk.verify.footers import FooterCache, ReadFooter
from tests.support.forged_slices import valid_slice
from tests.support.slices import DAY, event

KEY = slice_key("ticket_events", DAY)


def test_unreadable_object_is_read_again(store: Store) -> None:
    """It may have been missing for a moment: its version can come back."""
    cache = FooterCache()
    removed = "the object was removed after the folder was listed. Load the page again."
    assert {KEY: ReadFooter(None, removed)} == cache.read(store, {KEY: "1"})
    store.put(KEY, io.BytesIO(valid_slice(DAY, [event(1, timestamp=DAY.start_time)])), expected=None)
    footer = cache.read(store, {KEY: "1"})[KEY].footer
    assert footer
    assert 1 == footer.rows


def test_readable_object_is_not_read_again(store: Store) -> None:
    """Another version is."""
    cache = FooterCache()
    store.put(KEY, io.BytesIO(valid_slice(DAY, [event(1, timestamp=DAY.start_time)])), expected=None)
    before = cache.read(store, {KEY: "1"})
    store.put(KEY, io.BytesIO(b"not Parquet"), expected=store.version(KEY))
    assert before == cache.read(store, {KEY: "1"})
    damage = "it is not a Parquet file. Move the object away and export the slice again."
    assert {KEY: ReadFooter(None, damage)} == cache.read(store, {KEY: "2"})
