"""The differences between two versions of one slice: ids added, removed and changed."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from airflow_zendesk.dataset.digest import hash_rows
from airflow_zendesk.dataset.slice_file import iter_rows
from airflow_zendesk.zendesk.records import TIMESTAMP

#: 24 bytes per row: its id, its time in microseconds, and enough of its hash to distinguish two bodies.
_ROW = np.dtype([("id", np.int64), (TIMESTAMP, np.int64), ("hash", np.uint64)])


@dataclass(frozen=True, slots=True)
class SliceDiff:
    """How many ids only the new version has, only the old one has, and both have with different bodies.

    ``oldest_added`` is the time of the oldest added event, in unix seconds.
    """

    added: int
    removed: int
    changed: int
    oldest_added: int | None


def diff_slices(old: pq.ParquetFile, new: pq.ParquetFile, uri: str) -> SliceDiff:
    """Compare two versions by id, which each contains once; raises ``DamagedObjectError`` if one cannot be read."""
    before, after = _rows(old, uri), _rows(new, uri)
    added = after[~np.isin(after["id"], before["id"], assume_unique=True)]
    ids, at_before, at_after = np.intersect1d(before["id"], after["id"], assume_unique=True, return_indices=True)
    return SliceDiff(
        added=added.size,
        removed=before.size - ids.size,
        changed=int(np.count_nonzero(before["hash"][at_before] != after["hash"][at_after])),
        oldest_added=int(added[TIMESTAMP].min()) // 1_000_000 if added.size else None,
    )


def _rows(file: pq.ParquetFile, uri: str) -> NDArray[Any]:
    parts = [np.empty(0, _ROW)]
    for batch in iter_rows(file, uri):
        rows = np.empty(batch.num_rows, _ROW)
        rows["id"] = batch.column("id").to_pylist()
        rows[TIMESTAMP] = batch.column(TIMESTAMP).cast("int64").to_pylist()
        rows["hash"] = [int.from_bytes(digest[:8]) for digest in hash_rows(batch)]
        parts.append(rows)
    return np.concatenate(parts)
