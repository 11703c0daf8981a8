"""Which ids a run has exported."""

from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.zendesk.dedup import SeenIds

ids = st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 20), max_size=30)


@given(st.lists(ids, max_size=8), ids)
def test_it_is_a_set(added: list[list[int]], asked: list[int]) -> None:
    """Law: known ids are those that were added."""
    seen = SeenIds()
    for each in added:
        seen.add(each)
    assert {id_ for each in added for id_ in each} & set(asked) == seen.known(asked)


def test_oldest_ids_are_forgotten_beyond_the_capacity() -> None:
    """Memory is bounded, and what came last is always known."""
    seen = SeenIds(capacity=100)
    for first in range(0, 1_000, 10):
        seen.add(range(first, first + 10))
        assert set(range(first, first + 10)) == seen.known(range(first, first + 10))
    known = seen.known(range(1_000))
    assert 10 <= len(known) <= 400
    assert set(range(1_000 - len(known), 1_000)) == known
