"""What the pages of a cursor-based export prove, and the cursors that are refused."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.exceptions import FutureWindowError, StuckPageError
from airflow_zendesk.window import Window
from airflow_zendesk.zendesk.cursor_paging import CursorSweep, sweep_of
from airflow_zendesk.zendesk.page import Page
from airflow_zendesk.zendesk.paging import Sweep
from airflow_zendesk.zendesk.records import Record
from airflow_zendesk.zendesk.resources import RESOURCES, Query
from airflow_zendesk.zendesk.response import ExportResponse
from tests.support.cursor_server import CursorServer, CursorServerHook
from tests.support.slices import as_records

START = 1_767_225_600  # 2026-01-01T00:00:00Z
USERS = Query.of("users")


def window(start: int, end: int) -> Window:
    """The window between two unix seconds."""
    return Window(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))


def sweep_over(*windows: Window) -> CursorSweep:
    """A sweep with the least settling time, 90 seconds."""
    return CursorSweep(RESOURCES["users"], windows, timedelta(0))


def response(*records: tuple[int, int], cursor: str | None = "next", **members: Any) -> ExportResponse:
    """A page with these ids and seconds."""
    return ExportResponse(
        records=as_records({"id": id_, "timestamp": START + second} for id_, second in records),
        end_time=None,
        end_of_stream=members.get("end_of_stream", False),
        server_date=START + 10_000,
        after_cursor=cursor,
    )


def ids(page: Page) -> list[int]:
    """The ids of its records."""
    return [record.id for record in page.records]


def export(server: CursorServer, *windows: Window) -> list[Record]:
    """All that a sweep takes from the server."""
    pages = CursorServerHook(server).iter_sweep(USERS, sweep_over(*windows))
    return [record for page in pages for record in page.records]


@given(
    st.lists(st.integers(0, 40), max_size=30),
    st.integers(1, 5),
    st.sets(st.integers(1, 40), max_size=4),
    st.booleans(),
    st.booleans(),
)
def test_every_object_is_exported_once_for_any_pages_windows_and_expired_cursors(
    seconds: list[int], per_page: int, cuts: set[int], expire: bool, last_has_cursor: bool
) -> None:
    """Many objects may share a second, and be on several pages."""
    if expire:
        per_page = max(per_page, 1 + max((seconds.count(second) for second in seconds), default=0))
    server = CursorServer(
        START + 1_000, per_page, expire, last_has_cursor, {id_: [START + at] for id_, at in enumerate(seconds)}
    )
    bounds = [START, *(START + cut for cut in sorted(cuts)), START + 41]
    windows = [window(*bound) for bound in itertools.pairwise(bounds)]
    exported = export(server, *windows)
    assert sorted((record.second - START, record.id) for record in exported) == sorted(
        (at, id_) for id_, at in enumerate(seconds)
    )


def test_a_gap_between_windows_is_not_requested() -> None:
    """The sweep goes on with a start_time, not with the cursor."""
    server = CursorServer(START + 1_000, 2, changes={id_: [START + id_] for id_ in range(40)})
    exported = export(server, window(START, START + 4), window(START + 36, START + 38))
    assert [0, 1, 2, 3, 36, 37] == [record.id for record in exported]
    assert server.requests == 5


def test_a_page_is_complete_before_its_newest_second() -> None:
    """The objects of one second may continue on the next page."""
    sweep = sweep_over(window(START, START + 100))
    assert {"start_time": START, "per_page": 1000} == sweep.params(USERS)
    page = sweep.take(response((1, 5), (2, 9), (3, 9)))
    assert ([1], START + 9) == (ids(page), page.complete_until)
    assert {"cursor": "next", "per_page": 1000} == sweep.params(USERS)
    page = sweep.take(response((4, 9), (5, 200), cursor="more"))
    assert [2, 3, 4] == ids(page)
    assert sweep.done


def test_a_page_out_of_order_is_complete_before_its_oldest_second() -> None:
    """If Zendesk ever orders by another time than the one in the objects, nothing is skipped."""
    sweep = sweep_over(window(START, START + 100))
    page = sweep.take(response((1, 5), (2, 90), (3, 7)))
    assert ([], START + 5) == (ids(page), page.complete_until)
    page = sweep.take(response((4, 6), (5, 60), cursor=None, end_of_stream=True))
    assert [1, 4, 3, 5, 2] == ids(page)


def test_an_object_that_changed_on_the_way_is_exported_in_its_newest_version() -> None:
    """It is on two pages, once for each version."""
    sweep = sweep_over(window(START, START + 100))
    sweep.take(response((1, 5), (2, 5)))
    page = sweep.take(response((2, 50), cursor=None, end_of_stream=True))
    assert [(1, 5), (2, 50)] == [(record.id, record.second - START) for record in page.records]
    assert page.anomalies.duplicates == 0


@pytest.mark.parametrize(
    ("pages", "reason"),
    [
        ([response((1, 5)), response((2, 6))], "its after_cursor was used before"),
        (
            [response((1, 5), cursor=str(number)) for number in range(5)],
            "3 pages in a row had no new object",
        ),
        ([response(cursor=str(number)) for number in range(5)], "3 pages in a row had no new object"),
        (
            [response((1, 5), (2, 9)), response((3, 2), (4, 3), cursor="back")],
            "the page of its cursor is older than the page before",
        ),
    ],
)
def test_cursors_that_do_not_advance_are_refused(pages: list[ExportResponse], reason: str) -> None:
    """Otherwise the export would never end, or would take old versions for new ones."""
    sweep = sweep_over(window(START, START + 100))
    with pytest.raises(StuckPageError, match=reason):
        for page in pages:
            sweep.take(page)


def test_an_expired_cursor_is_replaced_once_by_the_time_that_is_complete() -> None:
    """A second refusal at the same time is an error."""
    sweep = sweep_over(window(START, START + 100))
    assert not sweep.restart()
    sweep.take(response((1, 5), (2, 9)))
    assert sweep.restart()
    assert {"start_time": START + 9, "per_page": 1000} == sweep.params(USERS)
    sweep.take(response((2, 9), (3, 9), cursor="again"))
    assert not sweep.restart()


def test_a_full_page_that_claims_to_be_the_last_is_continued() -> None:
    """As far as it has a cursor."""
    full = [(id_, id_ // 100) for id_ in range(1_000)]
    sweep = sweep_over(window(START, START + 100))
    sweep.take(response(*full, end_of_stream=True))
    assert not sweep.done
    sweep.take(response((5_000, 50), cursor=None, end_of_stream=True))
    assert sweep.done


def test_unsettled_seconds_are_requested_again() -> None:
    """By time, because objects may still appear before the cursor."""
    sweep = sweep_over(window(START, START + 9_950))
    page = sweep.take(response((1, 9_940), cursor="last", end_of_stream=True))
    assert (40, []) == (page.wait, ids(page))
    assert {"start_time": START + 9_910, "per_page": 1000} == sweep.params(USERS)


def test_a_window_that_is_not_over_is_refused() -> None:
    """By Zendesk's clock."""
    with pytest.raises(FutureWindowError):
        sweep_over(window(START, START + 10_001)).take(response((1, 5)))


def test_each_resource_is_paged_as_its_row_says() -> None:
    """Tickets and users by cursor, the other exports by time."""
    kinds = {name: type(sweep_of(RESOURCES[name], [window(START, START + 1)])) for name in list(RESOURCES)[:5]}
    assert kinds == {
        "ticket_events": Sweep,
        "ticket_metric_events": Sweep,
        "tickets": CursorSweep,
        "users": CursorSweep,
        "organizations": Sweep,
    }
