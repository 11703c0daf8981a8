"""What the buckets have in common: one request that writes an object, on a condition."""

import asyncio
import io
import os
from abc import abstractmethod
from collections.abc import Coroutine
from typing import IO, Any, ClassVar, TypeVar

from fsspec import AbstractFileSystem

from airflow_zendesk.exceptions import SliceChangedError, SliceTooLargeError
from airflow_zendesk.storage.errors import answer
from airflow_zendesk.storage.store import Store, Version

_T = TypeVar("_T")

#: A PUT may take the patience of its store, and as long as this rate needs for the body.
_LEAST_BYTES_PER_SECOND = 100_000


class BucketStore(Store):
    """A bucket of a cloud: an object is written by one request, or not at all.

    The clients of the clouds would split what is large. They are not asked to: a request that is one can name the
    version that it replaces, and nothing else is ever seen.

    Args:
        fs: the file system, one of fsspec that works with ``asyncio``.
        root: the folder, beginning with the bucket.
        uri: the folder as a URI without credentials.
        patience: seconds that a PUT may take in all, beyond the time that its body needs at 100 kB/s.
    """

    max_put_bytes: ClassVar[int]

    def __init__(self, fs: AbstractFileSystem, root: str, uri: str, *, patience: float = 300.0) -> None:
        super().__init__(fs, root, uri)
        self._patience = patience

    def check_access(self) -> None:
        """See that the bucket is there and may be listed."""
        with self.translate_errors(""):
            self._wait_for(self._list_one(*self._address("")), self._patience)

    def put(self, key: str, file: IO[bytes], expected: Version | None) -> None:
        """Write the whole file as one object, by one request."""
        size = file.seek(0, os.SEEK_END)
        if size > self.max_put_bytes:
            raise SliceTooLargeError(self.uri(key), size, self.max_put_bytes)
        bucket, name = self._address(key)
        with self.translate_errors(key):
            try:
                body = Body(file)
                self._wait_for(
                    self._send(bucket, name, body, size, expected), self._patience + size / _LEAST_BYTES_PER_SECOND
                )
            except Exception as error:
                if self._is_conflict(error):
                    raise SliceChangedError(self.uri(key)) from None
                raise

    @abstractmethod
    async def _list_one(self, bucket: str, prefix: str) -> None:
        """Ask for the first object below the prefix; fails if there is no such bucket, and only then."""

    @abstractmethod
    async def _send(self, bucket: str, name: str, body: "Body", size: int, expected: Version | None) -> None:
        """Send the request, with the condition."""

    def _is_conflict(self, error: Exception) -> bool:
        """Whether the storage says that the condition does not hold."""
        status, _ = answer(error)
        return status == 412  # noqa: PLR2004  Precondition Failed

    def _address(self, key: str) -> tuple[str, str]:
        bucket, name, *_ = self._fs.split_path(self._path(key))
        return bucket, name or ""

    def _wait_for(self, work: Coroutine[Any, Any, _T], seconds: float) -> _T:
        """Wait for work on the file system's own thread; when the wait ends otherwise, so does the work.

        fsspec's own way would leave it running behind the back of a task that was stopped by a signal.
        """
        future = asyncio.run_coroutine_threadsafe(work, self._fs.loop)
        try:
            return future.result(seconds)
        finally:
            future.cancel()


class Body(io.RawIOBase):
    """A file as the body of a request: from its start, and still open when a client has closed it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        file.seek(0)

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is: clients send it again."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read as much as fits."""
        content = self._file.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The position."""
        return self._file.tell()

    def close(self) -> None:
        """Stay open: aiohttp closes what it has sent, and gcsfs may send it again."""
