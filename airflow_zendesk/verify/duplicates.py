"""Find ids that are in more than one slice; they are kept on the local disk, so memory does not grow with them."""

import tempfile
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Twelve bytes per id on disk: the id, and the number of its slice.
_ENTRY = np.dtype([("id", np.int64), ("slice", np.int32)])
#: Ids are spread over this many buckets. One bucket is in memory at a time: four million of a billion ids.
_BUCKETS = 256
#: How many ids are buffered in memory before they are written to the disk: about 12 MB.
_MAX_BUFFERED = 1 << 20


@dataclass(slots=True)
class Shared:
    """The number of ids that two slices share, and one of them."""

    count: int
    example: int


class IdIndex:
    """Collects the ids of slices, one slice after the other, and finds the slices that share ids.

    Memory contains about a million ids, or one 256th of all ids, whichever is more. The rest is in an unnamed temporary
    file, which disappears with the process.
    """

    def __init__(self, max_buffered: int = _MAX_BUFFERED) -> None:
        self._max_buffered = max_buffered
        self._buffered = 0
        self._slices = 0
        self._buffer: list[NDArray[Any]] = []
        self._file = tempfile.TemporaryFile(prefix="airflow-zendesk-")  # noqa: SIM115  closed in close()
        #: For each chunk of the file, where its buckets begin and end, counted in entries.
        self._bounds: list[NDArray[np.int64]] = []

    def close(self) -> None:
        """Delete the temporary file."""
        self._file.close()

    def add(self, ids: NDArray[np.int64]) -> None:
        """Add the ids of the next slice, which must be unique; slices are numbered from 0."""
        entries = np.empty(ids.size, _ENTRY)
        entries["id"], entries["slice"] = ids, self._slices
        self._buffer.append(entries)
        self._slices += 1
        self._buffered += ids.size
        if self._buffered >= self._max_buffered:
            self._flush()

    def shared(self) -> dict[tuple[int, int], Shared]:
        """The ids that pairs of slices share, by the slices' numbers; an id in three slices counts for two pairs."""
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
        entries = np.concatenate([np.empty(0, _ENTRY), *self._buffer])
        # Fibonacci hashing: by their remainder, ids that are multiples of a number would fill few buckets.
        hashes = entries["id"].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        buckets = (hashes >> np.uint64(64 - 8)).astype(np.uint8)
        begins = self._bounds[-1][-1] if self._bounds else 0
        counts = np.bincount(buckets, minlength=_BUCKETS)
        self._bounds.append(begins + np.concatenate([[0], np.cumsum(counts)]))
        self._file.write(entries[np.argsort(buckets, kind="stable")].tobytes())
        self._buffer, self._buffered = [], 0

    def _read(self, bucket: int) -> NDArray[Any]:
        parts = []
        for bounds in self._bounds:
            begin, end = bounds[bucket], bounds[bucket + 1]
            self._file.seek(begin * _ENTRY.itemsize)
            parts.append(np.frombuffer(self._file.read((end - begin) * _ENTRY.itemsize), _ENTRY))
        return np.concatenate(parts)
