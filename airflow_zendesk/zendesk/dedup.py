"""De-duplication: which ids a run has exported, and the records that wait for their second to be complete."""

from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from airflow_zendesk.zendesk.records import Record

#: The latest ids that are always remembered: 8 MiB, the pages of one and a half hours at Zendesk's rate limit.
CAPACITY = 1_048_576
#: How many pages of objects are remembered with their versions.
_REMEMBERED_PAGES = 2
#: In a second.
_MICROSECONDS = 1_000_000


class SeenIds:
    """The ids exported so far, eight bytes each, in sorted runs.

    A new run is merged with its neighbour while that is not larger, so a lookup is one binary search in each of a few
    runs. A run that contains a sixteenth of the capacity is not merged again, because merging needs memory for both
    copies; the oldest runs are dropped when the others contain ``capacity`` ids.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._runs: list[NDArray[np.int64]] = []

    def add(self, ids: Sequence[int]) -> None:
        """Remember these ids."""
        if not ids:
            return
        run = np.sort(np.asarray(ids, dtype=np.int64))
        while self._runs and self._runs[-1].size <= run.size < self._capacity // 16:
            run = np.concatenate([self._runs.pop(), run])
            run.sort(kind="stable")
        self._runs.append(run)
        while sum(each.size for each in self._runs[1:]) >= self._capacity:
            del self._runs[0]

    def known(self, ids: Sequence[int]) -> set[int]:
        """Those of ``ids`` that are remembered."""
        wanted = np.sort(np.asarray(ids, dtype=np.int64))
        found: set[int] = set()
        for run in self._runs:
            # Newer events have higher ids, so most runs need no search.
            if wanted.size and run[0] <= wanted[-1] and wanted[0] <= run[-1]:
                at = np.searchsorted(run, wanted)
                hits = run[np.minimum(at, run.size - 1)] == wanted
                found.update(wanted[hits].tolist())
        return found


class RecordBuffer:
    """Records that wait until their second is complete; each id is released once."""

    def __init__(self) -> None:
        self._waiting: dict[int, Record] = {}
        self._seen = SeenIds()

    def add(self, records: Iterable[Record], before: int) -> tuple[int, int]:
        """Add the records of one page that happened before a unix second.

        Returns:
            How many were duplicates, and how many of those had another body than the one that waits: the later is kept.
        """
        due = [record for record in records if record.timestamp < before * _MICROSECONDS]
        seen = self._seen.known([record.id for record in due])
        duplicates = conflicting = 0
        for record in due:
            if record.id in seen:
                duplicates += 1
                continue
            waiting = self._waiting.get(record.id)
            if waiting is not None:
                duplicates += 1
                conflicting += waiting.raw != record.raw
            self._waiting[record.id] = record
        return duplicates, conflicting

    def release(self, before: int) -> list[Record]:
        """Remove and return the records that happened before a unix second, sorted by time and id."""
        released = [record for record in self._waiting.values() if record.timestamp < before * _MICROSECONDS]
        for record in released:
            del self._waiting[record.id]
        self._seen.add([record.id for record in released])
        released.sort(key=lambda record: (record.timestamp, record.id))
        return released

    def drop(self, before: int) -> None:
        """Forget the records that happened before a unix second."""
        limit = before * _MICROSECONDS
        self._waiting = {id_: record for id_, record in self._waiting.items() if record.timestamp >= limit}


class StateBuffer(RecordBuffer):
    """The same for objects that change: each is released in its newest version, and again after it has changed."""

    def __init__(self) -> None:
        super().__init__()
        #: The times of the versions that the last pages released, by id: pages repeat objects of the page before.
        self._released: deque[dict[int, int]] = deque(maxlen=_REMEMBERED_PAGES)

    def add(self, records: Iterable[Record], before: int) -> tuple[int, int]:
        """Add the objects of one page that changed before a unix second; see ``RecordBuffer.add``.

        An object with a newer time is not a duplicate, but replaces the one that waits.
        """
        duplicates = conflicting = 0
        for record in records:
            if record.timestamp >= before * _MICROSECONDS:
                continue
            if any(page.get(record.id, -1) >= record.timestamp for page in self._released):
                duplicates += 1
                continue
            waiting = self._waiting.get(record.id)
            if waiting is not None and waiting.timestamp >= record.timestamp:
                duplicates += 1
                if waiting.timestamp > record.timestamp:
                    continue
                conflicting += waiting.raw != record.raw
            self._waiting[record.id] = record
        return duplicates, conflicting

    def release(self, before: int) -> list[Record]:
        """Remove and return the objects that changed before a unix second, sorted by time and id."""
        released = [record for record in self._waiting.values() if record.timestamp < before * _MICROSECONDS]
        self.drop(before)
        self._released.append({record.id: record.timestamp for record in released})
        return sorted(released, key=lambda record: (record.timestamp, record.id))
