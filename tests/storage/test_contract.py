"""The contract of every store: on a disk, in memory, on S3, on Azure Blob and on Google Cloud Storage."""

import io
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from airflow_zendesk.destination import open_destination
from airflow_zendesk.exceptions import SliceChangedError, SliceTooLargeError, StorageNotFoundError
from airflow_zendesk.storage.other import OtherStore
from airflow_zendesk.storage.store import Store
from tests.support.stores.proxy import proxy_of
from tests.support.stores.servers import BUCKET, StoreServer, connected

KEY = "ticket_events/event_date=2026-01-31/20260131T000000Z--20260201T000000Z.parquet"


class Endless(io.BytesIO):
    """A file that reports any size, and is never read."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Report the size as the position of the end."""
        return self._size if whence == os.SEEK_END else super().seek(offset, whence)


def test_object_that_was_put_is_read(store: Store) -> None:
    """Its version changes with each PUT."""
    store.check_access()
    assert (None, None) == (store.version(KEY), store.read(KEY))
    store.put(KEY, io.BytesIO(b"one"), expected=None)
    first = store.version(KEY)
    store.put(KEY, io.BytesIO(b"two"), expected=first)
    assert b"two" == store.read(KEY)
    with store.open(KEY) as file:
        assert b"two" == file.read()
    assert first != store.version(KEY)


def test_unexpected_version_is_a_conflict_and_is_kept(store: Store) -> None:
    """A newer version and a missing object are conflicts too."""
    store.put(KEY, io.BytesIO(b"one"), expected=None)
    first = store.version(KEY)
    with pytest.raises(SliceChangedError):
        store.put(KEY, io.BytesIO(b"two"), expected=None)
    store.put(KEY, io.BytesIO(b"two"), expected=first)
    with pytest.raises(SliceChangedError):
        store.put(KEY, io.BytesIO(b"three"), expected=first)
    with pytest.raises(SliceChangedError):
        store.put("other", io.BytesIO(b"three"), expected=first)
    assert (b"two", None) == (store.read(KEY), store.read("other"))


def test_walk_returns_all_objects_below_a_folder(store: Store) -> None:
    """At any depth, hidden ones included, with their versions; other folders are not included."""
    assert {} == store.walk("r")
    inside = ("r/1", "r/day/2", "r/day/.3.tmp", "r/r/day/4")
    for key in (*inside, "_datasets/r.json", "rr/5"):
        store.put(key, io.BytesIO(b"x"), expected=None)
    assert {key: store.version(key) for key in inside} == store.walk("r")
    assert dict.fromkeys(inside, 1) == {key: listed.size for key, listed in store.walk_sizes("r").items()}


def test_file_is_put_from_its_start_and_stays_open(store: Store) -> None:
    """The position of the file does not matter, and a second PUT can send it again."""
    file = io.BytesIO(b"whole")
    file.seek(0, os.SEEK_END)
    store.put("one", file, expected=None)
    store.put("other", file, expected=None)
    assert (b"whole", b"whole") == (store.read("one"), store.read("other"))


def test_list_returns_the_objects_of_one_folder(store: Store) -> None:
    """The versions are those that ``version`` returns, and are current; a missing folder is empty."""
    assert {} == store.list("r/day")
    for key in ("r/day/1", "r/day/2", "r/other/3"):
        store.put(key, io.BytesIO(b"x"), expected=None)
        assert (key in store.list("r/day")) == key.startswith("r/day")
    assert {key: store.version(key) for key in ("r/day/1", "r/day/2")} == store.list("r/day")


def test_one_of_twelve_concurrent_writers_is_accepted(store: Store) -> None:
    """The storage or a lock decides; a store without either reports it."""
    if isinstance(store, OtherStore):
        assert not store.conditional_writes
        return
    assert store.conditional_writes

    def put(number: int) -> bool:
        try:
            store.put(KEY, io.BytesIO(b"%d" % number), expected=None)
        except SliceChangedError:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        won = list(pool.map(put, range(12)))
    assert 1 == sum(won)
    assert b"%d" % won.index(True) == store.read(KEY)


def test_large_file_is_one_request(server: StoreServer) -> None:
    """The clients of Azure and Google would split a file of 65 MiB."""
    with proxy_of(server.url) as proxy, connected(server.behind(proxy.url, f"{server.conn_id}_whole")) as behind:
        store = open_destination(behind.destination())
        content = bytes(range(256)) * (65 * 2**12)
        store.put(KEY, io.BytesIO(content), expected=None)
        assert 1 == len(proxy.uploads)
        assert content == store.read(KEY)


def test_file_beyond_the_limit_of_one_request_is_refused(server: StoreServer) -> None:
    """Nothing is sent, and no file is split."""
    store = open_destination(server.destination())
    limits = {"s3": 5_368_709_120, "abfs": 5_242_880_000, "gs": 5_497_558_138_880}
    assert limits[server.scheme] == store.max_put_bytes
    with pytest.raises(SliceTooLargeError, match="smaller grain"):
        store.put(KEY, Endless(limits[server.scheme] + 1), expected=None)
    assert store.version(KEY) is None


def test_missing_bucket_is_named(server: StoreServer) -> None:
    """The check of access and a PUT report it; it is neither an empty bucket nor a conflict."""
    store = open_destination(server.bucket.replace(BUCKET, "no-such-bucket"))
    uri = f"{server.scheme}://no-such-bucket"
    with pytest.raises(StorageNotFoundError, match=rf"The bucket, container or folder of {uri} does not exist \("):
        store.check_access()
    for expected in (None, "7"):
        with pytest.raises(StorageNotFoundError, match=f"of {uri}/key"):
            store.put("key", io.BytesIO(b"content"), expected)


def test_uri_has_the_folder_and_the_key(server: StoreServer) -> None:
    """It does not contain the connection id."""
    assert f"{server.scheme}://exports/zendesk/r/1" == open_destination(f"{server.bucket}/zendesk/").uri("r/1")
