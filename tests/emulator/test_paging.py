from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.emulator.paging import EmptyEndTime, Page, answer_page


@dataclass(frozen=True, slots=True)
class Tick:
    """The least that can be paged."""

    timestamp: int
    id: int


def ticks(*timestamps: int) -> list[Tick]:
    """One item for each timestamp, numbered from 0."""
    return [Tick(timestamp, number) for number, timestamp in enumerate(sorted(timestamps))]


def ask(items: list[Tick], start_time: int, per_page: int, now: int = 1_000, shuffle: int = 1) -> Page[Tick]:
    """The answer of a desk where these items have happened."""
    later = (item for item in items if item.timestamp >= start_time)
    return answer_page(later, start_time=start_time, per_page=per_page, now=now, shuffle=shuffle)


def shape(page: Page[Tick]) -> tuple[list[int], bool, int | None]:
    """A page without the order inside a second."""
    return [item.timestamp for item in page.items], page.end_of_stream, page.end_time


@pytest.mark.parametrize(
    ("timestamps", "per_page", "expected"),
    [
        pytest.param([1, 2, 3], 5, ([1, 2, 3], True, 3), id="fewer than asked for: last page"),
        pytest.param([1, 2, 3], 3, ([1, 2, 3], True, 3), id="as many as asked for: last page"),
        pytest.param([1, 2, 3], 2, ([1, 2], False, 2), id="more: cut"),
        pytest.param([1, 2, 2, 2], 2, ([1, 2], False, 2), id="more: cut in the middle of a second"),
        pytest.param([1, 1, 1, 2], 2, ([1, 1, 1], False, 2), id="one second fills the page: whole second, and past it"),
        pytest.param([1, 1, 2], 2, ([1, 1], False, 2), id="one second fills the page exactly: past it too"),
        pytest.param([1, 2], 1, ([1], False, 2), id="one item a page is one second a page"),
        pytest.param([1, 1, 1], 2, ([1, 1, 1], False, 2), id="one second and no more: not yet the last page"),
        pytest.param([1, 1, 1], 3, ([1, 1, 1], True, 1), id="one second that fits: last page"),
        pytest.param([], 5, ([], True, None), id="nothing"),
    ],
)
def test_rules(timestamps: list[int], per_page: int, expected: tuple[list[int], bool, int | None]) -> None:
    """Each rule of paging, by an example."""
    assert expected == shape(ask(ticks(*timestamps), 0, per_page))


def test_start_time_is_inclusive() -> None:
    """An item at the second asked for belongs to the answer."""
    assert ([2, 3], True, 3) == shape(ask(ticks(1, 2, 3), 2, 5))


def test_newest_minute_is_withheld() -> None:
    """At second 100, the second 40 has not been over for a minute yet."""
    assert ([38, 39], True, 39) == shape(ask(ticks(38, 39, 40, 41), 0, 5, now=100))


def test_withheld_items_make_no_further_page() -> None:
    """What is redacted_comments does not count as remaining."""
    assert ([1, 2], True, 2) == shape(ask(ticks(1, 2, 99), 0, 2, now=100))


def test_order_inside_a_second_changes_with_the_request() -> None:
    """The same question, asked again, gives a second in another order; the same number gives the same."""
    items = ticks(*[5] * 20)

    assert ask(items, 0, 100, shuffle=1) == ask(items, 0, 100, shuffle=1)
    assert ask(items, 0, 100, shuffle=1).items != ask(items, 0, 100, shuffle=2).items
    assert set(ask(items, 0, 100, shuffle=1).items) == set(ask(items, 0, 100, shuffle=2).items) == set(items)


def test_cut_second_shows_different_items_each_time() -> None:
    """Which items of a cut second come first is not to be relied upon."""
    items = ticks(1, *[2] * 20)
    seen = {frozenset(ask(items, 0, 5, shuffle=shuffle).items) for shuffle in range(5)}

    assert len(seen) > 1


def test_reads_no_further_than_needed() -> None:
    """A history without end is no obstacle."""
    endless = (Tick(second, second) for second in count())

    assert ([0, 1], False, 1) == shape(answer_page(endless, start_time=0, per_page=2, now=10**12, shuffle=1))


@pytest.mark.parametrize(("empty_end_time", "end_time"), [(None, None), (0, 0), (1, 1), ("start", 7)])
def test_end_time_of_an_empty_page_can_be_chosen(empty_end_time: EmptyEndTime, end_time: int | None) -> None:
    """Nobody has seen what Zendesk says there, so every guess can be tried."""
    nothing: list[Tick] = []
    page = answer_page(nothing, start_time=7, per_page=5, now=100, shuffle=1, empty_end_time=empty_end_time)

    assert Page((), end_of_stream=True, end_time=end_time) == page
    assert page.next_page("http://desk.example.com/x", 5) is None


def test_next_page_is_there_on_the_last_page_too() -> None:
    """It leads back to the last second, for ever; it echoes per_page if that was given."""
    page = ask(ticks(1, 2), 0, 5)

    assert page.end_of_stream
    assert "http://desk.example.com/x?per_page=5&start_time=2" == page.next_page("http://desk.example.com/x", 5)
    assert "http://desk.example.com/x?start_time=2" == page.next_page("http://desk.example.com/x", None)


def follow(items: list[Tick], per_page: int) -> Iterator[Page[Tick]]:
    """All pages up to the end of the stream."""
    start_time = 0
    for request in count():
        page = ask(items, start_time, per_page, shuffle=request)
        yield page
        if page.end_of_stream:
            return
        assert page.end_time is not None
        assert page.end_time > start_time
        start_time = page.end_time


histories = st.lists(st.integers(0, 30), max_size=60).map(lambda timestamps: ticks(*timestamps))


@given(histories, st.integers(1, 70))
def test_following_end_time_gives_everything(items: list[Tick], per_page: int) -> None:
    """Whatever the page size: every item comes, and a client that drops known ids has each once."""
    seen = {item.id: item for page in follow(items, per_page) for item in page.items}

    assert items == sorted(seen.values(), key=lambda item: item.id)


@given(histories, st.integers(1, 70))
def test_page_certifies_the_time_before_its_end(items: list[Tick], per_page: int) -> None:
    """All that happened before end_time has been delivered when the page is."""
    seen: set[Tick] = set()
    for page in follow(items, per_page):
        seen.update(page.items)
        if page.end_time is not None:
            assert {item for item in items if item.timestamp < page.end_time} <= seen


@given(histories, st.integers(1, 70))
def test_page_is_longer_than_asked_for_only_if_it_is_one_second(items: list[Tick], per_page: int) -> None:
    """The only exception to per_page is a second that would not end."""
    for page in follow(items, per_page):
        assert page.count <= per_page or len({item.timestamp for item in page.items}) == 1
        assert len(page.items) == page.count
