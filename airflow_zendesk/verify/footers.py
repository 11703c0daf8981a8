"""Read the footers of many slices, and remember them: a footer of a version of an object never changes."""

from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

from airflow_zendesk.dataset.publish import open_slice
from airflow_zendesk.dataset.slice_file import Footer, read_footer
from airflow_zendesk.exceptions import DamagedObjectError, NewerSchemaError, StorageNotFoundError
from airflow_zendesk.storage.store import Store, Version

#: Nearly six years of hourly slices.
_MAX_REMEMBERED = 50_000
#: Requests at a time; a footer in a bucket needs one or two.
_THREADS = 16


@dataclass(frozen=True, slots=True)
class ReadFooter:
    """The footer of a stored slice, or None with the reason and what to do if it is unreadable."""

    footer: Footer | None
    damage: str = ""


class FooterCache:
    """Reads footers, and remembers the most recently used ones by object and version."""

    def __init__(self, max_remembered: int = _MAX_REMEMBERED) -> None:
        self._max_remembered = max_remembered
        self._remembered: OrderedDict[tuple[str, Version], ReadFooter] = OrderedDict()
        self._lock = Lock()

    def read(self, store: Store, versions: Mapping[str, Version]) -> dict[str, ReadFooter]:
        """The footer of each object, by key.

        Raises:
            StorageError: the storage fails.
        """
        found = {key: read for key, version in versions.items() if (read := self._recall(store, key, version))}
        unread = [key for key in versions if key not in found]
        if unread:
            with ThreadPoolExecutor(_THREADS) as pool:
                found |= dict(zip(unread, pool.map(lambda key: _read(store, key), unread), strict=True))
            for key in unread:
                # An unreadable object is read again, because it may just be missing.
                if found[key].footer is not None:
                    self._remember(store, key, versions[key], found[key])
        return found

    def _recall(self, store: Store, key: str, version: Version) -> ReadFooter | None:
        name = store.uri(key), version
        with self._lock:
            if name in self._remembered:
                self._remembered.move_to_end(name)
            return self._remembered.get(name)

    def _remember(self, store: Store, key: str, version: Version, read: ReadFooter) -> None:
        with self._lock:
            self._remembered[store.uri(key), version] = read
            while len(self._remembered) > self._max_remembered:
                self._remembered.popitem(last=False)


def _read(store: Store, key: str) -> ReadFooter:
    try:
        with open_slice(store, key) as file:
            return ReadFooter(read_footer(file, store.uri(key)))
    except DamagedObjectError as error:
        return ReadFooter(None, f"{error.reason}. Move the object away and export the slice again.")
    except NewerSchemaError as error:
        # One such slice must not hide the others from the pages of an API server that is upgraded last.
        return ReadFooter(None, str(error))
    except StorageNotFoundError:
        return ReadFooter(None, "the object was removed after the folder was listed. Load the page again.")
