"""Checking a storage, and the summary of the results."""

from pathlib import Path
from threading import Semaphore
from typing import IO, Any

import pytest

from airflow_zendesk.destination import open_destination
from airflow_zendesk.exceptions import StorageDeniedError
from airflow_zendesk.storage.check import StorageCheckResult, check_storage, is_safe, summarize
from airflow_zendesk.storage.local import LocalStore
from airflow_zendesk.storage.store import Store, Version
from tests.support.stores.servers import BUCKET, StoreServer

SAFE = "Exports to this storage are safe. Of two concurrent exports of one slice, the storage accepts only one."


def failed(results: list[StorageCheckResult]) -> list[str]:
    """The checks that did not pass."""
    return [result.check for result in results if not result.passed]


@pytest.mark.parametrize("name", ["local", "moto", "azurite", "gcs"])
def test_storage_with_conditional_writes_is_safe(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """All checks pass, and all objects of the check are deleted."""
    destination = tmp_path.as_uri() if name == "local" else request.getfixturevalue(name).destination()
    store = open_destination(destination)
    results = list(check_storage(store))
    assert [] == failed(results)
    assert (True, SAFE) == (is_safe(results), summarize(results))
    assert [
        "access", "write", "read", "conditional create", "replace", "conditional replace", "concurrent writes",
        "single request", "range read",
    ] == [result.check for result in results][:9]  # fmt: skip
    assert {} == store.list("_check_storage")
    assert [] == list(tmp_path.iterdir())


def test_storage_that_ignores_conditions_is_safe_for_settled_slices(lying_gcs: StoreServer) -> None:
    """Several writers are accepted, and the summary says what follows."""
    results = list(check_storage(open_destination(lying_gcs.destination())))
    assert ["conditional create", "conditional replace", "concurrent writes"] == failed(results)
    messages = {result.check: result.message for result in results}
    assert (
        "A write on the condition that there is no object was accepted: the condition is ignored."
        == messages["conditional create"]
    )
    assert "Of 12 concurrent writes 12 were accepted; exactly 1 should be." == messages["concurrent writes"]
    assert is_safe(results)
    assert (
        "of two concurrent exports of one slice the last one wins (see conditional create, conditional replace, "
        "concurrent writes)" in summarize(results)
    )


def test_missing_bucket_ends_the_check(moto: StoreServer) -> None:
    """The message is that of the error."""
    results = list(check_storage(open_destination(moto.bucket.replace(BUCKET, "no-such-bucket"))))
    assert ["access"] == failed(results)
    assert "The bucket, container or folder of" in results[0].message
    assert (False, "Exports to this storage are not safe: see access.") == (is_safe(results), summarize(results))


class NoDelete(LocalStore):
    """A disk that refuses to delete."""

    def delete(self, key: str) -> None:
        """Refuse."""
        raise StorageDeniedError(self.uri(key), "EPERM")


class Corrupting(LocalStore):
    """A disk that returns other content than was written."""

    def read(self, key: str) -> bytes | None:
        """Return some bytes."""
        return super().read(key) and b"something else"


class StaleListing(LocalStore):
    """A disk whose listings are out of date."""

    def list(self, folder: str) -> dict[str, Version]:  # noqa: ARG002
        """List nothing."""
        return {}


class NotAtomic(LocalStore):
    """A disk on which a file is visible while it is written, and is read at that moment."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.reads = Semaphore(0)

    def read(self, key: str) -> bytes | None:
        """Read, and signal it."""
        try:
            return super().read(key)
        finally:
            self.reads.release()

    def put(self, key: str, file: IO[bytes], expected: Version | None) -> None:
        """Write the file in two steps."""
        file.seek(0)
        content = file.read()
        path = Path(self._path(key))
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as there:
            there.write(content[: len(content) // 2])
            there.flush()
            if key.endswith("/replaced") and expected:
                while self.reads.acquire(blocking=False):
                    pass
                for _ in range(2):  # the first may have begun before
                    assert self.reads.acquire(timeout=60)
            there.write(content[len(content) // 2 :])


@pytest.mark.parametrize(
    ("kind", "failing", "safe"),
    [
        (NoDelete, ["delete"], True),
        (Corrupting, ["read"], False),
        (StaleListing, ["listing"], False),
        (NotAtomic, ["conditional create", "conditional replace", "concurrent writes", "atomic replace"], False),
    ],
)
def test_each_defect_is_found_by_its_check(tmp_path: Path, kind: type[Store], failing: list[str], safe: bool) -> None:
    """The right to delete is not required."""
    results = list(check_storage(open_store_of(kind, tmp_path)))
    assert (failing, safe) == (failed(results), is_safe(results))


def open_store_of(kind: type[Store], folder: Path) -> Store:
    """Open the folder with this class of store."""
    plain = open_destination(folder.as_uri())
    return kind(plain._fs, str(folder), folder.as_uri())


def test_check_deletes_only_its_own_objects(tmp_path: Path) -> None:
    """Another check may run at the same time."""
    other = tmp_path / "_check_storage" / "somebody" / "object"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"theirs")
    assert is_safe(list(check_storage(open_destination(tmp_path.as_uri()))))
    assert [other] == [path for path in tmp_path.rglob("*") if path.is_file()]
