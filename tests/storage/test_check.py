"""A storage is tried, and what it does is told in plain words."""

from pathlib import Path
from threading import Semaphore
from typing import IO, Any

import pytest

from airflow_zendesk.destination import open_destination
from airflow_zendesk.exceptions import StorageDeniedError
from airflow_zendesk.storage.check import Finding, check_storage, is_safe, meaning
from airflow_zendesk.storage.local import LocalStore
from airflow_zendesk.storage.store import Store, Version
from tests.support.stores.servers import BUCKET, StoreServer

SAFE = "Exports there are safe. Two runs of one slice at once cannot harm each other: the storage decides."


def failed(findings: list[Finding]) -> list[str]:
    """The checks that did not hold."""
    return [finding.check for finding in findings if not finding.held]


@pytest.mark.parametrize("name", ["local", "moto", "azurite", "gcs"])
def test_storage_that_decides_is_safe(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """All checks hold, and nothing is left."""
    destination = tmp_path.as_uri() if name == "local" else request.getfixturevalue(name).destination()
    store = open_destination(destination)
    findings = list(check_storage(store))
    assert [] == failed(findings)
    assert (True, SAFE) == (is_safe(findings), meaning(findings))
    assert ["reach", "write", "read", "create once", "replace", "replace known", "race", "one request", "ranges"] == [
        finding.check for finding in findings
    ][:9]
    assert {} == store.list("_check_storage")
    assert [] == list(tmp_path.iterdir())


def test_lying_storage_is_safe_for_settled_slices(lying_gcs: StoreServer) -> None:
    """It ignores conditions, and several writers win: told with what it means."""
    findings = list(check_storage(open_destination(lying_gcs.destination())))
    assert ["create once", "replace known", "race"] == failed(findings)
    told = {finding.check: finding.told for finding in findings}
    assert "An object that must not be there yet is overwritten: the condition is ignored." == told["create once"]
    assert "Of 12 writers at once 12 won." == told["race"]
    assert is_safe(findings)
    assert "does not decide between two runs of one slice (see create once, replace known, race)" in meaning(findings)


def test_missing_bucket_ends_the_check(moto: StoreServer) -> None:
    """With the sentence of the error."""
    findings = list(check_storage(open_destination(moto.bucket.replace(BUCKET, "no-such-bucket"))))
    assert ["reach"] == failed(findings)
    assert "The bucket, container or folder of" in findings[0].told
    assert (False, "Exports there are not safe: see reach.") == (is_safe(findings), meaning(findings))


class Worm(LocalStore):
    """A disk that never deletes."""

    def delete(self, key: str) -> None:
        """Refuse."""
        raise StorageDeniedError(self.uri(key), "EPERM")


class Forgetful(LocalStore):
    """A disk that gives back something else."""

    def read(self, key: str) -> bytes | None:
        """Some bytes."""
        return super().read(key) and b"something else"


class Late(LocalStore):
    """A disk whose listings are from before."""

    def list(self, folder: str) -> dict[str, Version]:  # noqa: ARG002
        """Nothing yet."""
        return {}


class Piecemeal(LocalStore):
    """A disk that shows what is written while it is written, and is read just then."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.reads = Semaphore(0)

    def read(self, key: str) -> bytes | None:
        """Tell that it was read."""
        try:
            return super().read(key)
        finally:
            self.reads.release()

    def put(self, key: str, file: IO[bytes], expected: Version | None) -> None:
        """Write in two slices."""
        file.seek(0)
        content = file.read()
        path = Path(self._path(key))
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as there:
            there.write(content[: len(content) // 2])
            there.flush()
            if key.endswith("/whole") and expected:
                while self.reads.acquire(blocking=False):
                    pass
                for _ in range(2):  # the first may have begun before
                    assert self.reads.acquire(timeout=60)
            there.write(content[len(content) // 2 :])


@pytest.mark.parametrize(
    ("kind", "failing", "safe"),
    [
        (Worm, ["delete"], True),
        (Forgetful, ["read"], False),
        (Late, ["listing"], False),
        (Piecemeal, ["create once", "replace known", "race", "whole"], False),
    ],
)
def test_what_a_storage_does_wrong_is_found(tmp_path: Path, kind: type[Store], failing: list[str], safe: bool) -> None:
    """Each by the check that is for it; the right to delete is not needed."""
    findings = list(check_storage(open_store_of(kind, tmp_path)))
    assert (failing, safe) == (failed(findings), is_safe(findings))


def open_store_of(kind: type[Store], folder: Path) -> Store:
    """A store of that kind in the folder."""
    plain = open_destination(folder.as_uri())
    return kind(plain._fs, str(folder), folder.as_uri())


def test_only_its_own_folder_is_touched(tmp_path: Path) -> None:
    """Also if somebody else's check is under way."""
    other = tmp_path / "_check_storage" / "somebody" / "object"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"theirs")
    assert is_safe(list(check_storage(open_destination(tmp_path.as_uri()))))
    assert [other] == [path for path in tmp_path.rglob("*") if path.is_file()]
