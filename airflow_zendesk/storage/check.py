"""Whether a storage does what exports rely on: it is tried, for many speak like S3 and mean less by it."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from threading import Event

from airflow_zendesk.exceptions import SliceChangedError, StorageError, StorageUnavailableError
from airflow_zendesk.storage.store import Store, Version

#: Everything is written below it, in a folder with a name by chance.
CHECK_FOLDER = "_check_storage"
_RACERS = 12
_OVERWRITES = 6
_SMALL, _LARGE = 1_000, 8 * 2**20


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one check; ``needed`` says whether exports are safe only if it held."""

    check: str
    held: bool
    needed: bool
    told: str


def check_storage(store: Store) -> Iterator[Finding]:
    """Try a storage, and tell what it does; ends early where exports could not work at all.

    Only its own objects are written, and deleted again if that is allowed.
    """
    trial = _Trial(store, f"{CHECK_FOLDER}/{secrets.token_hex(8)}")
    for name, needed, check in trial.checks():
        try:
            held, told = check()
        except StorageError as error:
            held, told = False, str(error)
        except SliceChangedError:
            held, told = False, "The storage refuses to replace the very version that it names."
        yield Finding(name, held, needed, told)
        if needed and not held:
            break
    yield Finding("delete", *trial.clean())


def is_safe(findings: Sequence[Finding]) -> bool:
    """Whether exports to the storage are complete, once and whole."""
    return all(finding.held for finding in findings if finding.needed)


def meaning(findings: Sequence[Finding]) -> str:
    """What the findings mean for somebody who exports there."""
    lost = [finding.check for finding in findings if finding.needed and not finding.held]
    if lost:
        return f"Exports there are not safe: see {', '.join(lost)}."
    ignored = [finding.check for finding in findings if finding.check in _FENCE and not finding.held]
    if not ignored:
        return "Exports there are safe. Two runs of one slice at once cannot harm each other: the storage decides."
    return (
        "Exports there are safe, but the storage does not decide between two runs of one slice "
        f"(see {', '.join(ignored)}): the last one wins. Both write the same rows, for a slice is exported when it has "
        "settled. Keep one run at a time where they may not: with less than 5 minutes to settle, in the first run of a "
        "dataset, and where a slice may shrink."
    )


_FENCE = ("create once", "replace known", "race")
_KEPT = {True: "is kept", False: "is overwritten: the condition is ignored"}


