from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.emulator.cursor_pages import (
    CursorPage,
    Position,
    build_cursor_page,
    decode_cursor,
    encode_cursor,
)


@dataclass(frozen=True, slots=True, order=True)
class Thing:
    """A minimal object."""

    timestamp: int
    id: int


def page_after(things: list[Thing], after: Position, per_page: int, now: int = 1_000) -> CursorPage[Thing]:
    """Build the page after a position if these objects exist."""
    since = (thing for thing in sorted(things) if thing.timestamp >= after.second)
    return build_cursor_page(since, after=after, per_page=per_page, now=now)


def things_at(*timestamps: int) -> list[Thing]:
    """One object for each timestamp, numbered from 1."""
    return [Thing(timestamp, number) for number, timestamp in enumerate(timestamps, start=1)]


@pytest.mark.parametrize(
    ("after", "per_page", "expected"),
    [
        pytest.param(Position(0), 2, ([1, 2], False, (2, 2)), id="more follow"),
        pytest.param(Position(2), 9, ([2, 3, 4], True, (2, 4)), id="start_time is inclusive"),
        pytest.param(Position(2, 2), 9, ([3, 4], True, (2, 4)), id="a cursor continues within a second"),
        pytest.param(Position(2, 2), 1, ([3], False, (2, 3)), id="a second is divided between pages"),
        pytest.param(Position(0), 4, ([1, 2, 3, 4], True, (2, 4)), id="a full page can be the last one"),
        pytest.param(Position(2, 4), 9, ([], True, (2, 4)), id="nothing follows: the position stays"),
        pytest.param(Position(7), 9, ([], True, (7, -1)), id="nothing since start_time"),
    ],
)
def test_paging_rules(after: Position, per_page: int, expected: tuple[list[int], bool, tuple[int, int]]) -> None:
    """Each rule of paging, with an example: object 1 at second 1, and objects 2 to 4 at second 2."""
    page = page_after(things_at(1, 2, 2, 2), after, per_page)

    assert expected == ([thing.id for thing in page.items], page.end_of_stream, page.after)


def test_newest_minute_is_withheld() -> None:
    """At second 100, second 40 ended less than a minute ago."""
    page = page_after(things_at(38, 39, 40, 41), Position(0), 9, now=100)

    assert ([38, 39], True) == ([thing.timestamp for thing in page.items], page.end_of_stream)


def follow(things: list[Thing], start_time: int, per_page: int) -> Iterator[CursorPage[Thing]]:
    """Yield all pages up to the end of the stream."""
    position = Position(start_time)
    while True:
        page = page_after(things, position, per_page)
        yield page
        if page.end_of_stream:
            return
        position = page.after


@given(
    st.sets(st.builds(Thing, st.integers(0, 9), st.integers(1, 99)), max_size=60), st.integers(0, 9), st.integers(1, 70)
)
def test_following_cursors_returns_every_object_once(things: set[Thing], start_time: int, per_page: int) -> None:
    """This holds for any ties, any start and any page size."""
    pages = list(follow(list(things), start_time, per_page))

    assert sorted(thing for thing in things if thing.timestamp >= start_time) == [
        thing for page in pages for thing in page.items
    ]
    assert all(len(page.items) == per_page for page in pages[:-1])


@given(st.sampled_from(["tickets", "users"]), st.integers(0, 2**40), st.integers(-1, 2**50), st.integers(0, 2**30))
def test_cursor_is_decoded_to_its_position(resource: str, second: int, id_: int, issued: int) -> None:
    """It is text that needs no escaping in a URL."""
    text = encode_cursor(resource, Position(second, id_), issued)

    assert (Position(second, id_), issued) == decode_cursor(resource, text)
    assert text.replace("-", "").replace("_", "").isalnum()


def test_cursor_of_one_position() -> None:
    """It is the same text in every process."""
    assert "MTc2NzIyNTYwMHwxMXwwfDk0MmQ3MzE0" == encode_cursor("tickets", Position(1_767_225_600, 11))


@pytest.mark.parametrize("text", ["", "x", "MTc2NzIyNTYwMHwxMXwwfDk0MmQ3MzE1", "=" * 9, "ä", "MTIz", "A" * 5_000])
def test_invalid_cursor_is_rejected(text: str) -> None:
    """No text but that of an issued cursor is valid."""
    with pytest.raises(ValueError, match="the cursor"):
        decode_cursor("tickets", text)


@given(st.text(max_size=60))
def test_no_text_causes_another_error(text: str) -> None:
    """Random text is either rejected with a ValueError or is the text of a cursor."""
    try:
        position, issued = decode_cursor("tickets", text)
    except ValueError:
        return
    assert text == encode_cursor("tickets", position, issued)


def test_cursor_of_another_resource_is_rejected() -> None:
    """A cursor belongs to one export."""
    with pytest.raises(ValueError, match="checksum"):
        decode_cursor("users", encode_cursor("tickets", Position(1, 2)))
