"""A bucket in memory that keeps the promises of real ones, and may be told to break off any request."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from itertools import count
from typing import IO, Literal, NamedTuple

from fsspec.implementations.memory import MemoryFileSystem

from airflow_zendesk.exceptions import SliceChangedError, StorageUnavailableError
from airflow_zendesk.storage.store import Store, Version

#: What becomes of a request: it is answered; it never arrives; it is carried out, but the answer is lost; it is carried
#: out, the answer is lost, and the client library sends it again by itself.
Fate = Literal["answered", "lost", "answer lost", "repeated"]


class ObjectVersion(NamedTuple):
    """What an object is, for a while."""

    content: bytes
    version: Version


@dataclass(frozen=True)
class Write:
    """A version that came, and the one in whose place."""

    writer: str
    key: str
    version: ObjectVersion
    before: ObjectVersion | None


class Bucket:
    """Objects by key, each written whole or not at all.

    Args:
        conditional_writes: whether conditions are honoured; there are stores that ignore them.
    """

    def __init__(self, *, conditional_writes: bool = True) -> None:
        self.conditional_writes = conditional_writes
        self.objects: dict[str, ObjectVersion] = {}
        self.writes: list[Write] = []
        #: What each writer has tried to write last, by writer and key.
        self.offers: dict[tuple[str, str], bytes] = {}
        self._tokens = count(1)

    def write(self, writer: str, key: str, content: bytes, expected: Version | None) -> bool:
        """Write an object if its version is the expected one; says whether it was."""
        self.offers[writer, key] = content
        before = self.objects.get(key)
        if self.conditional_writes and (before.version if before else None) != expected:
            return False
        self.objects[key] = ObjectVersion(content, f"version {next(self._tokens)}")
        self.writes.append(Write(writer, key, self.objects[key], before))
        return True


class SteppedStore(Store):
    """A bucket as one attempt sees it: before each request it asks what is to become of it.

    Args:
        bucket: the objects.
        writer: whose requests these are.
        ask: is told the method and the key of each request.
    """

    def __init__(self, bucket: Bucket, writer: str, ask: Callable[[str, str], Fate]) -> None:
        super().__init__(MemoryFileSystem(), "", "memory://bucket")
        self._bucket = bucket
        self._writer = writer
        self._ask = ask

    def list(self, folder: str) -> dict[str, Version]:
        """The objects in a folder."""
        self._read("list", folder)
        return {
            key: version.version for key, version in self._bucket.objects.items() if key.rpartition("/")[0] == folder
        }

    def version(self, key: str) -> Version | None:
        """The token of an object."""
        self._read("token", key)
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
        """Write a file in place of the expected version; without conditions, look for that version before."""
        if not self._bucket.conditional_writes and self.version(key) != expected:
            raise SliceChangedError(self.uri(key))
        fate = self._ask("put", key)
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
        if self._ask(method, key) != "answered":
            raise StorageUnavailableError(self.uri(key), "ECONNRESET")
