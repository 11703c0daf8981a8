"""The state of a ticket is what its exported events add up to."""

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from airflow_zendesk.emulator.cursor_pages import Position, build_cursor_page
from airflow_zendesk.emulator.lifecycle import events_of
from airflow_zendesk.emulator.metrics import metric_events_of
from airflow_zendesk.emulator.revisions import NEVER, Revision
from airflow_zendesk.emulator.serialization import serialize_ticket_event
from airflow_zendesk.emulator.ticket import BYTES_PER_TICKET, Ticket, TicketEvent, random_bytes
from airflow_zendesk.emulator.ticket_shapes import serialize_ticket
from tests.emulator.object_client import Json, objects
from tests.support.emulator_client import DAY, HOUR, NEW_YEAR, START, Clock

TICKET = Ticket.of(5, START + 36_000, random_bytes(1, 5))  # its lifecycle is listed in test_lifecycle.py
PLAN, PRODUCT = 21_900_000_500_001, 21_900_000_500_002
STATUS_IDS = {"new": 3, "open": 1, "hold": 2, "pending": 4, "solved": 5, "closed": 5}

tickets = st.builds(
    Ticket.of,
    number=st.integers(0, 10**9),
    created=st.integers(START, START + DAY),
    randomness=st.binary(min_size=BYTES_PER_TICKET, max_size=BYTES_PER_TICKET),
)


def serialized(ticket: Ticket, ticket_id: int, second: int) -> Json:
    """Return a ticket with its metric set, as of a second in which it changed."""
    revision = Revision(second, ticket_id, NEVER, False, ticket)
    return serialize_ticket(revision, events_of(ticket), with_metric_set=True)


def fold(items: list[Json]) -> Json:
    """Return the state that exported events of one ticket add up to; written for this test only."""
    fields: Json = {"assignee_id": None, "group_id": None, "satisfaction_score": "unoffered", "custom": {}}
    status_id = None
    for item in items:
        for child in item["child_events"]:
            if child["event_type"] not in ("Create", "Change"):
                continue
            if "custom_ticket_fields" in child:
                fields["custom"] |= {int(id_): value for id_, value in child["custom_ticket_fields"].items()}
            else:
                fields |= {name: value for name, value in child.items() if name in FOLDED}
            if child.get("status") in STATUS_IDS:
                status_id = 21_900_000_800_000 + STATUS_IDS[child["status"]]
    return fields | {
        "requester_id": int(fields["requester_id"]),
        "assignee_id": fields["assignee_id"] and int(fields["assignee_id"]),
        "group_id": fields["group_id"] and int(fields["group_id"]),
        "custom_status_id": status_id,
        "created_at": items[0]["created_at"],
        "updated_at": items[-1]["created_at"],
        "generated_timestamp": items[-1]["timestamp"],
        "tags": list(fields["tags"]),
    }


FOLDED = {
    "subject", "status", "priority", "type", "requester_id", "assignee_id", "group_id", "tags", "satisfaction_score",
}  # fmt: skip


def state(ticket: Json) -> Json:
    """Return the same fields of an exported ticket."""
    names = FOLDED - {"satisfaction_score"} | {"custom_status_id", "created_at", "updated_at", "generated_timestamp"}
    custom = {field["id"]: field["value"] for field in ticket["custom_fields"] if field["value"] is not None}
    score = ticket["satisfaction_rating"]["score"]
    tags = list(ticket["tags"])
    return {name: ticket[name] for name in names} | {"satisfaction_score": score, "custom": custom, "tags": tags}


def exported_events(session: requests.Session, emulator: ZendeskEmulator, until: int) -> dict[int, list[Json]]:
    """Return the events of each ticket, ordered by time and id."""
    items: dict[int, Json] = {}
    page: Json = {"end_time": START, "end_of_stream": False}
    while not page["end_of_stream"]:
        url = f"{emulator.url}/api/v2/incremental/ticket_events"
        query = {"start_time": page["end_time"], "support_type_scope": "all"}
        page = session.get(url, params=query, timeout=30).json()
        items |= {item["id"]: item for item in page["ticket_events"]}
    events: dict[int, list[Json]] = defaultdict(list)
    for item in sorted(items.values(), key=lambda item: (item["timestamp"], item["id"])):
        assert item["timestamp"] < until
        events[item["ticket_id"]].append(item)
    return events


