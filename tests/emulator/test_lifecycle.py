from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.emulator import fixtures
from airflow_zendesk.emulator.lifecycle import MAX_LIFECYCLE_HOURS, events_of
from airflow_zendesk.emulator.ticket import (
    BYTES_PER_TICKET,
    IDS_PER_EVENT,
    Activity,
    Change,
    Child,
    Comment,
    Create,
    Ticket,
    random_bytes,
)

NEW_YEAR = 1_767_225_600  # 2026-01-01T00:00:00Z
HOUR = 3_600

tickets = st.builds(
    Ticket.of,
    number=st.integers(0, 10**9),
    created=st.integers(NEW_YEAR, NEW_YEAR + 24 * HOUR),
    randomness=st.binary(min_size=BYTES_PER_TICKET, max_size=BYTES_PER_TICKET),
)


def ticket_at_ten(number: int) -> Ticket:
    """Return a ticket of seed 1 that is created at ten in the morning."""
    return Ticket.of(number, NEW_YEAR + 10 * HOUR, random_bytes(1, number))


def test_random_bytes_are_the_same_on_every_machine() -> None:
    """They depend on seed and number only."""
    assert "13230a3b8dff4afc" == random_bytes(1, 2).hex()[:16]


def test_lifecycle_of_one_ticket() -> None:
    """It is created, triaged, assigned, answered, solved and closed."""
    lifecycle = [
        (event.timestamp - NEW_YEAR, event.author.updater_id, *(described(child) for child in event.children))
        for event in events_of(ticket_at_ten(5))
    ]

    customer, agent, rule = 22_000_000_025_750, 21_900_000_047_030, -1
    created = (
        "+subject",
        "+status",
        "+priority",
        "+type",
        "+requester_id",
        "+custom_ticket_fields",
        "+tags",
        "comment",
    )
    assert [
        (36_000, customer, *created),
        (36_000, rule, "custom_ticket_fields", "tags"),
        (
            37_512,
            agent,
            "assignee_id: None -> 21900000047030",
            "group_id: None -> 21900000700013",
            "status: new -> open",
        ),
        (37_512, agent, "note", "status: open -> hold"),
        (50_342, agent, "comment", "status: hold -> pending"),
        (51_121, customer, "comment", "status: pending -> open"),
        (52_183, agent, "comment", "status: open -> pending"),
        (60_179, customer, "comment", "status: pending -> open"),
        (67_885, agent, "comment", "status: open -> pending"),
        (68_427, agent, "comment", "status: pending -> solved"),
        (86_400, rule, "status: solved -> closed"),
    ] == lifecycle


def described(child: Child) -> str:
    """Describe a child in a few words."""
    match child:
        case Create(field):
            return f"+{field}"
        case Change(field, value, previous):
            return f"{field}: {previous} -> {value}" if isinstance(value, str) else field
        case Comment(public=public):
            return "comment" if public else "note"
        case Activity(event_type):
            return event_type


@given(tickets)
def test_no_lifecycle_exceeds_the_maximum(ticket: Ticket) -> None:
    """An hour only has events of tickets created in the 72 hours before its end."""
    assert all(0 <= event.timestamp - ticket.created < MAX_LIFECYCLE_HOURS * HOUR for event in events_of(ticket))


@given(tickets)
def test_previous_value_is_the_value_before(ticket: Ticket) -> None:
    """previous_value is the value of the event before."""
    fields: dict[tuple[int, str], object] = {}
    for event in sorted(events_of(ticket), key=lambda event: event.timestamp):
        for child in event.children:
            if isinstance(child, Create):
                fields[event.ticket_id, child.field] = child.value
            elif isinstance(child, Change) and child.field != "custom_ticket_fields":
                assert fields.get((event.ticket_id, child.field)) == child.previous_value
                assert child.value != child.previous_value
                fields[event.ticket_id, child.field] = child.value


@given(tickets)
def test_every_ticket_ends_closed_or_deleted(ticket: Ticket) -> None:
    """No ticket stays open."""
    status: dict[int, object] = {}
    for event in events_of(ticket):
        for child in event.children:
            if isinstance(child, Create | Change) and child.field == "status":
                status[event.ticket_id] = child.value

    assert set(status.values()) <= {"closed", "deleted"}


@given(tickets)
def test_agents_do_not_work_at_night(ticket: Ticket) -> None:
    """Between 22:00 and 06:00 UTC only customers, rules and AI agents update tickets."""
    hours = {
        event.timestamp % (24 * HOUR) // HOUR
        for event in events_of(ticket)
        if event.author.updater_id in fixtures.AGENT_IDS
    }

    assert hours <= set(range(6, 22))


@given(tickets)
def test_tickets_are_closed_on_the_hour(ticket: Ticket) -> None:
    """The automation runs at hh:00:00, so all tickets that it closes share one second."""
    closings = [event.timestamp for event in events_of(ticket) if event.author.rule_id == fixtures.CLOSE_AUTOMATION_ID]

    assert [0] * len(closings) == [closing % HOUR for closing in closings]


@given(tickets)
def test_ids_of_events_and_children_do_not_collide(ticket: Ticket) -> None:
    """They stay within the range of their ticket."""
    events = events_of(ticket)

    assert max(len(event.children) for event in events) < IDS_PER_EVENT - 1
    assert len({event.id for event in events}) == len(events) < 64


def test_duplicate_ticket_is_merged() -> None:
    """It is closed in the second in which the first ticket lists it as merged."""
    ticket = next(
        each for each in map(ticket_at_ten, range(1_000)) if any(e.merged_ticket_ids for e in events_of(each))
    )
    by_second = defaultdict(list)
    for event in events_of(ticket):
        by_second[event.timestamp].append(event)
    (closed, merged) = next(events for events in by_second.values() if events[-1].merged_ticket_ids)

    assert ticket.id == merged.ticket_id
    assert merged.merged_ticket_ids == (closed.ticket_id,) == (ticket.duplicate_id,) == (ticket.id + 1,)
    assert Change("status", "closed", "new") in closed.children
