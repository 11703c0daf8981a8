"""What an answer proves: the laws of the paging, and its rules one by one."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from airflow_zendesk.exceptions import FutureWindowError, MalformedResponseError, StuckPageError
from airflow_zendesk.window import Window
from airflow_zendesk.zendesk.page import Page
from airflow_zendesk.zendesk.paging import Sweep
from airflow_zendesk.zendesk.records import Record
from airflow_zendesk.zendesk.resources import RESOURCES
from airflow_zendesk.zendesk.response import ExportResponse
from tests.support.server_models import Event, Server, record

START = 1_767_225_600  # 2026-01-01T00:00:00Z
SPAN = 240
#: A page in these laws holds eight records, so that small examples meet every boundary.
PAGE_SIZES = {1000: 8, 500: 4, 250: 2}


def window(start: int, end: int) -> Window:
    """The window between two unix seconds."""
    return Window(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))


def sweep_over(start: int, end: int) -> Sweep:
    """A sweep with the least settling time, 90 seconds."""
    return Sweep(RESOURCES["ticket_events"], [window(start, end)], timedelta(0))


def export(server: Server, start: int, end: int) -> list[Record]:
    """All that a sweep takes from the server, waiting where it says so."""
    sweep = sweep_over(start, end)
    records: list[Record] = []
    while not sweep.done:
        assert len(server.requests) < 1_000, "the sweep does not end"
        page = sweep.take(server.answer(sweep.start_time, PAGE_SIZES[sweep.page_size.per_page]))
        records += page.records
        server.now += page.wait
    return records


seconds = st.integers(0, SPAN - 1) | st.sampled_from([5, 6, 7, 100, 101])


@st.composite
def servers(draw: st.DrawFn, *, delays: tuple[int, ...] = (0,)) -> Server:
    """Any server, with events that it delivers so many seconds after they happened."""
    happened = draw(st.lists(st.tuples(seconds, st.sampled_from(delays)), max_size=100))
    events = [Event(1_000 + i, START + at, START + at + late) for i, (at, late) in enumerate(happened)]
    server = Server(
        events,
        now=0,
        cut=draw(st.sampled_from(["split", "split, one more", "whole"])),
        ties=draw(st.booleans()),
        order=draw(st.sampled_from(["sorted", "shuffled", "shuffled in seconds"])),
        last_end_time=draw(st.sampled_from(["newest", "start", "null", "zero", "one", "stale"])),
        stream_ends=draw(st.sampled_from(["at once", "after an empty page"])),
        repeated=draw(st.sampled_from(events) | st.none()) if events else None,
    )
    if not server.ties:
        # A second of more events than any page holds cannot be exported from such a server: that is another test.
        assume(max(Counter(each.delivered for each in events).values(), default=0) < PAGE_SIZES[1000])
    if server.cut == "split, one more":
        # Such a server calls a second complete that it cut in two. We see through it, unless events of other times are
        # mixed in; no recording shows a server like this at all.
        assume(server.repeated is None and all(each.second == each.delivered for each in events))
    return server


@given(servers(), st.sets(st.integers(1, SPAN - 1), max_size=5), st.integers(0, 200))
def test_any_partition_of_time_exports_every_event_exactly_once(server: Server, cuts: set[int], age: int) -> None:
    """Whatever the server is like and wherever windows meet, each event is in one window, once."""
    bounds = [START, *(START + cut for cut in sorted(cuts)), START + SPAN]
    exported: list[Record] = []
    for start, end in pairwise(bounds):
        server.now = end + age
        server.requests.clear()
        exported += [each for each in export(server, start, end) if start <= each.second]
    assert sorted(each.id for each in server.events) == sorted(each.id for each in exported)


@given(servers(delays=(0, 0, 0, 1, 30, 90)), seconds, seconds)
def test_late_deliveries_are_neither_lost_nor_doubled_within_a_run(server: Server, one: int, other: int) -> None:
    """A server that sorts by delivery loses nothing: what it delivers in the window is exported, once."""
    start, end = START + min(one, other), START + max(one, other) + 1
    server.now = end + 90
    ids = [each.id for each in export(server, start, end)]
    due = {each.id for each in server.events if start <= each.delivered < end and each.second < end}
    assert due <= set(ids)
    assert len(set(ids)) == len(ids)


@given(servers())
def test_items_come_sorted_and_inside_what_is_covered(server: Server) -> None:
    """Pages follow upon each other without a gap; items are sorted by time and id and older than what is covered."""
    server.now = START + SPAN + 90
    sweep = sweep_over(START, START + SPAN)
    covered = START
    while not sweep.done:
        page = sweep.take(server.answer(sweep.start_time, PAGE_SIZES[sweep.page_size.per_page]))
        assert covered == page.start_time
        assert page.records == sorted(page.records, key=lambda each: (each.timestamp, each.id))
        assert all(each.second < page.complete_until for each in page.records)
        covered = page.complete_until
    assert START + SPAN == covered


@given(servers(delays=(0, 0, 0, 1, 30, 90)), st.integers(1, SPAN - 1), st.integers(0, 200))
def test_server_that_sorts_by_delivery_loses_nothing_and_its_doubles_are_told(
    server: Server, cut: int, age: int
) -> None:
    """What two windows were answered is late in the later one: by that mark, and by its id, it is found."""
    bounds = [START, START + cut, START + SPAN, START + SPAN + 200]
    exported: set[int] = set()
    for start, end in pairwise(bounds):
        server.now = end + age
        server.requests.clear()
        records = export(server, start, end)
        assert all(each.second < start for each in records if each.id in exported)
        exported.update(each.id for each in records)
    assert {each.id for each in server.events} == exported


def sweep_of_an_hour() -> Sweep:
    """A sweep over 01:00 to 02:00 that settles in five minutes."""
    return Sweep(RESOURCES["ticket_events"], [window(START + 3_600, START + 7_200)], timedelta(minutes=5))


def response(*at: int, end_time: int | None, end_of_stream: bool = False, date: int = 10_000) -> ExportResponse:
    """A page of events with ids 0, 1, ... at so many seconds after START; times likewise."""
    records = [record(Event(id_, START + second, 0)) for id_, second in enumerate(at)]
    return ExportResponse(
        records=records,
        end_time=None if end_time is None else START + end_time,
        end_of_stream=end_of_stream,
        server_date=START + date,
    )


def facts(page: Page) -> tuple[list[int], int, int]:
    """Ids, the second after START until which the page is complete, and the wait."""
    return [each.id for each in page.records], page.complete_until - START, page.wait


def test_page_that_mixes_seconds_is_complete_before_its_newest() -> None:
    """A page may cut its newest second in two, even if its end_time says one more."""
    assert ([0, 1], 3_602, 0) == facts(sweep_of_an_hour().take(response(3_600, 3_601, 3_602, end_time=3_602)))
    assert ([0, 1], 3_602, 0) == facts(sweep_of_an_hour().take(response(3_600, 3_601, 3_602, end_time=3_603)))


def test_page_of_one_second_is_complete_up_to_its_end_time() -> None:
    """A page of one second holds all of it, and its end_time is the second after."""
    assert ([0, 1], 3_601, 0) == facts(sweep_of_an_hour().take(response(3_600, 3_600, end_time=3_601)))


def test_held_events_are_exported_whether_or_not_the_next_page_repeats_them() -> None:
    """What lies at the boundary is kept until the page after has been seen."""
    for repeated in ([], [record(Event(1, START + 3_601, 0))]):
        sweep = sweep_of_an_hour()
        sweep.take(response(3_600, 3_601, end_time=3_601))
        second = ExportResponse(
            records=[*repeated, record(Event(2, START + 3_602, 0))],
            end_time=START + 3_602,
            end_of_stream=True,
            server_date=START + 10_000,
        )
        page = sweep.take(second)
        assert ([1, 2], 7_200, 0) == facts(page)
        assert len(repeated) == page.anomalies.duplicates


def test_later_of_two_bodies_is_kept_and_counted() -> None:
    """One id with two bodies: the later one wins, and the report says so."""
    sweep = sweep_of_an_hour()
    sweep.take(response(3_600, 3_601, end_time=3_601))
    changed = Record(1, (START + 3_601) * 1_000_000, {"id": msgspec.Raw(b"1"), "via": msgspec.Raw(b'"Web form"')})
    page = sweep.take(
        ExportResponse(records=[changed], end_time=START + 3_601, end_of_stream=True, server_date=START + 10_000)
    )
    assert [changed] == page.records
    assert (1, 1) == (page.anomalies.duplicates, page.anomalies.conflicting)


def test_end_of_stream_covers_everything_whatever_end_time_says() -> None:
    """On the last page end_time may be null, 0, 1, the start or older: a quiet account is complete."""
    for end_time in (None, -START, 1 - START, 3_600, 60):
        assert ([], 7_200, 0) == facts(sweep_of_an_hour().take(response(end_time=end_time, end_of_stream=True)))


def test_full_page_that_calls_itself_the_last_is_asked_on_from() -> None:
    """A page that is not the last is full, so a full one may have a flag that came too early."""
    sweep = sweep_of_an_hour()
    sweep.page_size.per_page = 3
    assert ([0, 1], 3_602, 0) == facts(sweep.take(response(3_600, 3_601, 3_602, end_time=None, end_of_stream=True)))
    sweep.page_size.per_page = 3
    assert ([2], 7_200, 0) == facts(sweep.take(response(end_time=None, end_of_stream=True)))


def test_full_last_page_of_one_second_is_complete() -> None:
    """However many its events are: a page of one second holds all of it, and the next page confirms the end."""
    sweep = sweep_of_an_hour()
    sweep.page_size.per_page = 2
    assert ([0, 1, 2], 3_601, 0) == facts(sweep.take(response(3_600, 3_600, 3_600, end_time=3_600, end_of_stream=True)))
    assert ([], 7_200, 0) == facts(sweep.take(response(end_time=3_600, end_of_stream=True)))


def test_full_last_page_from_which_nothing_leads_on_is_believed() -> None:
    """Old events beside those of the first second: to ask from there again would be to ask for ever."""
    sweep = sweep_of_an_hour()
    sweep.page_size.per_page = 2
    assert ([0, 1], 7_200, 0) == facts(sweep.take(response(10, 3_600, end_time=3_600, end_of_stream=True)))


def test_empty_page_in_the_middle_is_believed_when_it_stays_empty() -> None:
    """What jumps over a time without a word is asked again in two other sizes."""
    sweep = sweep_of_an_hour()
    for size in (1_000, 500):
        assert size == sweep.page_size.per_page
        assert ([], 3_600, 0) == facts(sweep.take(response(end_time=3_700)))
    assert 250 == sweep.page_size.per_page
    page = sweep.take(response(end_time=3_700))
    assert (([], 3_700, 0), 1) == (facts(page), page.anomalies.accepted_unproven)


def test_empty_page_in_the_middle_that_was_a_slip_costs_nothing_but_the_question() -> None:
    """The second answer has what the first one left out."""
    sweep = sweep_of_an_hour()
    sweep.take(response(end_time=3_700))
    page = sweep.take(response(3_600, 3_650, 3_700, end_time=3_700))
    assert ([0, 1], 3_700, 0) == facts(page)
    assert (1_000, 0) == (sweep.page_size.per_page, page.anomalies.accepted_unproven)


def test_events_at_or_after_the_end_belong_to_the_next_window() -> None:
    """The window is half-open."""
    page = sweep_of_an_hour().take(response(7_199, 7_200, 7_201, end_time=7_201))
    assert ([0], 7_200, 0) == facts(page)


def test_events_from_before_the_start_are_exported() -> None:
    """What Zendesk delivers late is not thrown away."""
    assert ([0, 1], 7_200, 0) == facts(sweep_of_an_hour().take(response(10, 3_600, end_time=3_600, end_of_stream=True)))


def test_seconds_that_have_not_settled_are_asked_for_again() -> None:
    """Covered is what was older than the settling time by the server's clock; the wait is just long enough."""
    sweep = sweep_of_an_hour()
    page = sweep.take(response(3_600, 7_000, end_time=7_000, end_of_stream=True, date=7_250))
    assert ([0], 6_950, 250) == facts(page)
    assert START + 6_950 == sweep.start_time
    assert ([1], 7_200, 0) == facts(sweep.take(response(3_600, 7_000, end_time=7_000, end_of_stream=True, date=7_500)))


