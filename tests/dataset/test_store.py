"""What a dataset needs of a folder."""

import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from airflow_zendesk.dataset.store import Store
from airflow_zendesk.dataset.stores import open_store
from airflow_zendesk.exceptions import PublishConflictError, StorageFullError


def test_what_is_put_is_read(store: Store) -> None:
    """Whole, by its key, with a token that changes with each version."""
    assert (None, None) == (store.token("a/b.parquet"), store.read("a/b.parquet"))
    store.put("a/b.parquet", io.BytesIO(b"one"), expected=None)
    first = store.token("a/b.parquet")
    store.put("a/b.parquet", io.BytesIO(b"two"), expected=first)
    assert b"two" == store.read("a/b.parquet")
    with store.open("a/b.parquet") as file:
        assert b"two" == file.read()
    assert first != store.token("a/b.parquet")


def test_file_is_put_from_its_start(store: Store) -> None:
    """Wherever the writer left it."""
    file = io.BytesIO(b"whole")
    file.seek(0, os.SEEK_END)
    store.put("key", file, expected=None)
    assert b"whole" == store.read("key")


def test_version_that_was_not_expected_is_kept(store: Store) -> None:
    """Somebody else's newer version is a conflict, and stays; so is one that is gone."""
    store.put("key", io.BytesIO(b"one"), expected=None)
    first = store.token("key")
    with pytest.raises(PublishConflictError):
        store.put("key", io.BytesIO(b"two"), expected=None)
    store.put("key", io.BytesIO(b"two"), expected=first)
    with pytest.raises(PublishConflictError):
        store.put("key", io.BytesIO(b"three"), expected=first)
    with pytest.raises(PublishConflictError):
        store.put("other", io.BytesIO(b"three"), expected=first)
    assert (b"two", None) == (store.read("key"), store.read("other"))


def test_listing_gives_the_objects_of_one_folder(store: Store) -> None:
    """By key, with the tokens that asking for each would give; a folder that is not there is empty."""
    assert {} == store.list("r/day")
    for key in ("r/day/1", "r/day/2", "r/other/3"):
        store.put(key, io.BytesIO(b"x"), expected=None)
    assert {key: store.token(key) for key in ("r/day/1", "r/day/2")} == store.list("r/day")


def test_uri_is_that_of_the_folder_and_the_key() -> None:
    """As reports and readers need it."""
    assert "file:///data/zendesk/r/1" == open_store(LocalFileSystem(), "/data/zendesk/", "file:///data/zendesk/").uri(
        "r/1"
    )


def test_local_put_leaves_nothing_else_behind(local_store: Store, tmp_path: Path) -> None:
    """Neither after a success nor after a conflict, nor after an error in the middle of the file."""

    class Broken(io.BytesIO):
        def read(self, _: int | None = -1) -> bytes:
            raise OSError(28, "No space left on device")

    local_store.put("day/key", io.BytesIO(b"one"), expected=None)
    with pytest.raises(PublishConflictError):
        local_store.put("day/key", io.BytesIO(b"two"), expected=None)
    with pytest.raises(StorageFullError, match=r"There is no room for file://.*/day/other \(ENOSPC\)"):
        local_store.put("day/other", Broken(), expected=None)
    assert ["key"] == [path.name for path in (tmp_path / "day").iterdir()]


def test_of_twelve_local_writers_one_wins(local_store: Store) -> None:
    """It is decided under a lock."""

    def put(number: int) -> bool:
        try:
            local_store.put("put", io.BytesIO(b"%d" % number), expected=None)
        except PublishConflictError:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        assert 1 == sum(pool.map(put, range(12)))
