"""A folder in an object store, or on a disk: what a dataset needs of it, and no more.

Nothing is renamed, swept or deleted. A key either holds a whole object or none.
"""

import fcntl
import os
import secrets
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, cast

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from airflow_zendesk.exceptions import PublishConflictError

#: What tells one version of an object from the next: an ETag, a generation, or what the disk knows of a file.
Token = str


class Store(ABC):
    """Objects by key, below one folder.

    Args:
        fs: the file system that holds them.
        root: the folder, in the words of ``fs``.
        uri: the folder as a URI without credentials, for messages and reports.
    """

    def __init__(self, fs: AbstractFileSystem, root: str, uri: str) -> None:
        self._fs = fs
        self._root = root.rstrip("/")
        self._uri = uri.rstrip("/")

    def uri(self, key: str) -> str:
        """The address of an object, for reports and readers."""
        return f"{self._uri}/{key}"

    def list(self, folder: str) -> dict[str, Token]:
        """The objects in a folder, by key, with their tokens; none if there is no such folder."""
        self._fs.invalidate_cache()  # s3fs and others remember listings, and another process may have written
        try:
            entries = self._fs.ls(self._path(folder), detail=True)
        except FileNotFoundError:
            return {}
        return {
            f"{folder}/{PurePosixPath(entry['name']).name}": self._token_of(entry)
            for entry in entries
            if entry["type"] == "file"
        }

    def token(self, key: str) -> Token | None:
        """The token of the object, or None if there is none."""
        self._fs.invalidate_cache()
        try:
            return self._token_of(self._fs.info(self._path(key)))
        except FileNotFoundError:
            return None

    def read(self, key: str) -> bytes | None:
        """A small object, or None if there is none."""
        try:
            return cast("bytes", self._fs.cat_file(self._path(key)))
        except FileNotFoundError:
            return None

    def open(self, key: str) -> IO[bytes]:
        """An object, opened for reading."""
        return cast("IO[bytes]", self._fs.open(self._path(key), "rb"))

    @abstractmethod
    def create(self, key: str, content: bytes) -> bool:
        """Write a small object unless there is one; says whether it was written."""

    @abstractmethod
    def put(self, key: str, file: IO[bytes], expected: Token | None) -> None:
        """Write the whole file as one object, in place of the version with the expected token.

        Raises:
            PublishConflictError: another version is there; it is kept.
        """

    @abstractmethod
    def _token_of(self, info: dict[str, object]) -> Token: ...

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"


class LocalStore(Store):
    """A folder on a disk: an object is written beside its place, synced, and moved there in one step.

    A killed attempt may leave a hidden ``.tmp`` file behind, which no reader of Parquet takes for data.
    """

    def create(self, key: str, content: bytes) -> bool:
        """Write a small object unless there is one."""
        path = self._ready(key)
        with self._temporary(path) as (name, temporary):
            temporary.write(content)
            _sync(temporary)
            with _locked(path.parent):
                if path.exists():
                    return False
                name.replace(path)
        _sync_folder(path.parent)
        return True

    def put(self, key: str, file: IO[bytes], expected: Token | None) -> None:
        """Write the whole file as one object, in place of the expected version."""
        path = self._ready(key)
        with self._temporary(path) as (name, temporary):
            file.seek(0)
            shutil.copyfileobj(file, temporary)
            _sync(temporary)
            with _locked(path.parent):
                if self.token(key) != expected:
                    raise PublishConflictError(self.uri(key))
                name.replace(path)
        _sync_folder(path.parent)

    def _token_of(self, info: dict[str, object]) -> Token:
        return f"{info['ino']}-{info['mtime']}-{info['size']}"

    def _ready(self, key: str) -> Path:
        path = Path(self._path(key))
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    @staticmethod
    @contextmanager
    def _temporary(path: Path) -> Iterator[tuple[Path, IO[bytes]]]:
        name = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
        with name.open("xb") as temporary:
            try:
                yield name, temporary
            finally:
                name.unlink(missing_ok=True)


class ObjectStore(Store):
    """A bucket: one request writes a whole object or nothing.

    The token is not compared on the way: two attempts at one settled slice write the same rows, so the last one wins
    without harm.
    """

    def create(self, key: str, content: bytes) -> bool:
        """Write a small object unless there is one."""
        try:
            self._fs.pipe_file(self._path(key), content, mode="create")
        except FileExistsError:
            return False
        return True

    def put(self, key: str, file: IO[bytes], expected: Token | None) -> None:  # noqa: ARG002  see the class
        """Write the whole file as one object."""
        file.seek(0)
        self._fs.pipe_file(self._path(key), file.read())

    def _token_of(self, info: dict[str, object]) -> Token:
        for name in ("ETag", "etag", "generation"):
            if name in info:
                return str(info[name])
        # The store in memory tells when an object was made: as a number in a listing, as a datetime elsewhere.
        created = info["created"]
        return str(created.timestamp() if isinstance(created, datetime) else created)


def open_store(fs: AbstractFileSystem, root: str, uri: str) -> Store:
    """The store that fits the file system."""
    kind = LocalStore if isinstance(fs, LocalFileSystem) else ObjectStore
    return kind(fs, root, uri)


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other writers of this folder out; the lock goes with the process, so a killed one leaves none."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
