from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from tests.support.emulator_client import DAY, EVENTS, HOUR, METRICS, NEW_YEAR, START, Clock, export, export_all


@pytest.mark.parametrize("per_page", [7, 100, 1_000])
@pytest.mark.parametrize("resource", [EVENTS, METRICS])
def test_all_pages_together_contain_the_expected_ids(
    session: requests.Session, emulator: ZendeskEmulator, clock: Clock, resource: str, per_page: int
) -> None:
    """This holds for any page size."""
    start = int(clock.now) - 4 * HOUR
    ids = export_all(session, emulator, resource, start_time=start, per_page=per_page, support_type_scope="all")
    visible = datetime.fromtimestamp(clock.now - 60, UTC)

    assert sorted(emulator.expected_ids(resource, datetime.fromtimestamp(start, UTC), visible)) == sorted(ids)


def test_order_within_a_second_differs_between_requests(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """Two equal requests return the same items."""
    closing = START + 15 * HOUR
    first, second = (
        [item["id"] for item in export(session, emulator, start_time=closing, per_page=5).json()[EVENTS]] for _ in "ab"
    )

    assert sorted(second) == sorted(first)
    assert first != second


def test_ai_agent_tickets_are_left_out_by_default(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """Zendesk's default scope is `agent`; only the scope `all` returns all tickets."""
    totals = {
        scope: export(session, emulator, start_time=START, **({"support_type_scope": scope} if scope else {})).json()
        for scope in ("", "agent", "ai_agent", "all")
    }
    ids = {scope: {item["id"] for item in page[EVENTS]} for scope, page in totals.items()}
    end = NEW_YEAR + timedelta(hours=6)
    expected = {
        scope: set(emulator.expected_ids(EVENTS, NEW_YEAR, end, support_type_scope=scope)) for scope in list(totals)[1:]
    }

    assert ids[""] == ids["agent"] > expected["agent"]
    assert not ids["agent"] & expected["ai_agent"]
    assert expected["all"] == expected["agent"] | expected["ai_agent"] < ids["all"]
    assert expected["ai_agent"]


def test_metric_events_ignore_the_scope(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """The parameter is documented for ticket events only."""
    start = START + 2 * DAY
    exported = [
        sorted(export_all(session, emulator, METRICS, start_time=start, support_type_scope=scope))
        for scope in ("all", "agent")
    ]

    assert exported[1] == exported[0]
    assert emulator.expected_ids(METRICS, NEW_YEAR, NEW_YEAR + timedelta(days=1)) == emulator.expected_ids(
        METRICS, NEW_YEAR, NEW_YEAR + timedelta(days=1), support_type_scope="agent"
    )


def test_envelope_of_a_page(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """The next page starts at end_time and echoes per_page, but no other parameter."""
    page = export(session, emulator, start_time=START + 1, per_page=3, include="comment_events").json()

    assert [EVENTS, "next_page", "count", "end_of_stream", "end_time"] == list(page)
    assert 3 == page["count"]
    assert page["end_of_stream"] is False
    assert page[EVENTS][-1]["timestamp"] == page["end_time"]
    next_page = f"{emulator.url}/api/v2/incremental/ticket_events?per_page=3&start_time={page['end_time']}"
    assert next_page == page["next_page"]


def test_next_page_keeps_the_json_suffix(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """Both forms of the path work."""
    page = export(session, emulator, "ticket_events.json", start_time=START).json()

    assert f"{emulator.url}/api/v2/incremental/ticket_events.json?start_time={page['end_time']}" == page["next_page"]


def test_page_of_one_second_contains_the_whole_second(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """Fourteen tickets were closed at midnight: a page of one item contains them all, and end_time advances."""
    page = export(session, emulator, start_time=START, per_page=1).json()

    assert {START} == {item["timestamp"] for item in page[EVENTS]}
    assert (14, False, START + 1) == (page["count"], page["end_of_stream"], page["end_time"])


def test_page_has_at_most_a_thousand_items(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """A thousand is the default and the maximum."""
    assert 1_000 == export(session, emulator, start_time=START).json()["count"]
    assert 1_000 == export(session, emulator, start_time=START, per_page=5_000).json()["count"]


def test_sample_is_a_small_export(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """It has the same shape and at most fifty items. There is no sample of metric events."""
    sample = export(session, emulator, "ticket_events/sample", start_time=START, per_page=1_000).json()

    assert 50 == sample["count"] == len(sample[EVENTS])
    assert 404 == export(session, emulator, "ticket_metric_events/sample", start_time=START).status_code


def test_comment_texts_require_the_sideload(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """`include` is a list; unknown entries and unknown parameters are ignored."""
    plain = export(session, emulator, start_time=START, per_page=100, whatever="x").text
    full = export(session, emulator, start_time=START, per_page=100, include="users,comment_events").text

    assert "html_body" not in plain
    assert "html_body" in full


def test_text_is_sent_as_utf_8(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """Text in other scripts is not escaped."""
    response = export(session, emulator, start_time=START, include="comment_events")

    assert "注文" in response.content.decode()
    assert "application/json; charset=UTF-8" == response.headers["Content-Type"]


def test_newest_minute_is_withheld(session: requests.Session, emulator: ZendeskEmulator, clock: Clock) -> None:
    """An event becomes visible a minute later; the expected ids contain it at once."""
    happened = START + 11 * HOUR  # the automation closes tickets in this second
    at, after = datetime.fromtimestamp(happened, UTC), datetime.fromtimestamp(happened + 1, UTC)
    expected = emulator.expected_ids(EVENTS, at, after, support_type_scope="agent")
    clock.now = happened + 60.9
    early = export(session, emulator, start_time=happened).json()
    clock.now = happened + 61
    later = export(session, emulator, start_time=happened).json()

    assert len(expected) > 1
    assert {EVENTS: [], "next_page": None, "count": 0, "end_of_stream": True, "end_time": None} == early
    assert sorted(expected) == sorted(item["id"] for item in later[EVENTS])


def test_end_time_of_the_last_page_is_its_last_item(
    session: requests.Session, emulator: ZendeskEmulator, clock: Clock
) -> None:
    """It is not the present; next_page returns the last second again."""
    last = export(session, emulator, start_time=int(clock.now) - HOUR).json()
    again = session.get(last["next_page"], timeout=30).json()

    assert last["end_of_stream"] is True
    assert last["end_time"] == last[EVENTS][-1]["timestamp"] < clock.now - 60
    assert {last["end_time"]} == {item["timestamp"] for item in again[EVENTS]}
    assert again["next_page"].endswith(f"start_time={last['end_time']}")


@pytest.mark.parametrize(("seconds", "status"), [(59, 400), (60, 200), (-3_600, 400)])
def test_start_time_must_be_a_minute_old(
    session: requests.Session, emulator: ZendeskEmulator, clock: Clock, seconds: int, status: int
) -> None:
    """A start_time in the newest minute or in the future gets a 400."""
    response = export(session, emulator, start_time=int(clock.now) - seconds)

    assert status == response.status_code
    if status == 400:
        assert "StartTimeTooRecent" == response.json()["error"]


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ({}, {"error": "ParameterMissing", "description": "Parameter start_time is required"}),
        (
            {"start_time": "2026-01-01"},
            {
                "error": {
                    "title": "Invalid attribute",
                    "message": "You passed an invalid value for the start_time attribute. "
                    "Invalid parameter: start_time must be an integer of at least 0",
                }
            },
        ),
    ],
)
def test_start_time_is_required(
    session: requests.Session, emulator: ZendeskEmulator, query: dict[str, str], body: dict[str, Any]
) -> None:
    """A missing or invalid start_time gets a 400."""
    response = export(session, emulator, **query)

    assert (400, body) == (response.status_code, response.json())


@pytest.mark.parametrize(
    "query", [{"start_time": "-1"}, {"per_page": "0"}, {"per_page": "x"}, {"support_type_scope": "x"}]
)
def test_invalid_parameters_are_rejected(
    session: requests.Session, emulator: ZendeskEmulator, query: dict[str, str]
) -> None:
    """The known parameters are validated."""
    assert 400 == export(session, emulator, **({"start_time": str(START)} | query)).status_code


def test_end_time_of_an_empty_page_can_be_set(session: requests.Session, clock: Clock) -> None:
    """So the exporter can be tested against every possible value."""
    clock.now = START + 63.0
    with ZendeskEmulator(Simulator(opened=NEW_YEAR), clock=clock, empty_end_time="start") as emulator:
        page = export(session, emulator, start_time=START - DAY).json()

    assert (0, START - DAY, None) == (page["count"], page["end_time"], page["next_page"])
