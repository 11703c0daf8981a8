from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from tests.support.emulator_client import DAY, EVENTS, HOUR, METRICS, NEW_YEAR, START, Clock, export, export_all


@pytest.mark.parametrize("per_page", [7, 100, 1_000])
@pytest.mark.parametrize("resource", [EVENTS, METRICS])
def test_pages_together_are_the_truth(
    session: requests.Session, emulator: ZendeskEmulator, clock: Clock, resource: str, per_page: int
) -> None:
    """Any page size gives exactly what a perfect export contains."""
    start = int(clock.now) - 4 * HOUR
    ids = export_all(session, emulator, resource, start_time=start, per_page=per_page, support_type_scope="all")
    visible = datetime.fromtimestamp(clock.now - 60, UTC)

    assert sorted(emulator.expected_ids(resource, datetime.fromtimestamp(start, UTC), visible)) == sorted(ids)


def test_items_are_not_in_the_same_order_twice(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """Two equal requests give the same items, but those of one second in another order."""
    closing = START + 15 * HOUR
    first, second = (
        [item["id"] for item in export(session, emulator, start_time=closing, per_page=5).json()[EVENTS]] for _ in "ab"
    )

    assert sorted(second) == sorted(first)
    assert first != second


def test_ai_agent_tickets_are_left_out_by_default(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """Zendesk's default scope is agent: only who asks for all gets all."""
    totals = {
        scope: export(session, emulator, start_time=START, **({"support_type_scope": scope} if scope else {})).json()
        for scope in ("", "agent", "ai_agent", "all")
    }
    ids = {scope: {item["id"] for item in page[EVENTS]} for scope, page in totals.items()}
    end = NEW_YEAR + timedelta(hours=6)
    truth = {
        scope: set(emulator.expected_ids(EVENTS, NEW_YEAR, end, support_type_scope=scope)) for scope in list(totals)[1:]
    }

    assert ids[""] == ids["agent"] > truth["agent"]
    assert not ids["agent"] & truth["ai_agent"]
    assert truth["all"] == truth["agent"] | truth["ai_agent"] < ids["all"]
    assert truth["ai_agent"]


def test_metric_events_know_no_scope(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """The parameter is documented for ticket events alone."""
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
    """The next page begins at end_time and echoes per_page, but not the other parameters."""
    page = export(session, emulator, start_time=START + 1, per_page=3, include="comment_events").json()

    assert [EVENTS, "next_page", "count", "end_of_stream", "end_time"] == list(page)
    assert 3 == page["count"]
    assert page["end_of_stream"] is False
    assert page[EVENTS][-1]["timestamp"] == page["end_time"]
    next_page = f"{emulator.url}/api/v2/incremental/ticket_events?per_page=3&start_time={page['end_time']}"
    assert next_page == page["next_page"]


def test_suffix_json_is_kept(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """Both spellings of the path work, and the next page has the one that was used."""
    page = export(session, emulator, "ticket_events.json", start_time=START).json()

    assert f"{emulator.url}/api/v2/incremental/ticket_events.json?start_time={page['end_time']}" == page["next_page"]


def test_second_of_midnight_is_one_page(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """The automation closed fourteen tickets at midnight: asked for one item, the page has them all and moves on."""
    page = export(session, emulator, start_time=START, per_page=1).json()

    assert {START} == {item["timestamp"] for item in page[EVENTS]}
    assert (14, False, START + 1) == (page["count"], page["end_of_stream"], page["end_time"])


def test_page_holds_at_most_a_thousand(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """A thousand is the default and the maximum."""
    assert 1_000 == export(session, emulator, start_time=START).json()["count"]
    assert 1_000 == export(session, emulator, start_time=START, per_page=5_000).json()["count"]


def test_sample_is_a_small_export(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """What a connection test asks for: the same shape, fifty items at most; there is none of metric events."""
    sample = export(session, emulator, "ticket_events/sample", start_time=START, per_page=1_000).json()

    assert 50 == sample["count"] == len(sample[EVENTS])
    assert 404 == export(session, emulator, "ticket_metric_events/sample", start_time=START).status_code


def test_comments_come_only_with_the_sideload(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """`include` is a list; unknown entries and unknown parameters do not matter."""
    plain = export(session, emulator, start_time=START, per_page=100, whatever="x").text
    full = export(session, emulator, start_time=START, per_page=100, include="users,comment_events").text

    assert "html_body" not in plain
    assert "html_body" in full


def test_text_is_utf_8(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """Customers write in their own language, and the text goes over the wire as it is."""
    response = export(session, emulator, start_time=START, include="comment_events")

    assert "注文" in response.content.decode()
    assert "application/json; charset=UTF-8" == response.headers["Content-Type"]


def test_last_minute_is_withheld_until_it_is_over(
    session: requests.Session, emulator: ZendeskEmulator, clock: Clock
) -> None:
    """What happened a moment ago appears a minute later; the truth has it at once."""
    happened = START + 11 * HOUR  # the automation closes tickets in this second
    at, after = datetime.fromtimestamp(happened, UTC), datetime.fromtimestamp(happened + 1, UTC)
    truth = emulator.expected_ids(EVENTS, at, after, support_type_scope="agent")
    clock.now = happened + 60.9
    early = export(session, emulator, start_time=happened).json()
    clock.now = happened + 61
    later = export(session, emulator, start_time=happened).json()

    assert len(truth) > 1
    assert {EVENTS: [], "next_page": None, "count": 0, "end_of_stream": True, "end_time": None} == early
    assert sorted(truth) == sorted(item["id"] for item in later[EVENTS])


def test_last_page_ends_with_its_last_item(session: requests.Session, emulator: ZendeskEmulator, clock: Clock) -> None:
    """end_time of the last page is not the present, and its next_page gives the last second again."""
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
    """A start_time in the newest minute, or in the future, is refused."""
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
    """A missing or senseless start_time is the caller's mistake."""
    response = export(session, emulator, **query)

    assert (400, body) == (response.status_code, response.json())


@pytest.mark.parametrize(
    "query", [{"start_time": "-1"}, {"per_page": "0"}, {"per_page": "x"}, {"support_type_scope": "x"}]
)
def test_senseless_parameters_are_refused(
    session: requests.Session, emulator: ZendeskEmulator, query: dict[str, str]
) -> None:
    """A parameter that is known must make sense."""
    assert 400 == export(session, emulator, **({"start_time": str(START)} | query)).status_code


def test_empty_end_time_can_be_chosen(session: requests.Session, clock: Clock) -> None:
    """An exporter can be tried against every guess of what an empty page says."""
    clock.now = START + 63.0
    with ZendeskEmulator(Simulator(opened=NEW_YEAR), clock=clock, empty_end_time="start") as emulator:
        page = export(session, emulator, start_time=START - DAY).json()

    assert (0, START - DAY, None) == (page["count"], page["end_time"], page["next_page"])
