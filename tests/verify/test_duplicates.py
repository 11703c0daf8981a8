"""Which ids stand in more than one slice."""

from contextlib import closing
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.verify.duplicates import IdIndex

ids = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 40)


@given(st.lists(st.sets(ids, max_size=30), max_size=8), st.integers(1, 40))
def test_every_shared_id_is_found_and_no_other(slices: list[set[int]], gathered: int) -> None:
    """Law: whatever the ids, and however often they went to the disk in between."""
    with closing(IdIndex(gathered)) as ledger:
        for each in slices:
            ledger.add(np.array(sorted(each, reverse=True), np.int64))
        found = ledger.shared()
    expected: dict[tuple[int, int], list[int]] = {}
    for id_ in set().union(*slices):
        holders = [number for number, each in enumerate(slices) if id_ in each]
        for pair in pairwise(holders):
            expected.setdefault(pair, []).append(id_)
    assert {pair: len(shared) for pair, shared in expected.items()} == {pair: one.count for pair, one in found.items()}
    assert all(found[pair].example in shared for pair, shared in expected.items())
