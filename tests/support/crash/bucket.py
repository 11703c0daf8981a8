"""A bucket in memory that keeps the promises of real ones, and may be told to break off any request."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from itertools import count
from typing import IO, Literal, NamedTuple

from fsspec.implementations.memory import MemoryFileSystem

from airflow_zendesk.exceptions import SliceChangedError, StorageUnavailableError
from airflow_zendesk.storage.store import Store, Token

#: What becomes of a request: it is answered; it never arrives; it is carried out, but the answer is lost; it is carried
#: out, the answer is lost, and the client library sends it again by itself.
Fate = Literal["answered", "lost", "answer lost", "repeated"]


class Version(NamedTuple):
    """What an object is, for a while."""

    content: bytes
    token: Token


@dataclass(frozen=True)
class Write:
    """A version that came, and the one in whose place."""

    writer: str
    key: str
    version: Version
    before: Version | None


class Bucket:
    """Objects by key, each written whole or not at all.

    Args:
        conditional_writes: whether conditions are honoured; there are stores that ignore them.
    """

    def __init__(self, *, conditional_writes: bool = True) -> None:
        self.conditional_writes = conditional_writes
        self.objects: dict[str, Version] = {}
        self.writes: list[Write] = []
        #: What each writer has tried to write last, by writer and key.
        self.offers: dict[tuple[str, str], bytes] = {}
        self._tokens = count(1)

    def write(self, writer: str, key: str, content: bytes, expected: Token | None) -> bool:
        """Write an object if its version is the expected one; says whether it was."""
        self.offers[writer, key] = content
        before = self.objects.get(key)
        if self.conditional_writes and (before.token if before else None) != expected:
            return False
        self.objects[key] = Version(content, f"version {next(self._tokens)}")
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

    def list(self, folder: str) -> dict[str, Token]:
        """The objects in a folder."""
        self._read("list", folder)
        return {key: version.token for key, version in self._bucket.objects.items() if key.rpartition("/")[0] == folder}

    def token(self, key: str) -> Token | None:
        """The token of an object."""
        self._read("token", key)
        version = self._bucket.objects.get(key)
        return version.token if version else None

    def read(self, key: str) -> bytes | None:
        """A small object."""
        self._read("read", key)
        version = self._bucket.objects.get(key)
        return version.content if version else None

    def open(self, key: str) -> IO[bytes]:
        """An object, opened for reading."""
        self._read("open", key)
        return BytesIO(self._bucket.objects[key].content)

    def put(self, key: str, file: IO[bytes], expected: Token | None) -> None:
        """Write a file in place of the expected version; without conditions, look for that version before."""
        if not self._bucket.conditional_writes and self.token(key) != expected:
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

    def _token_of(self, info: dict[str, object]) -> Token:
        raise NotImplementedError

    def _read(self, method: str, key: str) -> None:
        if self._ask(method, key) != "answered":
            raise StorageUnavailableError(self.uri(key), "ECONNRESET")
