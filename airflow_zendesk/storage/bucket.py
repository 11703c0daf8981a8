"""Base class of the cloud stores: one conditional request writes an object."""

import asyncio
import io
import os
from abc import abstractmethod
from collections.abc import Coroutine
from typing import IO, Any, ClassVar

from airflow_zendesk.exceptions import SliceChangedError, SliceTooLargeError
from airflow_zendesk.storage.errors import status_and_code
from airflow_zendesk.storage.store import Store, Version

_PRECONDITION_FAILED = 412
#: The slowest upload that does not time out: the timeout of a PUT grows with its body.
_MIN_BYTES_PER_SECOND = 100_000


class BucketStore(Store):
    """A cloud bucket in which one request writes a whole object, or nothing.

    The vendors' clients would split large files into several requests. This class never does: only a single request
    can name the version that it replaces, and no reader can see a part of it.

    The file system must be asynchronous, and the root starts with the bucket.
    """

    max_put_bytes: ClassVar[int]
    #: How long a PUT may take, in addition to the time that its body needs at 100 kB/s.
    timeout_seconds = 300.0
    #: Error codes that say that the condition failed, besides the status 412.
    _conflict_codes: ClassVar[frozenset[str]] = frozenset()

    def check_access(self) -> None:
        """Check that the bucket exists and can be listed."""
        with self.translate_errors(""):
            self._wait_for(self._list_one(*self._address("")), self.timeout_seconds)

    def put(self, key: str, file: IO[bytes], expected: Version | None) -> None:
        """Write the whole file as one object, with one request."""
        size = file.seek(0, os.SEEK_END)
        if size > self.max_put_bytes:
            raise SliceTooLargeError(self.uri(key), f"{size:,} bytes, and the limit is {self.max_put_bytes:,}")
        bucket, name = self._address(key)
        timeout_seconds = self.timeout_seconds + size / _MIN_BYTES_PER_SECOND
        with self.translate_errors(key):
            try:
                self._wait_for(self._send(bucket, name, Body(file), size, expected), timeout_seconds)
            except Exception as error:
                if self._is_conflict(error):
                    raise SliceChangedError(self.uri(key)) from None
                raise

    @abstractmethod
    async def _list_one(self, bucket: str, prefix: str) -> None:
        """Request the first object below the prefix; raises only if the bucket is missing or denied."""

    @abstractmethod
    async def _send(self, bucket: str, name: str, body: "Body", size: int, expected: Version | None) -> None:
        """Send the request with its condition."""

    def _is_conflict(self, error: Exception) -> bool:
        status, code = status_and_code(error)
        return isinstance(error, SliceChangedError) or status == _PRECONDITION_FAILED or code in self._conflict_codes

    def _address(self, key: str) -> tuple[str, str]:
        bucket, name, *_ = self._fs.split_path(self._path(key))
        return bucket, name or ""

    def _wait_for(self, work: Coroutine[Any, Any, None], seconds: float) -> None:
        """Run a coroutine on the file system's thread, and cancel it if this wait ends early.

        fsspec's own ``sync`` would leave it running after a signal has stopped the task.
        """
        future = asyncio.run_coroutine_threadsafe(work, self._fs.loop)
        try:
            future.result(seconds)
        finally:
            future.cancel()


class Body(io.BufferedReader):
    """A file as the body of a request: it starts at the beginning, and stays open when a client closes it."""

    def __init__(self, file: IO[bytes]) -> None:
        file.seek(0)
        super().__init__(file)  # type: ignore[arg-type]  # IO lacks readinto, which every binary file has

    def close(self) -> None:
        """Keep the file open: aiohttp closes a body that it has sent, and gcsfs may send it again."""
