"""Any other file system of fsspec."""

from datetime import datetime
from typing import IO, Any

from fsspec import AbstractFileSystem

from airflow_zendesk.exceptions import SliceChangedError
from airflow_zendesk.storage.store import Store, Version


class OtherStore(Store):
    """A file system of which nothing is known but what fsspec says of all.

    The version that is replaced is looked at, but nothing holds it until the write is done. Two attempts at one slice
    that write in the same instant both believe to have done it; they write the same rows, for the slice is settled.
    Whether a write is whole or not at all depends on the file system.
    """

    precondition = "none: the version is compared shortly before the write"

    def __init__(self, fs: AbstractFileSystem, root: str, uri: str) -> None:
        super().__init__(fs, root, uri)
        self.conditional_writes = False

    def put(self, key: str, file: IO[bytes], expected: Version | None) -> None:
        """Write the whole file as one object, if the expected version is there."""
        if self.version(key) != expected:
            raise SliceChangedError(self.uri(key))
        file.seek(0)
        with self.translate_errors(key):
            path = self._path(key)
            self._fs.makedirs(self._fs._parent(path), exist_ok=True)  # noqa: SLF001  the only one that knows its paths
            self._fs.pipe_file(path, file.read())

    def _version_of(self, info: dict[str, Any]) -> Version:
        for name in ("ETag", "etag", "generation", "created", "mtime", "modified", "LastModified"):
            if info.get(name):
                # The store in memory tells when an object was made: as a number in a listing, as a datetime elsewhere.
                known = info[name]
                return str(known.timestamp() if isinstance(known, datetime) else known)
        return str(info["size"])
