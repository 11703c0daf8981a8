"""Which ids stand in more than one slice, however many there are: they wait on the local disk, not in memory."""

import tempfile
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Twelve bytes an id, on the disk: the id, and the number of its slice.
_ENTRY = np.dtype([("id", np.int64), ("slice", np.int32)])
#: Ids are dealt to so many buckets, and one bucket is in memory at a time: four million of a billion ids.
_BUCKETS = 256
#: Ids that gather in memory before they go to the disk, about twelve MB.
_GATHERED = 1 << 20


@dataclass(slots=True)
class Shared:
    """How many ids two slices share, and the first that was found."""

    count: int
    example: int


class IdIndex:
    """Takes the ids of slices, one slice after the other, and tells which slices share some.

    Memory is that of about a million ids, or of a 256th of all, whichever is more; the rest lies in a file without a
    name, which goes with the process.

    Args:
        gathered: how many ids gather in memory before they are written.
    """

    def __init__(self, gathered: int = _GATHERED) -> None:
        self._most = gathered
        self._gathered = 0
        self._slices = 0
        self._waiting: list[NDArray[Any]] = []
        self._file = tempfile.TemporaryFile(prefix="airflow-zendesk-")  # noqa: SIM115  closed in close()
        #: For each chunk in the file, where its buckets begin and end, counted in entries.
        self._bounds: list[NDArray[np.int64]] = []

    def close(self) -> None:
        """Drop the file."""
        self._file.close()

    def add(self, ids: NDArray[np.int64]) -> None:
        """Take the ids of the next slice, each of which stands in it once; slices are numbered from 0."""
        entries = np.empty(ids.size, _ENTRY)
        entries["id"], entries["slice"] = ids, self._slices
        self._waiting.append(entries)
        self._slices += 1
        self._gathered += ids.size
        if self._gathered >= self._most:
            self._flush()

    def shared(self) -> dict[tuple[int, int], Shared]:
        """What slices share, by the numbers of two; of three with one id, the first two and the last two."""
        self._flush()
        found: dict[tuple[int, int], Shared] = {}
        for bucket in range(_BUCKETS):
            entries = self._read(bucket)
            ids = np.ascontiguousarray(entries["id"])
            # Stable, so that equal ids stay in the order of their slices.
            order = np.argsort(ids, kind="stable")
            ids, slices = ids[order], entries["slice"][order]
            for at in np.flatnonzero(ids[1:] == ids[:-1]).tolist():
                pair = (int(slices[at]), int(slices[at + 1]))
                found.setdefault(pair, Shared(0, int(ids[at]))).count += 1
        return found

    def _flush(self) -> None:
        entries = np.concatenate([np.empty(0, _ENTRY), *self._waiting])
        # Fibonacci hashing: ids that are multiples of something would fill few buckets by their remainder.
        hashes = entries["id"].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        buckets = (hashes >> np.uint64(64 - 8)).astype(np.uint8)
        begins = self._bounds[-1][-1] if self._bounds else 0
        counts = np.bincount(buckets, minlength=_BUCKETS)
        self._bounds.append(begins + np.concatenate([[0], np.cumsum(counts)]))
        self._file.write(entries[np.argsort(buckets, kind="stable")].tobytes())
        self._waiting, self._gathered = [], 0

    def _read(self, bucket: int) -> NDArray[Any]:
        parts = []
        for bounds in self._bounds:
            begin, end = bounds[bucket], bounds[bucket + 1]
            self._file.seek(begin * _ENTRY.itemsize)
            parts.append(np.frombuffer(self._file.read((end - begin) * _ENTRY.itemsize), _ENTRY))
        return np.concatenate(parts)
