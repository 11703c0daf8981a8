"""The store in a folder on a disk."""

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from airflow_zendesk.destination import open_destination
from airflow_zendesk.exceptions import (
    SliceChangedError,
    StorageDeniedError,
    StorageFullError,
    StorageNotFoundError,
    StorageUnavailableError,
)
from airflow_zendesk.storage.store import Store
from tests.support.file_size_limit import file_size_limit


class Broken(io.BytesIO):
    """A file that cannot be read."""

    def read(self, _: int | None = -1) -> bytes:
        """Fail like a broken disk."""
        raise OSError(5, "Input/output error")


@contextmanager
def as_nobody() -> Iterator[None]:
    """Drop the rights of root, which may write anywhere."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.fixture
def read_only() -> Iterator[Path]:
    """A folder that everyone may read and nobody may write."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "there").write_bytes(b"one")
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o755)


def test_no_temporary_file_is_left_behind(local_store: Store, tmp_path: Path) -> None:
    """After a success, a conflict and an error only the object is there."""
    local_store.put("day/key", io.BytesIO(b"one"), expected=None)
    with pytest.raises(SliceChangedError):
        local_store.put("day/key", io.BytesIO(b"two"), expected=None)
    with pytest.raises(StorageUnavailableError, match=r"for file:///.*/day/other as expected \(EIO\)"):
        local_store.put("day/other", Broken(), expected=None)
    assert ["key"] == [path.name for path in (tmp_path / "day").iterdir()]


def test_exceeded_quota_is_named_and_leaves_no_partial_file(local_store: Store, tmp_path: Path) -> None:
    """The stored version is kept."""
    local_store.put("key", io.BytesIO(b"one"), expected=None)
    with (
        file_size_limit(100_000),
        pytest.raises(StorageFullError, match=r"There is no space for file:///.*/key \(EFBIG\)"),
    ):
        local_store.put("key", io.BytesIO(b"2" * 1_000_000), expected=local_store.version("key"))
    assert (b"one", ["key"]) == (local_store.read("key"), [path.name for path in tmp_path.iterdir()])


def test_file_is_not_a_destination(tmp_path: Path) -> None:
    """The error does not advise to change any rights."""
    file = tmp_path / "file"
    file.touch()
    for destination in (file, file / "zendesk"):
        with pytest.raises(StorageNotFoundError, match=rf"not exist \({file} is a file\)\. Correct the destination"):
            open_destination(destination).check_access()


def test_read_only_folder_is_named_by_the_check_of_access(read_only: Path) -> None:
    """A destination that does not exist yet is checked by its nearest parent."""
    with as_nobody():
        for folder in (read_only, read_only / "new" / "zendesk"):
            with pytest.raises(StorageDeniedError, match=rf"denied \({read_only} cannot be written to\)"):
                open_destination(folder.as_uri()).check_access()
        with pytest.raises(StorageDeniedError, match=r"/key is denied \(EACCES\)"):
            open_destination(read_only.as_uri()).put("key", io.BytesIO(b"two"), expected=None)
    assert ["there"] == [path.name for path in read_only.iterdir()]


def test_listing_is_that_of_fsspec(local_store: Store, tmp_path: Path) -> None:
    """The same keys and versions in the same order: nested, empty, hidden and linked files."""
    for name in ("data/b/two", "data/a/one", "data/.hidden.tmp", "data/b/c/three"):
        local_store.put(name, io.BytesIO(name.encode()), expected=None)
    local_store.put("data/empty", io.BytesIO(), expected=None)
    (tmp_path / "data/link").symlink_to(tmp_path / "data/a/one")
    (tmp_path / "data/link_to_folder").symlink_to(tmp_path / "data/a")
    found = local_store.walk_sizes("data")
    names = [".hidden.tmp", "a/one", "b/c/three", "b/two", "empty", "link", "link_to_folder"]
    assert [f"data/{name}" for name in names] == list(found)
    assert Store._find(local_store, "data") == (found, [])
    assert (local_store.version("data/b/two"), 10) == found["data/b/two"]
    assert {} == local_store.walk("nothing")


def test_folder_that_cannot_be_read_is_not_an_empty_one(local_store: Store, tmp_path: Path) -> None:
    """Its slices would be reported as missing."""
    local_store.put("data/day/key", io.BytesIO(b"one"), expected=None)
    tmp_path.chmod(0o755)
    (tmp_path / "data/day").chmod(0)
    with as_nobody(), pytest.raises(StorageDeniedError, match="is denied"):
        local_store.walk("data")