def test_window_that_is_not_over_by_the_servers_clock_is_refused() -> None:
    """The worker's clock plays no part."""
    with pytest.raises(FutureWindowError, match="02:00:00Z, but Zendesk's clock says 2026-01-01T01:59:59Z"):
        sweep_of_an_hour().take(response(end_time=3_600, end_of_stream=True, date=7_199))


def test_clock_that_stands_still_ends_the_waiting() -> None:
    """A cache that repeats an old answer cannot hold a task for ever."""
    sweep = sweep_of_an_hour()
    with pytest.raises(StuckPageError, match="the Date header of the responses does not advance"):
        for _ in range(10):
            sweep.take(response(end_time=3_600, end_of_stream=True, date=7_250))


def test_missing_end_time_with_more_to_come_is_refused() -> None:
    """Without end_time nothing says how far the page goes."""
    with pytest.raises(MalformedResponseError, match="no end_time, but is not the last page"):
        sweep_of_an_hour().take(response(3_600, end_time=None))


def test_page_that_does_not_advance_is_asked_for_in_other_sizes_then_left_by_its_end_time() -> None:
    """Two other page sizes are tried; then the furthest end_time is believed, and that is counted."""
    sweep = sweep_of_an_hour()
    sizes = []
    for end_time in (3_601, 3_601, 3_600):
        sizes.append(sweep.page_size.per_page)
        page = sweep.take(response(5, 3_600, end_time=end_time))
    assert [1000, 500, 250] == sizes
    assert (3_601, 1) == (page.complete_until - START, page.anomalies.accepted_unproven)