class _Trial:
    """The checks of one storage, below one folder; the later ones use what the first have written."""

    def __init__(self, store: Store, folder: str) -> None:
        self._store = store
        self._folder = folder
        self._written: set[str] = set()

    def checks(self) -> list[tuple[str, bool, Callable[[], tuple[bool, str]]]]:
        """Name, whether it is needed, and what to call."""
        return [
            ("reach", True, self._check_access),
            ("write", True, self._write),
            ("read", True, self._read),
            ("create once", False, self._create_once),
            ("replace", True, self._replace),
            ("replace known", False, self._replace_known),
            ("race", False, self._race),
            ("one request", True, self._one_request),
            ("ranges", True, self._ranges),
            ("whole", True, self._whole),
            ("listing", True, self._listing),
        ]

    def clean(self) -> tuple[bool, bool, str]:
        """Delete what was written, as far as allowed."""
        left = []
        for key in self._written:
            try:
                self._store.delete(key)
            except StorageError:
                left.append(key)
        if not left:
            return True, False, "What this check has written is deleted; exports delete nothing."
        return False, False, f"{len(left)} objects stay below {self._store.uri(self._folder)}; exports delete nothing."

    def _check_access(self) -> tuple[bool, str]:
        self._store.check_access()
        return True, "The storage is there."

    def _write(self) -> tuple[bool, str]:
        self._put("object", b"1" * _SMALL, None)
        return True, "An object is written."

    def _read(self) -> tuple[bool, str]:
        held = self._store.read(self._key("object")) == b"1" * _SMALL
        return held, "What was written is read." if held else "What is read is not what was written."

    def _create_once(self) -> tuple[bool, str]:
        held = self._refused("object", b"2" * _SMALL, None)
        return held, f"An object that must not be there yet {_KEPT[held]}."

    def _replace(self) -> tuple[bool, str]:
        before = self._store.version(self._key("object"))
        self._put("object", b"3" * _SMALL, before)
        held = (
            self._store.version(self._key("object")) != before
            and self._store.read(self._key("object")) == b"3" * _SMALL
        )
        return held, "A version is replaced by the next." if held else "A replaced version is still there."

    def _replace_known(self) -> tuple[bool, str]:
        stale = self._store.version(self._key("object"))
        self._put("object", b"4" * _SMALL, stale)
        held = self._refused("object", b"5" * _SMALL, stale)
        return held, f"An object that was replaced meanwhile {_KEPT[held]}."

    def _race(self) -> tuple[bool, str]:
        self._written.add(self._key("race"))

        def run(number: int) -> bool:
            with suppress(SliceChangedError, StorageUnavailableError):
                self._store.put(self._key("race"), BytesIO(b"%d" % number), None)
                return True
            return False

        with ThreadPoolExecutor(_RACERS) as pool:
            winners = [number for number, won in enumerate(pool.map(run, range(_RACERS))) if won]
        held = len(winners) == 1 and self._store.read(self._key("race")) == b"%d" % winners[0]
        return held, f"Of {_RACERS} writers at once {len(winners)} won."

    def _one_request(self) -> tuple[bool, str]:
        self._put("large", secrets.token_bytes(2**10) * (_LARGE // 2**10), None)
        limit = self._store.max_put_bytes
        size = "any size" if limit is None else f"up to {limit / 2**30:,.1f} GiB"
        return True, f"{_LARGE // 2**20} MiB are written at once, and so are slices of {size}."

    def _ranges(self) -> tuple[bool, str]:
        whole = self._store.read(self._key("large")) or b""
        with self._store.translate_errors(self._key("large")), self._store.open(self._key("large")) as file:
            file.seek(_LARGE // 2 + 1)
            held = file.read(_SMALL) == whole[_LARGE // 2 + 1 :][:_SMALL] and len(whole) == _LARGE
        return held, "A part of an object is read." if held else "A part that is read is not what is there."

    def _whole(self) -> tuple[bool, str]:
        """Replace an object over and over while it is read."""
        key = self._key("whole")
        versions = [b"%d" % number * 2**20 for number in range(_OVERWRITES)]
        self._put("whole", versions[0], None)
        done = Event()

        def poll() -> tuple[int, int]:
            reads = torn = 0
            while not done.is_set() or not reads:
                reads += 1
                torn += self._store.read(key) not in versions
            return reads, torn

        with ThreadPoolExecutor(1) as pool:
            polled = pool.submit(poll)
            try:
                for version in versions[1:]:
                    self._put("whole", version, self._store.version(key))
            finally:
                done.set()
            reads, torn = polled.result()
        return not torn, f"Of {reads} reads during {_OVERWRITES - 1} writes {torn} found no whole version."

    def _listing(self) -> tuple[bool, str]:
        listed = self._store.list(self._folder)
        held = listed == {key: self._store.version(key) for key in self._written}
        return held, "A listing is up to date." if held else "A listing lacks what was just written, or is older."

    def _key(self, name: str) -> str:
        return f"{self._folder}/{name}"

    def _put(self, name: str, content: bytes, expected: Version | None) -> None:
        self._written.add(self._key(name))
        self._store.put(self._key(name), BytesIO(content), expected)

    def _refused(self, name: str, content: bytes, expected: Version | None) -> bool:
        """Whether the storage keeps what is there, if another version is expected; it is asked itself."""
        before = self._store.read(self._key(name))
        try:
            self._store.put(self._key(name), BytesIO(content), expected)
        except SliceChangedError:
            return self._store.read(self._key(name)) == before
        return False
