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


@given(st.lists(st.integers(1, 40), min_size=1, max_size=60), st.integers(1, 200))
def test_the_latest_ids_are_known_and_the_oldest_forgotten(sizes: list[int], capacity: int) -> None:
    """Law: as many as the capacity are always known; beyond those, at most a page and an eighth of the capacity."""
    seen = SeenIds(capacity)
    # Ids that come in no order.
    added = [number * 7_919 % 100_003 for number in range(sum(sizes))]
    end = 0
    for size in sizes:
        seen.add(added[end : end + size])
        end += size
        known = seen.known(added[:end])
        assert set(added[max(0, end - capacity) : end]) <= known
        assert len(known) <= capacity + 2 * max(sizes) + capacity // 8
