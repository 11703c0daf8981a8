"""Which ids a run has exported: eight bytes each, and never more of them than a bound."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: About 32 MiB of ids in the largest run of numbers; beyond it, the oldest are forgotten.
CAPACITY = 4_194_304


class SeenIds:
    """The ids exported so far, in sorted runs of growing size.

    A new run is merged with its neighbour while that is not larger, so n ids stand in about log n runs, and a look-up
    is one binary search in each. The largest run holds the oldest ids: when it would outgrow ``capacity``, it goes.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._runs: list[NDArray[np.int64]] = []

    def add(self, ids: Sequence[int]) -> None:
        """Remember these."""
        if not ids:
            return
        run = np.sort(np.asarray(ids, dtype=np.int64))
        while self._runs and self._runs[-1].size <= run.size:
            run = np.sort(np.concatenate([self._runs.pop(), run]), kind="stable")
        self._runs.append(run)
        if len(self._runs) > 1 and self._runs[0].size > self._capacity:
            del self._runs[0]

    def known(self, ids: Sequence[int]) -> set[int]:
        """Those of ``ids`` that are remembered."""
        wanted = np.asarray(ids, dtype=np.int64)
        found: set[int] = set()
        for run in self._runs:
            at = np.searchsorted(run, wanted)
            hits = run[np.minimum(at, run.size - 1)] == wanted
            found.update(wanted[hits].tolist())
        return found
