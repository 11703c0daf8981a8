"""Check that a storage backend gives the guarantees exports rely on. Many S3-compatible services do not."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from threading import Event

from airflow_zendesk.exceptions import SliceChangedError, StorageError, StorageNotFoundError, StorageUnavailableError
from airflow_zendesk.storage.store import Store, Version

#: All objects are written below it, in a folder with a random name.
CHECK_FOLDER = "_check_storage"
_WRITERS = 12
_OVERWRITES = 6
_SMALL, _LARGE = 1_000, 8 * 2**20
_CONDITIONAL = ("conditional create", "conditional replace", "concurrent writes")
_CONDITION = {True: "was refused", False: "was accepted: the condition is ignored"}


@dataclass(frozen=True, slots=True)
class StorageCheckResult:
    """The result of one check; exports are safe only if every ``required`` check has passed."""

    check: str
    passed: bool
    required: bool
    message: str


def check_storage(store: Store) -> Iterator[StorageCheckResult]:
    """Run the checks one after the other; the first required check that fails is the last one.

    The checks write only objects of their own, and delete them if the credentials allow it.
    """
    checks = _Checks(store, f"{CHECK_FOLDER}/{secrets.token_hex(8)}")
    for name, required, check in checks.in_order():
        try:
            passed, message = check()
        except StorageError as error:
            passed, message = False, str(error)
        except SliceChangedError:
            passed, message = False, "The storage refuses to replace the version that it reports."
        if not passed and name in {"write", "read"} and (advice := checks.explain_refusal()):
            message = f"{message} {advice}"
        yield StorageCheckResult(name, passed, required, message)
        if required and not passed:
            break
    yield StorageCheckResult("delete", *checks.delete())


def is_safe(results: Sequence[StorageCheckResult]) -> bool:
    """Whether exports to the storage are complete and free of duplicates."""
    return all(result.passed for result in results if result.required)


def summarize(results: Sequence[StorageCheckResult]) -> str:
    """The meaning of the results for exports, in one paragraph."""
    failed = [result.check for result in results if result.required and not result.passed]
    if failed:
        return f"Exports to this storage are not safe: see {', '.join(failed)}."
    ignored = [result.check for result in results if result.check in _CONDITIONAL and not result.passed]
    if not ignored:
        return "Exports to this storage are safe. Of two concurrent exports of one slice, the storage accepts only one."
    return (
        "Exports to this storage are safe, but of two concurrent exports of one slice the last one wins "
        f"(see {', '.join(ignored)}). Both write the same rows, because a slice is exported after it has settled. Run "
        "one export at a time where the rows may differ: with a settle time below 5 minutes, in the first run of a "
        "dataset, and with allow_shrink."
    )


class _Checks:
    """The checks of one storage, below one folder; later checks use the objects of earlier ones."""

    def __init__(self, store: Store, folder: str) -> None:
        self._store = store
        self._folder = folder
        self._written: set[str] = set()

    def in_order(self) -> list[tuple[str, bool, Callable[[], tuple[bool, str]]]]:
        """The name of each check, whether exports require it, and the function that runs it."""
        return [
            ("access", True, self._access),
            ("write", True, self._write),
            ("read", True, self._read),
            ("conditional create", False, self._conditional_create),
            ("replace", True, self._replace),
            ("conditional replace", False, self._conditional_replace),
            ("concurrent writes", False, self._concurrent_writes),
            ("single request", True, self._single_request),
            ("range read", True, self._range_read),
            ("atomic replace", True, self._atomic_replace),
            ("listing", True, self._listing),
        ]

    def explain_refusal(self) -> str | None:
        """What to change in the connection so that a write succeeds, if the store can detect it."""
        key = self._key("other settings")
        self._written.add(key)
        return self._store.explain_refusal(key)

    def delete(self) -> tuple[bool, bool, str]:
        """Delete the objects of the checks, as far as allowed."""
        left = 0
        for key in self._written:
            try:
                self._store.delete(key)
            except StorageNotFoundError:
                continue
            except StorageError:
                left += 1
        if not left:
            return True, False, "The objects of this check are deleted. Exports never delete."
        return False, False, f"{left} objects are left below {self._store.uri(self._folder)}. Exports never delete."

    def _access(self) -> tuple[bool, str]:
        self._store.check_access()
        return True, "The storage is accessible."

    def _write(self) -> tuple[bool, str]:
        self._put("object", b"1" * _SMALL, None)
        return True, "An object was written."

    def _read(self) -> tuple[bool, str]:
        passed = self._store.read(self._key("object")) == b"1" * _SMALL
        return passed, "The object was read." if passed else "The object that was read is not the written one."

    def _conditional_create(self) -> tuple[bool, str]:
        passed = self._is_refused("object", b"2" * _SMALL, None)
        return passed, f"A write on the condition that there is no object {_CONDITION[passed]}."

    def _replace(self) -> tuple[bool, str]:
        key = self._key("object")
        before = self._store.version(key)
        self._put("object", b"3" * _SMALL, before)
        passed = self._store.version(key) != before and self._store.read(key) == b"3" * _SMALL
        return passed, "A version was replaced." if passed else "A version that was replaced is still stored."

    def _conditional_replace(self) -> tuple[bool, str]:
        stale = self._store.version(self._key("object"))
        self._put("object", b"4" * _SMALL, stale)
        passed = self._is_refused("object", b"5" * _SMALL, stale)
        return passed, f"A write on the condition of an older version {_CONDITION[passed]}."

    def _concurrent_writes(self) -> tuple[bool, str]:
        self._written.add(self._key("concurrent"))

        def write(number: int) -> bool:
            with suppress(SliceChangedError, StorageUnavailableError):
                self._store.put(self._key("concurrent"), BytesIO(b"%d" % number), None)
                return True
            return False

        with ThreadPoolExecutor(_WRITERS) as pool:
            accepted = [number for number, won in enumerate(pool.map(write, range(_WRITERS))) if won]
        passed = len(accepted) == 1 and self._store.read(self._key("concurrent")) == b"%d" % accepted[0]
        return passed, f"Of {_WRITERS} concurrent writes {len(accepted)} were accepted; exactly 1 should be."

    def _single_request(self) -> tuple[bool, str]:
        self._put("large", secrets.token_bytes(2**10) * (_LARGE // 2**10), None)
        limit = self._store.max_put_bytes
        size = "any size" if limit is None else f"up to {limit / 2**30:,.1f} GiB"
        return True, f"{_LARGE // 2**20} MiB were written with one request. Slices may have {size}."

    def _range_read(self) -> tuple[bool, str]:
        whole = self._store.read(self._key("large")) or b""
        with self._store.translate_errors(self._key("large")), self._store.open(self._key("large")) as file:
            file.seek(_LARGE // 2 + 1)
            passed = file.read(_SMALL) == whole[_LARGE // 2 + 1 :][:_SMALL] and len(whole) == _LARGE
        return passed, "A part of an object was read." if passed else "A part differs from the stored object."

    def _atomic_replace(self) -> tuple[bool, str]:
        """Replace an object several times while it is read."""
        key = self._key("replaced")
        contents = [b"%d" % number * 2**20 for number in range(_OVERWRITES)]
        self._put("replaced", contents[0], None)
        done = Event()

        def poll() -> tuple[int, int]:
            reads = torn = 0
            while not done.is_set() or not reads:
                reads += 1
                torn += self._store.read(key) not in contents
            return reads, torn

        with ThreadPoolExecutor(1) as pool:
            polled = pool.submit(poll)
            try:
                for content in contents[1:]:
                    self._put("replaced", content, self._store.version(key))
            finally:
                done.set()
            reads, torn = polled.result()
        return not torn, f"{reads} reads during {_OVERWRITES - 1} writes: {torn} returned an incomplete object."

    def _listing(self) -> tuple[bool, str]:
        listed = self._store.list(self._folder)
        passed = listed == {key: self._store.version(key) for key in self._written}
        return passed, "A listing is up to date." if passed else "A listing lacks objects or versions just written."

    def _key(self, name: str) -> str:
        return f"{self._folder}/{name}"

    def _put(self, name: str, content: bytes, expected: Version | None) -> None:
        self._written.add(self._key(name))
        self._store.put(self._key(name), BytesIO(content), expected)

    def _is_refused(self, name: str, content: bytes, expected: Version | None) -> bool:
        """Whether the storage itself refuses a write whose condition is not met."""
        before = self._store.read(self._key(name))
        try:
            self._store.put(self._key(name), BytesIO(content), expected)
        except SliceChangedError:
            return self._store.read(self._key(name)) == before
        return False
