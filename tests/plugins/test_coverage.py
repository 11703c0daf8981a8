"""Which slices are stored, missing and due: laws, and examples."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.verify.coverage import Coverage
from airflow_zendesk.window import Grain, Slice, Window

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY, HOUR = Grain.of("1d"), Grain.of("1h")


def slices(grain: Grain, numbers: set[int]) -> list[Slice]:
    """The slices with these numbers, counted from START."""
    step = timedelta(seconds=grain.seconds)
    return [Slice(START + step * number, START + step * (number + 1)) for number in numbers]


def days(*numbers: int) -> list[Slice]:
    """Daily slices."""
    return slices(DAY, set(numbers))


@given(
    st.sampled_from([DAY, Grain.of("6h"), HOUR, Grain.of("5m")]),
    st.sets(st.integers(0, 40), min_size=1),
    st.integers(-1_000, 50 * 86_400),
)
def test_slices_and_gaps_tile_the_time_until_now(grain: Grain, numbers: set[int], seconds: int) -> None:
    """Each time belongs to one slice or to one gap, except the time at the end whose export may still be running."""
    now = START + timedelta(seconds=seconds)
    coverage = Coverage.of(slices(grain, numbers), grain, now)
    pieces = sorted([*coverage.stored, *coverage.gaps])
    assert coverage.start == pieces[0].start
    assert all(before.end == after.start for before, after in pairwise(pieces))
    assert coverage.missing == sum(len(grain.slices(gap)) for gap in coverage.gaps)
    assert not set(coverage.stored) & {slice_ for gap in coverage.gaps for slice_ in grain.slices(gap)}
    delay = max(timedelta(seconds=grain.seconds), timedelta(hours=2))
    untold = now - pieces[-1].end
    assert untold < delay + timedelta(seconds=grain.seconds)
    assert coverage.complete_until == (coverage.gaps[0].start if coverage.gaps else coverage.stored[-1].end)


@pytest.mark.parametrize(
    ("stored", "now", "gaps", "complete_until"),
    [
        # Until a day after its end, the export of the last day may still be running.
        ([0, 1], START + timedelta(days=3, hours=20), [], 2),
        ([0, 1], START + timedelta(days=4, hours=1), [(2, 3)], 2),
        ([0, 1, 4], START + timedelta(days=5), [(2, 4)], 2),
        ([3], START + timedelta(days=4), [], 4),
        # A slice that ends in the future: the snapshot of today's list.
        ([0, 1], START + timedelta(days=1, hours=3), [], 2),
    ],
)
def test_gaps(stored: list[int], now: datetime, gaps: list[tuple[int, int]], complete_until: int) -> None:
    """A missing slice is a gap as soon as its export should have ended."""
    coverage = Coverage.of(days(*stored), DAY, now)
    windows = [Window(START + timedelta(days=first), START + timedelta(days=last)) for first, last in gaps]
    assert windows == list(coverage.gaps)
    assert START + timedelta(days=complete_until) == coverage.complete_until


def test_slices_of_another_length_are_not_counted() -> None:
    """They are files of somebody else; `verify` reports them."""
    assert days(0) == list(Coverage.of([*days(0), *slices(HOUR, {30})], DAY, START + timedelta(days=1)).stored)


def test_empty_dataset_has_no_times() -> None:
    """Nothing is claimed."""
    coverage = Coverage.of([], DAY, START)
    assert (None, None, None, 0) == (
        coverage.start, coverage.stored_until, coverage.complete_until, coverage.missing,
    )  # fmt: skip
