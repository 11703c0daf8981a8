"""A few pages tell how many events a long time holds, and how sure that is."""

from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.export.sampling import Sample, Sampling, requests_per_run
from airflow_zendesk.window import Window

START = 1_767_225_600  # 2026-01-01T00:00:00Z


def sampling(seconds: int, pages: int) -> Sampling:
    """Of a window of so many seconds."""
    return Sampling(
        window=Window(datetime.fromtimestamp(START, UTC), datetime.fromtimestamp(START + seconds, UTC)), pages=pages
    )


def judge(asked: Sampling, times: list[int], per_page: int) -> list[int]:
    """Let it look at events of these seconds, in pages of whole seconds; the places where it looked."""
    places = []
    while not asked.done:
        places.append(asked.start_time)
        seen = sorted(time for time in times if time >= asked.start_time)
        covered = seen[per_page] if len(seen) > per_page else asked.window.end_time
        covered = max(covered, asked.start_time + 1)
        asked.take(sum(time < covered for time in seen), covered)
    return places


events = st.lists(st.integers(START, START + 9_999), max_size=300)


@given(events, st.integers(1, 12), st.integers(1, 50))
def test_pages_are_few_and_parts_make_up_the_window(times: list[int], pages: int, per_page: int) -> None:
    """Law: never more pages than allowed, always onwards, and nothing left out or counted twice."""
    asked = sampling(10_000, pages)
    places = judge(asked, times, per_page)
    assert len(places) <= pages
    assert all(before < after for before, after in pairwise(places))
    assert 10_000 == sum(sample.share for sample in asked.samples)
    assert all(0 < sample.seconds <= sample.share for sample in asked.samples)


@given(events, st.integers(1, 12))
def test_what_fits_into_the_pages_is_counted(times: list[int], pages: int) -> None:
    """Law: where the first page reaches to the end, the count is exact, and says so."""
    asked = sampling(10_000, pages)
    judge(asked, times, per_page=len(times) + 1)
    assert (len(times), 0.0) == (asked.events, asked.margin)


def test_pages_that_reach_each_other_count_everything() -> None:
    """Ten pages of ten events each hold a hundred."""
    asked = sampling(10_000, 12)
    judge(asked, list(range(START, START + 10_000, 100)), per_page=10)
    assert (100, 0.0) == (asked.events, asked.margin)


def test_even_time_is_judged_exactly_and_surely() -> None:
    """An event every ten seconds, of which a twentieth is looked at."""
    asked = sampling(100_000, 5)
    judge(asked, list(range(START, START + 100_000, 10)), per_page=100)
    assert 5 == len(asked.samples)
    assert abs(asked.events - 10_000) < 100
    assert asked.margin is not None
    assert asked.margin < 200


def test_uneven_time_has_a_margin() -> None:
    """Four parts that differ, of which a tenth is looked at; one page alone tells nothing of the others."""
    asked = sampling(4_000, 4)
    for busy in (100, 300, 100, 300):
        asked.take(busy, asked.start_time + 100)
    assert [1_000, 1_000, 1_000, 1_000] == [sample.share for sample in asked.samples]
    assert 8_000 == asked.events
    assert asked.margin is not None
    assert 4_000 < asked.margin < 6_000
    alone = sampling(4_000, 1)
    alone.take(100, START + 100)
    assert (4_000, None) == (alone.events, alone.margin)


def test_run_per_slice_costs_its_pages_and_never_less_than_one() -> None:
    """A quiet day in hours, and a busy one."""
    assert 24 == requests_per_run([Sample(100, 86_400, 86_400)], 3_600, 1_000)
    assert 72 == requests_per_run([Sample(24 * 2_500, 86_400, 86_400)], 3_600, 1_000)