@pytest.mark.parametrize("hours", [3, 26.5, 60])
def test_state_equals_the_fold_of_the_exported_events(session: requests.Session, clock: Clock, hours: float) -> None:
    """A ticket that changed in the newest minute is withheld; all others are as their events say."""
    clock.now = START + hours * HOUR
    with ZendeskEmulator(Simulator(opened=NEW_YEAR), clock=clock) as emulator:
        exported = objects(session, emulator, "tickets", start_time=START, support_type_scope="all")
        events = exported_events(session, emulator, until=int(clock.now) - 60)
        minute = datetime.fromtimestamp(clock.now - 60, UTC)
        recent = emulator.expected_objects("tickets", datetime.fromtimestamp(clock.now, UTC), since=minute)
        withheld = recent.keys() & events.keys()

    assert {id_: fold(items) for id_, items in events.items() if id_ in {each["id"] for each in exported}} == {
        ticket["id"]: state(ticket) for ticket in exported
    }
    assert withheld == events.keys() - {ticket["id"] for ticket in exported}


@given(tickets)
def test_every_revision_equals_the_fold_of_its_events(ticket: Ticket) -> None:
    """This holds for any ticket, its duplicate, and any second in which one of the two changed."""
    by_ticket: dict[int, list[TicketEvent]] = defaultdict(list)
    for event in sorted(events_of(ticket), key=lambda event: (event.timestamp, event.id)):
        by_ticket[event.ticket_id].append(event)
    for ticket_id, events in by_ticket.items():
        for second in {event.timestamp for event in events}:
            items = [serialize_ticket_event(e, with_comments=False) for e in events if e.timestamp <= second]
            assert fold(items) == state(serialized(ticket, ticket_id, second))


_SIMULATORS = {(seed, busy): Simulator(seed, busy, NEW_YEAR) for seed in (1, 2) for busy in (100, 3_000)}


@given(
    st.sampled_from(sorted(_SIMULATORS)),
    st.integers(START - HOUR, START + 3 * DAY),
    st.integers(START, START + 3 * DAY),
    st.integers(1, 1_000),
)
def test_following_cursors_returns_every_ticket_changed_since(
    key: tuple[int, int], start: int, now: int, per_page: int
) -> None:
    """Each exactly once, at its latest change, for any start and page size. The events say which tickets changed."""
    simulator = _SIMULATORS[key]
    found: list[tuple[int, int]] = []
    position, is_last = Position(start), False
    while not is_last:
        revisions = simulator.tickets.current(position.second, now)
        page = build_cursor_page(revisions, after=position, per_page=per_page, now=now)
        found += [(revision.id, revision.timestamp) for revision in page.items]
        position, is_last = page.after, page.end_of_stream
    changed: dict[int, int] = {}
    for event in simulator.events("ticket_events", START, now + 1):
        assert isinstance(event, TicketEvent)
        changed[event.ticket_id] = event.timestamp

    assert {id_: second for id_, second in changed.items() if start <= second < now - 60} == dict(found)
    assert len(found) == len(dict(found))


def test_ticket() -> None:
    """All keys of the documentation, with the values of one ticket."""
    custom_fields = [
        {"id": PLAN, "value": "standard"},
        {"id": PRODUCT, "value": "letter"},
        {"id": 21_900_000_500_003, "value": None},
        {"id": 21_900_000_500_004, "value": None},
    ]
    ticket = serialized(TICKET, 11, START + 86_400)
    del ticket["metric_set"]

    assert {
        "url": "https://desk.example.com/api/v2/tickets/11.json",
        "id": 11,
        "external_id": None,
        "via": {"channel": "web", "source": {"from": {}, "to": {}, "rel": None}},
        "created_at": "2026-01-01T10:00:00Z",
        "updated_at": "2026-01-02T00:00:00Z",
        "generated_timestamp": START + 86_400,
        "type": "question",
        "subject": "Where is order EX-40005?",
        "raw_subject": "Where is order EX-40005?",
        "description": TICKET.fill_in(TICKET.language.opening),
        "priority": "urgent",
        "status": "closed",
        "custom_status_id": 21_900_000_800_005,
        "recipient": None,
        "requester_id": 22_000_000_025_750,
        "submitter_id": 22_000_000_025_750,
        "assignee_id": 21_900_000_047_030,
        "organization_id": None,
        "group_id": 21_900_000_700_013,
        "collaborator_ids": [],
        "follower_ids": [],
        "email_cc_ids": [],
        "forum_topic_id": None,
        "problem_id": None,
        "has_incidents": False,
        "is_public": True,
        "due_at": None,
        "tags": ("invoice", "standard"),
        "custom_fields": custom_fields,
        "fields": custom_fields,
        "satisfaction_rating": {"score": "unoffered"},
        "sharing_agreement_ids": [],
        "followup_ids": [],
        "ticket_form_id": 21_900_000_002_001,
        "brand_id": 21_900_000_001_001,
        "allow_channelback": False,
        "allow_attachments": True,
        "from_messaging_channel": False,
        "support_type": "agent",
    } == ticket


