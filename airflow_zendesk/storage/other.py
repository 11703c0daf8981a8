"""Store in any other fsspec file system."""

from datetime import datetime
from typing import IO, Any

from airflow_zendesk.exceptions import SliceChangedError
from airflow_zendesk.storage.store import Store, Version


class OtherStore(Store):
    """A file system without conditional writes: the version is compared shortly before the write.

    Two attempts at one slice that write at the same moment can both succeed. They write the same rows, because the
    slice has settled. Whether a write is atomic depends on the file system.
    """

    precondition = "none: the version is compared shortly before the write"
    conditional_writes = False

    def put(self, key: str, file: IO[bytes], expected: Version | None) -> None:
        """Write the whole file as one object, if the expected version is stored."""
        if self.version(key) != expected:
            raise SliceChangedError(self.uri(key))
        file.seek(0)
        with self.translate_errors(key):
            path = self._path(key)
            self._fs.makedirs(self._fs._parent(path), exist_ok=True)  # noqa: SLF001  fsspec's only way to get a parent
            self._fs.pipe_file(path, file.read())

    def _version_of(self, info: dict[str, Any]) -> Version:
        for name in ("ETag", "etag", "generation", "created", "mtime", "modified", "LastModified"):
            if value := info.get(name):
                # The in-memory file system returns a number in listings and a datetime elsewhere.
                return str(value.timestamp() if isinstance(value, datetime) else value)
        return str(info["size"])