def test_word_that_is_believed_is_the_one_that_the_certificate_will_have() -> None:
    """Of the answers that did not advance, the furthest: an audit looks for it."""
    sweep = sweep_of_an_hour()
    pages = [sweep.take(response(end_time=end_time)) for end_time in (3_700, 3_650, 3_650)]
    assert [(3_600, START + 3_700), (3_600, START + 3_650), (3_700, START + 3_700)] == [
        (page.complete_until - START, page.end_time) for page in pages
    ]


def test_page_that_never_advances_is_a_named_error() -> None:
    """A loop proves that it ends."""
    sweep = sweep_of_an_hour()
    with pytest.raises(StuckPageError, match=f"stuck at start_time={START + 3_600}: with every page size"):
        for _ in range(3):
            sweep.take(response(3_600, 3_600, end_time=3_600))


def test_page_size_climbs_back_after_the_spot_that_was_stuck() -> None:
    """A smaller size is for one spot."""
    sweep = sweep_of_an_hour()
    sweep.take(response(3_600, end_time=3_600))
    assert 500 == sweep.page_size.per_page
    sweep.take(response(3_600, end_time=3_601))
    assert 1000 == sweep.page_size.per_page


def test_gap_between_windows_is_skipped() -> None:
    """The sweep continues at the start of the next window; events of the gap are left out, late ones are not."""
    hours = [window(START, START + 3_600), window(START + 7_200, START + 10_800)]
    sweep = Sweep(RESOURCES["ticket_events"], hours, timedelta(minutes=5))
    events = [Event(id_, START + at, 0) for id_, at in enumerate([3_599, 3_600, 3_700])]
    page = sweep.take(
        ExportResponse(
            records=[record(each) for each in events],
            end_time=START + 3_700,
            end_of_stream=False,
            server_date=START + 20_000,
        )
    )
    assert [0] == [each.id for each in page.records]
    assert (START + 3_700, START + 7_200) == (page.complete_until, sweep.start_time)
    events = [Event(10 + id_, START + at, 0) for id_, at in enumerate([5, 3_700, 7_200, 10_799])]
    page = sweep.take(
        ExportResponse(
            records=[record(each) for each in events],
            end_time=START + 10_799,
            end_of_stream=True,
            server_date=START + 20_000,
        )
    )
    assert [10, 11, 12, 13] == [each.id for each in page.records]
    assert sweep.done
