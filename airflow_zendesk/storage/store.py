"""The interface of a storage backend: the few operations that a dataset needs.

Exports never rename or delete an object. An object is either complete or does not exist.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import PurePosixPath
from typing import IO, Any, ClassVar, NamedTuple, cast

from fsspec import AbstractFileSystem

from airflow_zendesk.exceptions import SliceChangedError, StorageUnavailableError
from airflow_zendesk.storage.errors import translate_errors

#: Identifies one version of an object: an ETag, a generation, or a file's inode, time and size.
Version = str


class ListedObject(NamedTuple):
    """The version of an object, and its size in bytes."""

    version: Version
    size: int


#: The first PUT and two repeats, if the outcome of each is unknown.
_MAX_PUTS = 3


class Store(ABC):
    """A folder of objects, each with a key.

    Every method translates the errors of the file system to a ``StorageError`` that says what to do.

    Args:
        fs: the file system.
        root: the folder's path in ``fs``.
        uri: the folder as a URI without credentials, for messages and reports.
    """

    #: The condition that prevents a stale attempt from replacing a newer version, in the storage's own terms.
    precondition: ClassVar[str]
    #: The most bytes of one request; None for no limit.
    max_put_bytes: ClassVar[int | None] = None
    #: Whether the storage itself refuses a PUT if another version than the expected one is stored.
    conditional_writes = True

    def __init__(self, fs: AbstractFileSystem, root: str, uri: str) -> None:
        self._fs = fs
        self._root = root.rstrip("/")
        self._uri = uri.rstrip("/")

    def uri(self, key: str) -> str:
        """The URI of an object, for reports and readers."""
        return f"{self._uri}/{key}" if key else self._uri

    def check_access(self) -> None:  # noqa: B027  not every file system can check it
        """Check that the storage exists and is accessible, before any work is done."""

    def explain_refusal(self, key: str) -> str | None:  # noqa: ARG002  for the stores that can
        """Try other settings by writing to the key, and return the advice if they work; None if unknown."""
        return None

    def list(self, folder: str) -> dict[str, Version]:
        """The keys of a folder's objects and their versions; empty if there is no such folder."""
        with self.translate_errors(folder):
            self._fs.invalidate_cache()  # s3fs and others cache listings, and another process may have written
            try:
                entries = self._fs.ls(self._path(folder), detail=True)
            except FileNotFoundError:
                return {}
        return {
            f"{folder}/{PurePosixPath(entry['name']).name}": self._version_of(entry)
            for entry in entries
            if entry["type"] == "file"
        }

    def walk(self, folder: str) -> dict[str, Version]:
        """The keys and versions of all objects below a folder at any depth, without folder markers; may be empty."""
        return {key: listed.version for key, listed in self.walk_sizes(folder).items()}

    def walk_sizes(self, folder: str) -> dict[str, ListedObject]:
        """Like ``walk``, also with sizes."""
        return self._find(folder)[0]

    def folder_markers(self, folder: str) -> tuple[str, ...]:
        """The keys of empty objects that represent a folder, as consoles and other tools create them in buckets."""
        return tuple(self._find(folder)[1])

    def _find(self, folder: str) -> tuple[dict[str, ListedObject], Sequence[str]]:
        # ``find`` returns paths in the file system's own spelling, so the folder is measured in that spelling too.
        top = len(self._fs._strip_protocol(self._path(folder)))  # noqa: SLF001  fsspec has no public name for it
        with self.translate_errors(folder):
            self._fs.invalidate_cache()
            entries = self._fs.find(self._path(folder), detail=True)
        # Only an empty object can be a marker, and in most folders there is none.
        has_empty = any(not entry["size"] for entry in entries.values())
        folders = {str(parent) for name in entries for parent in PurePosixPath(name).parents} if has_empty else set()
        objects, markers = {}, []
        for name, entry in entries.items():
            key = f"{folder}{name[top:]}"
            # Azure's file system drops the slash at the end of a marker's name.
            if not entry["size"] and (name.endswith("/") or name in folders):
                markers.append(f"{key.rstrip('/')}/")
            else:
                objects[key] = ListedObject(self._version_of(entry), int(entry["size"]))
        return objects, markers

    def version(self, key: str) -> Version | None:
        """The stored version of the object, or None if there is no object."""
        with self.translate_errors(key):
            self._fs.invalidate_cache()
            try:
                return self._version_of(self._fs.info(self._path(key)))
            except FileNotFoundError:
                return None

    def modified_at(self, key: str) -> datetime:
        """When the object was written."""
        with self.translate_errors(key):
            self._fs.invalidate_cache()
            return cast("datetime", self._fs.modified(self._path(key)))

    def read(self, key: str) -> bytes | None:
        """The content of a small object, or None if there is no object."""
        with self.translate_errors(key):
            try:
                return cast("bytes", self._fs.cat_file(self._path(key)))
            except FileNotFoundError:
                return None

    def open(self, key: str) -> IO[bytes]:
        """Open an object for reading; wrap the reads in ``translate_errors``."""
        with self.translate_errors(key):
            self._fs.invalidate_cache()  # otherwise the length of an older version is used
            return cast("IO[bytes]", self._fs.open(self._path(key), "rb"))

    @abstractmethod
    def put(self, key: str, file: IO[bytes], expected: Version | None) -> None:
        """Write the whole file as one object, replacing the expected version (None: there must be no object).

        Raises:
            SliceChangedError: another version is stored. It may be this file: if a response is lost, the client
                retries and is refused because its first request succeeded. ``put_and_confirm`` finds out.
            StorageUnavailableError: it is unknown whether the object was written.
            SliceTooLargeError: the file is larger than ``max_put_bytes``.
        """

    def delete(self, key: str) -> None:
        """Delete an object that ``check_storage`` has written; exports delete nothing."""
        with self.translate_errors(key):
            self._fs.rm_file(self._path(key))

    def translate_errors(self, key: str) -> AbstractContextManager[None]:
        """Translate errors of the file system to a ``StorageError`` that names the object."""
        return translate_errors(self.uri(key))

    @abstractmethod
    def _version_of(self, info: dict[str, Any]) -> Version: ...

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"


def put_and_confirm(
    store: Store, key: str, file: IO[bytes], expected: Version | None, is_there: Callable[[], bool]
) -> None:
    """Write an object like ``Store.put``; if the outcome is unknown, compare what is stored and retry up to two times.

    ``is_there`` returns whether the object that is stored now has the same content.

    Raises:
        SliceChangedError: another version is stored.
        StorageUnavailableError: the object was not written, or the outcome is unknown.
    """
    for _ in range(_MAX_PUTS):
        try:
            store.put(key, file, expected)
        except (SliceChangedError, StorageUnavailableError) as error:
            if store.version(key) != expected:
                if is_there():
                    return
                raise SliceChangedError(store.uri(key)) from None
            unknown = error
        else:
            return
    if isinstance(unknown, StorageUnavailableError):
        raise unknown
    raise StorageUnavailableError(store.uri(key), "it refuses to replace the version that it reports")
