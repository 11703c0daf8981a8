"""From a sealed slice to the object that readers see."""

import io
from typing import Any

import msgspec
import pytest

from airflow_zendesk.dataset.diff import SliceDiff
from airflow_zendesk.dataset.layout import slice_key
from airflow_zendesk.dataset.publish import Outcome, publish
from airflow_zendesk.dataset.settings import read_settings
from airflow_zendesk.exceptions import (
    DamagedObjectError,
    DatasetMismatchError,
    ShrinkRefusedError,
    SliceChangedError,
)
from airflow_zendesk.storage.store import Store
from tests.support.slices import DAY, SETTINGS, content, event, sealed

KEY = slice_key("ticket_events", DAY)
ONE = [event(1)]
TWO = [event(1), event(2)]


def attempt(
    store: Store, records: list[dict[str, Any]], *, expected: str | None = "", allow_shrink: bool = False
) -> tuple[Outcome, SliceDiff | None, int | None]:
    """Publish the records; by default, in place of the version that is stored now."""
    with sealed(records) as slice_:
        version = store.version(KEY) if expected == "" else expected
        result = publish(store, SETTINGS, slice_, version, allow_shrink=allow_shrink)
        assert result.footer == slice_.footer
        return result.outcome, result.diff, result.seconds_late


def test_new_slice_is_published_whole_with_its_record(store: Store) -> None:
    """The object is the sealed file, byte by byte."""
    assert ("published", None, None) == attempt(store, TWO)
    assert content(TWO) == store.read(KEY)
    assert SETTINGS == read_settings(store, "ticket_events")


def test_same_rows_are_not_written_again(store: Store) -> None:
    """In whatever order they came: equal digest, no PUT."""
    attempt(store, TWO)
    version = store.version(KEY)
    assert ("unchanged", None, None) == attempt(store, TWO[::-1])
    assert version == store.version(KEY)


def test_more_or_changed_rows_replace_the_slice(store: Store) -> None:
    """Late events come in, and a changed event is changed; both are counted.

    Event 2 happened at 00:02, and was not among the answers when Zendesk's clock was at 00:05 of the next day.
    """
    attempt(store, ONE)
    late = 86_400 + 300 - 120
    assert ("published", SliceDiff(1, 0, 0, DAY.start_time + 120), late) == attempt(store, TWO)
    changed = [event(1, via="Mail"), event(2)]
    assert ("published", SliceDiff(0, 0, 1, None), None) == attempt(store, changed)
    assert content(changed) == store.read(KEY)


def test_slice_that_would_shrink_is_refused_with_the_counts(store: Store) -> None:
    """Nothing goes in silence, even if as much comes."""
    attempt(store, TWO)
    with pytest.raises(ShrinkRefusedError) as caught:
        attempt(store, [event(1), event(3)])
    assert (2, 2, 1) == (caught.value.stored, caught.value.returned, caught.value.missing)
    assert content(TWO) == store.read(KEY)


def test_slice_shrinks_when_it_is_allowed_to(store: Store) -> None:
    """The way to erase what Zendesk has redacted."""
    attempt(store, TWO)
    assert ("published", SliceDiff(0, 1, 0, None), None) == attempt(store, ONE, allow_shrink=True)
    assert content(ONE) == store.read(KEY)


def test_version_written_during_the_extraction_is_a_conflict(store: Store) -> None:
    """A slow attempt must not put old rows over new ones, nor a first one over a rival's."""
    before = store.version(KEY)
    attempt(store, TWO)
    with pytest.raises(SliceChangedError):
        attempt(store, ONE, expected=before, allow_shrink=True)
    assert content(TWO) == store.read(KEY)


def test_rival_that_wrote_the_same_rows_did_the_work(store: Store) -> None:
    """Two attempts at one settled slice end as one."""
    before = store.version(KEY)
    attempt(store, TWO)
    assert ("unchanged", None, None) == attempt(store, TWO, expected=before)


def test_other_settings_publish_nothing(store: Store) -> None:
    """Not even where no slice is."""
    attempt(store, TWO)
    with sealed(ONE) as slice_, pytest.raises(DatasetMismatchError):
        publish(store, msgspec.structs.replace(SETTINGS, grain="1h"), slice_, None, allow_shrink=True)
    assert content(TWO) == store.read(KEY)


@pytest.mark.parametrize("foreign", [b"", b"PAR1 but no more", b"some,csv\n"])
def test_foreign_object_in_the_place_of_a_slice_is_left_alone(store: Store, foreign: bytes) -> None:
    """It is not ours to overwrite."""
    store.put(KEY, io.BytesIO(foreign), expected=None)
    with pytest.raises(DamagedObjectError, match="it is not a Parquet file"):
        attempt(store, ONE)
    assert foreign == store.read(KEY)
