"""A bucket in memory with the guarantees of real ones, in which each request waits for the test and can be lost."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from itertools import count
from typing import IO, Literal, NamedTuple

from fsspec.implementations.memory import MemoryFileSystem

from airflow_zendesk.exceptions import SliceChangedError, StorageUnavailableError
from airflow_zendesk.storage.store import Store, Version

#: The fate of a request. ``answered``: it is carried out and answered. ``lost``: it never arrives. ``answer lost``: it
#: is carried out, but the answer is lost. ``repeated``: the answer is lost, and the client library sends it again.
Fate = Literal["answered", "lost", "answer lost", "repeated"]


class ObjectVersion(NamedTuple):
    """One version of an object."""

    content: bytes
    version: Version


@dataclass(frozen=True)
class Write:
    """A version that was written, and the one that it replaced."""

    writer: str
    key: str
    version: ObjectVersion
    before: ObjectVersion | None


class Bucket:
    """Objects by key. Each is written whole or not at all.

    Args:
        conditional_writes: whether conditions are honoured; some stores ignore them.
    """

    def __init__(self, *, conditional_writes: bool = True) -> None:
        self.conditional_writes = conditional_writes
        self.objects: dict[str, ObjectVersion] = {}
        self.writes: list[Write] = []
        #: What each writer last tried to write, by writer and key.
        self.offers: dict[tuple[str, str], bytes] = {}
        self._numbers = count(1)

    def write(self, writer: str, key: str, content: bytes, expected: Version | None) -> bool:
        """Write an object if its version is the expected one; return whether it was."""
        self.offers[writer, key] = content
        before = self.objects.get(key)
        if self.conditional_writes and (before.version if before else None) != expected:
            return False
        self.objects[key] = ObjectVersion(content, f"version {next(self._numbers)}")
        self.writes.append(Write(writer, key, self.objects[key], before))
        return True


class SteppedStore(Store):
    """A bucket as one attempt sees it. Every request calls ``before_request`` first.

    Args:
        bucket: the objects.
        writer: the attempt that sends the requests.
        before_request: called with the method and the key of each request; returns the fate of the request.
    """

    def __init__(self, bucket: Bucket, writer: str, before_request: Callable[[str, str], Fate]) -> None:
        super().__init__(MemoryFileSystem(), "", "memory://bucket")
        self._bucket = bucket
        self._writer = writer
        self._before_request = before_request

    def list(self, folder: str) -> dict[str, Version]:
        """The objects in a folder."""
        self._read("list", folder)
        return {
            key: version.version for key, version in self._bucket.objects.items() if key.rpartition("/")[0] == folder
        }

    def version(self, key: str) -> Version | None:
        """The version of an object."""
        self._read("version", key)
        version = self._bucket.objects.get(key)
        return version.version if version else None

    def read(self, key: str) -> bytes | None:
        """A small object."""
        self._read("read", key)
        version = self._bucket.objects.get(key)
        return version.content if version else None

    def open(self, key: str) -> IO[bytes]:
        """An object, opened for reading."""
        self._read("open", key)
        return BytesIO(self._bucket.objects[key].content)

    def put(self, key: str, file: IO[bytes], expected: Version | None) -> None:
        """Write a file in place of the expected version; a bucket without conditions is read first."""
        if not self._bucket.conditional_writes and self.version(key) != expected:
            raise SliceChangedError(self.uri(key))
        fate = self._before_request("put", key)
        if fate == "lost":
            raise StorageUnavailableError(self.uri(key), "ETIMEDOUT")
        file.seek(0)
        content = file.read()
        written = self._bucket.write(self._writer, key, content, expected)
        if fate == "answer lost":
            raise StorageUnavailableError(self.uri(key), "ECONNRESET")
        if fate == "repeated":
            written = self._bucket.write(self._writer, key, content, expected)
        if not written:
            raise SliceChangedError(self.uri(key))

    def _version_of(self, info: dict[str, object]) -> Version:
        raise NotImplementedError

    def _read(self, method: str, key: str) -> None:
        if self._before_request(method, key) != "answered":
            raise StorageUnavailableError(self.uri(key), "ECONNRESET")
