"""A folder in an object store, or on a disk: what a dataset needs of it, and no more.

Nothing is renamed, swept or deleted. A key either holds a whole object or none.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO, Any, ClassVar, cast

from fsspec import AbstractFileSystem

from airflow_zendesk.exceptions import SliceChangedError, StorageUnavailableError, ZendeskError
from airflow_zendesk.storage.errors import translate_error

#: What tells one version of an object from the next: an ETag, a generation, or what the disk knows of a file.
Version = str

#: One PUT, and two more if the storage neither takes nor refuses it for good.
_MAX_PUTS = 3


class Store(ABC):
    """Objects by key, below one folder.

    Every method raises a ``StorageError`` that says what to do, where the file system raises one of its own.

    Args:
        fs: the file system that holds them.
        root: the folder, in the words of ``fs``.
        uri: the folder as a URI without credentials, for messages and reports.
    """

    #: How the storage is kept from taking an old version for a new one.
    precondition: ClassVar[str]
    #: The bytes that one request may carry; None for no limit.
    max_put_bytes: ClassVar[int | None] = None

    def __init__(self, fs: AbstractFileSystem, root: str, uri: str) -> None:
        self._fs = fs
        self._root = root.rstrip("/")
        self._uri = uri.rstrip("/")
        #: Whether a PUT names the version that it replaces, so that the storage itself refuses any other.
        self.conditional_writes = True

    def uri(self, key: str) -> str:
        """The address of an object, for reports and readers."""
        return f"{self._uri}/{key}" if key else self._uri

    def check_access(self) -> None:  # noqa: B027  a store that cannot tell says nothing
        """See that the storage is there, before much work is done for it."""

    def list(self, folder: str) -> dict[str, Version]:
        """The objects in a folder, by key, with their tokens; none if there is no such folder."""
        with self.translate_errors(folder):
            self._fs.invalidate_cache()  # s3fs and others remember listings, and another process may have written
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
        """The objects below a folder, at any depth, by key, with their versions; empty if there is no such folder.

        Folder markers are left out.
        """
        return self._find(folder)[0]

    def folder_markers(self, folder: str) -> tuple[str, ...]:
        """The keys of empty objects that stand for a folder, as consoles and other tools create them in buckets."""
        return tuple(self._find(folder)[1])

    def _find(self, folder: str) -> tuple[dict[str, Version], Sequence[str]]:
        # The file system has its own way to write the folder's name, and begins all names below it so.
        top = len(self._fs._strip_protocol(self._path(folder)))  # noqa: SLF001  fsspec's name for it
        with self.translate_errors(folder):
            self._fs.invalidate_cache()
            entries = self._fs.find(self._path(folder), detail=True)
        folders = {str(parent) for name in entries for parent in PurePosixPath(name).parents}
        objects, markers = {}, []
        for name, entry in entries.items():
            key = f"{folder}{name[top:]}"
            # Azure's file system drops the slash at the end of a marker's name.
            if not entry["size"] and (name.endswith("/") or name in folders):
                markers.append(f"{key.rstrip('/')}/")
            else:
                objects[key] = self._version_of(entry)
        return objects, markers

    def version(self, key: str) -> Version | None:
        """The token of the object, or None if there is none."""
        with self.translate_errors(key):
            self._fs.invalidate_cache()
            try:
                return self._version_of(self._fs.info(self._path(key)))
            except FileNotFoundError:
                return None

    def read(self, key: str) -> bytes | None:
        """A small object, or None if there is none."""
        with self.translate_errors(key):
            try:
                return cast("bytes", self._fs.cat_file(self._path(key)))
            except FileNotFoundError:
                return None

    def open(self, key: str) -> IO[bytes]:
        """An object, opened for reading; what goes wrong later is named by ``translate_errors``."""
        with self.translate_errors(key):
            self._fs.invalidate_cache()  # or it would be opened with a length that it had
            return cast("IO[bytes]", self._fs.open(self._path(key), "rb"))

    @abstractmethod
    def put(self, key: str, file: IO[bytes], expected: Version | None) -> None:
        """Write the whole file as one object, in place of the version with the expected token (None: of none).

        Raises:
            SliceChangedError: the storage says that another version is there. It may be this one: if an answer is
                lost, a client may ask again, and is refused because of its own success. ``put_and_confirm`` looks.
            StorageUnavailableError: it is not known whether the object was written.
            SliceTooLargeError: the file is larger than ``max_put_bytes``.
        """

    def delete(self, key: str) -> None:
        """Delete an object that a check has written; nothing else is ever deleted."""
        with self.translate_errors(key):
            self._fs.rm_file(self._path(key))

    @contextmanager
    def translate_errors(self, key: str) -> Iterator[None]:
        """Give the faults of the file system a name, and keep its texts, which may tell too much, to itself."""
        try:
            yield
        except ZendeskError:
            raise
        except Exception as error:
            named = translate_error(error, self.uri(key))
            if named is None:
                raise
            raise named from None

    @abstractmethod
    def _version_of(self, info: dict[str, Any]) -> Version: ...

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"


def put_and_confirm(
    store: Store, key: str, file: IO[bytes], expected: Version | None, is_there: Callable[[], bool]
) -> None:
    """Write an object; where the answer leaves open what became of it, look at what is there.

    Args:
        store: where to.
        key: what to write.
        file: its content.
        expected: the token of the version to replace, or None.
        is_there: whether the object that is there now is as good as this one.

    Raises:
        SliceChangedError: another version is there.
        StorageUnavailableError: the object is not written, or it could not be seen whether it is.
    """
    for _ in range(_MAX_PUTS):
        try:
            store.put(key, file, expected)
        except (SliceChangedError, StorageUnavailableError) as error:
            if store.version(key) != expected:
                if is_there():
                    return
                raise SliceChangedError(store.uri(key)) from None
            unsure = error
        else:
            return
    if isinstance(unsure, StorageUnavailableError):
        raise unsure
    raise StorageUnavailableError(store.uri(key), "it refuses the version that it names itself")
