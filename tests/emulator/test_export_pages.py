from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.emulator.export_pages import EmptyEndTime, EventPage, build_page


@dataclass(frozen=True, slots=True)
class Tick:
    """A minimal item."""

    timestamp: int
    id: int


def ticks(*timestamps: int) -> list[Tick]:
    """One item for each timestamp, numbered from 0."""
    return [Tick(timestamp, number) for number, timestamp in enumerate(sorted(timestamps))]


def page_of(items: list[Tick], start_time: int, per_page: int, now: int = 1_000, shuffle: int = 1) -> EventPage[Tick]:
    """Build the page for a request if these items exist."""
    later = (item for item in items if item.timestamp >= start_time)
    return build_page(later, start_time=start_time, per_page=per_page, now=now, shuffle=shuffle)


def shape(page: EventPage[Tick]) -> tuple[list[int], bool, int | None]:
    """Describe a page without the order within a second."""
    return [item.timestamp for item in page.items], page.end_of_stream, page.end_time


@pytest.mark.parametrize(
    ("timestamps", "per_page", "expected"),
    [
        pytest.param([1, 2, 3], 5, ([1, 2, 3], True, 3), id="fewer than requested: last page"),
        pytest.param([1, 2, 3], 3, ([1, 2, 3], True, 3), id="as many as requested: last page"),
        pytest.param([1, 2, 3], 2, ([1, 2], False, 2), id="more: cut"),
        pytest.param([1, 2, 2, 2], 2, ([1, 2], False, 2), id="more: cut in the middle of a second"),
        pytest.param(
            [1, 1, 1, 2], 2, ([1, 1, 1], False, 2), id="one second fills the page: whole second, end_time after it"
        ),
        pytest.param([1, 1, 2], 2, ([1, 1], False, 2), id="one second fills the page exactly: end_time after it"),
        pytest.param([1, 2], 1, ([1], False, 2), id="one item per page: one second per page"),
        pytest.param(
            [1, 1, 1], 2, ([1, 1, 1], False, 2), id="only one second, longer than the page: not the last page"
        ),
        pytest.param([1, 1, 1], 3, ([1, 1, 1], True, 1), id="one second that fits: last page"),
        pytest.param([], 5, ([], True, None), id="nothing"),
    ],
)
def test_paging_rules(timestamps: list[int], per_page: int, expected: tuple[list[int], bool, int | None]) -> None:
    """Each rule of paging, with an example."""
    assert expected == shape(page_of(ticks(*timestamps), 0, per_page))


def test_start_time_is_inclusive() -> None:
    """An item at the requested second is part of the page."""
    assert ([2, 3], True, 3) == shape(page_of(ticks(1, 2, 3), 2, 5))


def test_newest_minute_is_withheld() -> None:
    """At second 100, second 40 ended less than a minute ago."""
    assert ([38, 39], True, 39) == shape(page_of(ticks(38, 39, 40, 41), 0, 5, now=100))


def test_withheld_items_do_not_count_as_remaining() -> None:
    """A page is the last one if only withheld items follow."""
    assert ([1, 2], True, 2) == shape(page_of(ticks(1, 2, 99), 0, 2, now=100))


def test_order_within_a_second_depends_on_shuffle() -> None:
    """Another number gives another order of the same items; the same number gives the same order."""
    items = ticks(*[5] * 20)

    assert page_of(items, 0, 100, shuffle=1) == page_of(items, 0, 100, shuffle=1)
    assert page_of(items, 0, 100, shuffle=1).items != page_of(items, 0, 100, shuffle=2).items
    assert set(page_of(items, 0, 100, shuffle=1).items) == set(page_of(items, 0, 100, shuffle=2).items) == set(items)


def test_cut_second_contains_different_items_each_time() -> None:
    """Clients cannot rely on which items of a cut second come first."""
    items = ticks(1, *[2] * 20)
    seen = {frozenset(page_of(items, 0, 5, shuffle=shuffle).items) for shuffle in range(5)}

    assert len(seen) > 1


def test_reads_only_as_far_as_needed() -> None:
    """The items may be endless."""
    endless = (Tick(second, second) for second in count())

    assert ([0, 1], False, 1) == shape(build_page(endless, start_time=0, per_page=2, now=10**12, shuffle=1))


@pytest.mark.parametrize(("empty_end_time", "end_time"), [(None, None), (0, 0), (1, 1), ("start", 7)])
def test_end_time_of_an_empty_page_can_be_set(empty_end_time: EmptyEndTime, end_time: int | None) -> None:
    """Zendesk's value is unknown, so every possible value can be tested."""
    nothing: list[Tick] = []
    page = build_page(nothing, start_time=7, per_page=5, now=100, shuffle=1, empty_end_time=empty_end_time)

    assert EventPage((), end_of_stream=True, end_time=end_time) == page
    assert page.next_page("http://desk.example.com/x", 5) is None


def test_last_page_has_a_next_page() -> None:
    """It returns the last second again; it echoes per_page if that was given."""
    page = page_of(ticks(1, 2), 0, 5)

    assert page.end_of_stream
    assert "http://desk.example.com/x?per_page=5&start_time=2" == page.next_page("http://desk.example.com/x", 5)
    assert "http://desk.example.com/x?start_time=2" == page.next_page("http://desk.example.com/x", None)


def follow(items: list[Tick], per_page: int) -> Iterator[EventPage[Tick]]:
    """Yield all pages up to the end of the stream."""
    start_time = 0
    for request in count():
        page = page_of(items, start_time, per_page, shuffle=request)
        yield page
        if page.end_of_stream:
            return
        assert page.end_time is not None
        assert page.end_time > start_time
        start_time = page.end_time


histories = st.lists(st.integers(0, 30), max_size=60).map(lambda timestamps: ticks(*timestamps))


@given(histories, st.integers(1, 70))
def test_following_end_time_returns_every_item(items: list[Tick], per_page: int) -> None:
    """With any page size, a client that drops known ids has each item once."""
    seen = {item.id: item for page in follow(items, per_page) for item in page.items}

    assert items == sorted(seen.values(), key=lambda item: item.id)


@given(histories, st.integers(1, 70))
def test_all_items_before_end_time_have_been_returned(items: list[Tick], per_page: int) -> None:
    """A page proves that the time before its end_time is complete."""
    seen: set[Tick] = set()
    for page in follow(items, per_page):
        seen.update(page.items)
        if page.end_time is not None:
            assert {item for item in items if item.timestamp < page.end_time} <= seen


@given(histories, st.integers(1, 70))
def test_page_exceeds_per_page_only_if_it_is_one_second(items: list[Tick], per_page: int) -> None:
    """A longer page contains a single second."""
    for page in follow(items, per_page):
        assert page.count <= per_page or len({item.timestamp for item in page.items}) == 1
        assert len(page.items) == page.count
