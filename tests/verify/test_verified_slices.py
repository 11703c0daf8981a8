"""The results of verifications that are kept beside a dataset."""

import io
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import IO

import msgspec
import pytest
from fsspec.implementations.local import LocalFileSystem

from airflow_zendesk.dataset.layout import slice_key, verified_key
from airflow_zendesk.dataset.settings import ensure_settings
from airflow_zendesk.storage.local import LocalStore
from airflow_zendesk.storage.store import Store, Version
from airflow_zendesk.verify.dataset_check import verify_dataset
from airflow_zendesk.verify.verified_slices import VerifiedSlice, read_verified, write_verified
from airflow_zendesk.window import Grain, Slice, Window
from tests.storage.test_local import as_nobody
from tests.support.forged_slices import valid_slice
from tests.support.slices import DAY, SETTINGS, event

DAYS = Grain.of("1d").slices(Window(DAY.start, DAY.start + timedelta(days=4)))
ALL = Window(DAYS[0].start, DAYS[-1].end)
KEY = verified_key("ticket_events")


def put(store: Store, slice_: Slice, content: bytes | None = None) -> None:
    """Store a slice of two events, one of them late, or other content; it replaces what is stored."""
    number = (slice_.start - DAY.start).days * 10
    records = [
        event(number, timestamp=slice_.start_time - 60),
        event(number + 1, timestamp=slice_.start_time),
    ]
    key = slice_key("ticket_events", slice_)
    store.put(key, io.BytesIO(content or valid_slice(slice_, records)), expected=store.version(key))


def verify(store: Store, window: Window = ALL) -> None:
    """Verify a window, and keep the results."""
    write_verified(store, verify_dataset(store, SETTINGS, window))


def results(store: Store) -> dict[int, tuple[int, int, str | None]]:
    """Rows, late rows and problem of each result, by the number of the day."""
    first = DAY.start_time
    return {
        (start - first) // 86_400: (result.rows, result.late, result.problem)
        for start, result in read_verified(store, "ticket_events").items()
    }


@pytest.fixture
def dataset(store: Store) -> Store:
    """Days 0, 1 and 3; the last one is damaged."""
    ensure_settings(store, SETTINGS)
    for slice_ in DAYS[:2]:
        put(store, slice_)
    put(store, DAYS[3], b"not Parquet")
    return store


def test_each_stored_slice_has_its_result(dataset: Store) -> None:
    """Counts, digest, version and problem; a missing slice has none."""
    assert {} == read_verified(dataset, "ticket_events")
    verify(dataset)
    assert {0: (2, 1, None), 1: (2, 1, None), 3: (0, 0, "damaged")} == results(dataset)
    found = read_verified(dataset, "ticket_events")
    first, damaged = found[DAYS[0].start_time], found[DAYS[3].start_time]
    assert first.version == dataset.version(slice_key("ticket_events", DAYS[0]))
    assert first.digest
    assert first.digest.startswith("sum-sha256:")
    assert damaged.digest is None


def test_later_results_replace_earlier_ones_of_their_window(dataset: Store) -> None:
    """The others stay, unless their version is no longer stored."""
    verify(dataset)
    put(dataset, DAYS[1], valid_slice(DAYS[1], []))
    put(dataset, DAYS[3])
    verify(dataset, Window(DAYS[3].start, DAYS[3].end))
    assert {0: (2, 1, None), 3: (2, 1, None)} == results(dataset)
    verify(dataset)
    assert {0: (2, 1, None), 1: (0, 0, None), 3: (2, 1, None)} == results(dataset)


def test_slice_that_is_replaced_during_the_verification_has_no_result(dataset: Store) -> None:
    """It is unknown which version was read."""
    report = verify_dataset(dataset, SETTINGS, ALL)
    put(dataset, DAYS[3])
    write_verified(dataset, report)
    assert {0: (2, 1, None), 1: (2, 1, None)} == results(dataset)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"x": 1}', b'{"1": ["version"]}', b"\xff"])
def test_unreadable_results_are_written_again(dataset: Store, content: bytes) -> None:
    """They can be deleted at any time, so nobody has to repair them."""
    dataset.put(KEY, io.BytesIO(content), expected=None)
    assert {} == read_verified(dataset, "ticket_events")
    verify(dataset, Window(DAYS[0].start, DAYS[0].end))
    assert {0: (2, 1, None)} == results(dataset)


class ContestedStore(LocalStore):
    """A store in which the results of another verification arrive right before ours, a number of times."""

    def __init__(self, folder: Path, times: int) -> None:
        super().__init__(LocalFileSystem(), str(folder), folder.as_uri())
        self._times = times

    def put(self, key: str, file: IO[bytes], expected: Version | None) -> None:
        """Write the results of the others first."""
        if key == KEY and self._times:
            self._times -= 1
            version = self.version(slice_key("ticket_events", DAYS[self._times]))
            assert version
            others = read_verified(self, "ticket_events")
            others[DAYS[self._times].start_time] = VerifiedSlice(version, 7, 0, "digest", 1)
            super().put(key, io.BytesIO(msgspec.json.encode(others)), self.version(key))
        super().put(key, file, expected)


def contested(folder: Path, times: int) -> Store:
    """Three days in such a store."""
    store = ContestedStore(folder, times)
    ensure_settings(store, SETTINGS)
    for slice_ in DAYS[:3]:
        put(store, slice_)
    return store


def test_results_of_two_verifications_are_merged(tmp_path: Path) -> None:
    """Whichever is written first."""
    store = contested(tmp_path, times=2)
    verify(store, Window(DAYS[2].start, DAYS[2].end))
    assert {0: (7, 0, None), 1: (7, 0, None), 2: (2, 1, None)} == results(store)


def test_results_that_cannot_be_kept_are_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """After three conflicts, or if the storage refuses them. The verification itself has its report."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = contested(folder, times=3)
        verify(store)
        assert {0: (7, 0, None), 1: (7, 0, None), 2: (7, 0, None)} == results(store)
        folder.chmod(0o755)
        with as_nobody():
            verify(store)
    conflict, denied = caplog.messages
    assert "not kept for the coverage pages of Airflow. Other verifications of this dataset have written" in conflict
    assert "_verified/ticket_events.json is denied (EACCES)" in denied