def test_metric_set() -> None:
    """The lifecycle of ticket 5 in minutes: replied after 239, solved after 540, twice pending, once on hold."""
    assert {
        "url": "https://desk.example.com/api/v2/ticket_metrics/11.json",
        "id": 60_000_000_000_011,
        "ticket_id": 11,
        "created_at": "2026-01-01T10:00:00Z",
        "updated_at": "2026-01-02T00:00:00Z",
        "group_stations": 1,
        "assignee_stations": 1,
        "reopens": 0,
        "replies": 4,
        "initially_assigned_at": "2026-01-01T10:25:12Z",
        "assigned_at": "2026-01-01T10:25:12Z",
        "assignee_updated_at": "2026-01-01T10:25:12Z",
        "requester_updated_at": "2026-01-01T10:00:00Z",
        "status_updated_at": "2026-01-02T00:00:00Z",
        "latest_comment_added_at": "2026-01-01T19:00:27Z",
        "solved_at": "2026-01-01T19:00:27Z",
        "reply_time_in_minutes": {"calendar": 239, "business": 239},
        "first_resolution_time_in_minutes": {"calendar": 540, "business": 540},
        "full_resolution_time_in_minutes": {"calendar": 540, "business": 540},
        "agent_wait_time_in_minutes": {"calendar": 155, "business": 155},
        "requester_wait_time_in_minutes": {"calendar": 385, "business": 385},
        "on_hold_time_in_minutes": {"calendar": 213, "business": 213},
    } == serialized(TICKET, 11, START + 86_400)["metric_set"]


def test_metric_set_of_a_new_ticket() -> None:
    """What has not happened is null; waiting times are zero."""
    metrics = serialized(TICKET, 11, START + 36_000)["metric_set"]
    names = [name for name in metrics if name.endswith("_in_minutes")]

    assert [{"calendar": None, "business": None}] * 3 + [{"calendar": 0, "business": 0}] * 3 == [
        metrics[name] for name in names
    ]
    assert (None, None, 0) == (metrics["assigned_at"], metrics["solved_at"], metrics["replies"])


@given(tickets)
def test_metric_set_agrees_with_the_metric_events(ticket: Ticket) -> None:
    """The first reply time is that of the first instance of `reply_time`."""
    metrics = serialized(ticket, ticket.id, events_of(ticket)[-1].timestamp)["metric_set"]
    replies: list[Any] = [
        event.details["status"]
        for event in metric_events_of(ticket)
        if (event.ticket_id, event.metric, event.type) == (ticket.id, "reply_time", "update_status")
    ]

    assert metrics["reply_time_in_minutes"] == (replies[0] if replies else {"calendar": None, "business": None})


def test_escalated_ticket_has_a_follower() -> None:
    """So that the lists of ids are not always empty."""
    simulator = Simulator(opened=NEW_YEAR)
    revisions = simulator.tickets.current(START, START + 2 * DAY)
    items = [serialize_ticket(each, simulator.lifecycle(each.source), with_metric_set=False) for each in revisions]
    followed = [item for item in items if item["follower_ids"]]

    assert followed
    assert all("escalated" in item["tags"] and item["collaborator_ids"] == item["follower_ids"] for item in followed)


def test_rated_ticket_has_the_comment_of_its_rating() -> None:
    """The score is `good`; before, it is `offered`."""
    simulator = Simulator(opened=NEW_YEAR)
    revisions = simulator.tickets.current(START, START + 2 * DAY)
    items = [serialize_ticket(each, simulator.lifecycle(each.source), with_metric_set=False) for each in revisions]
    ratings = {rating["score"]: rating for rating in (item["satisfaction_rating"] for item in items)}

    assert {"unoffered", "good"} <= ratings.keys()
    assert "Quick and friendly." == ratings["good"]["comment"]


def test_caches_of_revisions_are_bounded() -> None:
    """As those of events."""
    simulator = Simulator(events_per_day=1_000_000)

    assert 2 == simulator.tickets._hour.cache_info().maxsize
    assert 2 == simulator.people._hour.cache_info().maxsize
    assert 600 == Simulator().tickets._hour.cache_info().maxsize


def test_page_in_the_middle_reads_only_its_own_hours() -> None:
    """A desk that is open for eleven years is not read from its beginning."""
    simulator = Simulator()
    page = build_cursor_page(
        simulator.tickets.current(START, START + 30 * DAY), after=Position(START), per_page=100, now=START + 30 * DAY
    )

    assert 100 == len(page.items)
    assert simulator.tickets._hour.cache_info().currsize < 24
    assert datetime.fromtimestamp(page.after.second, UTC) < datetime(2026, 1, 2, tzinfo=UTC)
