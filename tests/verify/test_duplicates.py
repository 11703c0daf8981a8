"""Find ids that are in more than one slice."""

from contextlib import closing
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.verify.duplicates import IdIndex

ids = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 40)


@given(st.lists(st.sets(ids, max_size=30), max_size=8), st.integers(1, 40))
def test_every_shared_id_is_found_and_no_other(slices: list[set[int]], max_buffered: int) -> None:
    """Law: for any ids, and however often the buffer was written to the disk."""
    with closing(IdIndex(max_buffered)) as index:
        for each in slices:
            index.add(np.array(sorted(each, reverse=True), np.int64))
        found = index.shared()
    expected: dict[tuple[int, int], list[int]] = {}
    for id_ in set().union(*slices):
        holders = [number for number, each in enumerate(slices) if id_ in each]
        for pair in pairwise(holders):
            expected.setdefault(pair, []).append(id_)
    assert {pair: len(shared) for pair, shared in expected.items()} == {pair: one.count for pair, one in found.items()}
    assert all(found[pair].example in shared for pair, shared in expected.items())
