from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.emulator import desk
from airflow_zendesk.emulator.case import IDS_PER_EVENT, Case, Change, Comment, Create, open_case, throw_dice
from airflow_zendesk.emulator.life import LONGEST_LIFE_HOURS, tell

NEW_YEAR = 1_767_225_600  # 2026-01-01T00:00:00Z
HOUR = 3_600

cases = st.builds(
    open_case,
    number=st.integers(0, 10**9),
    created=st.integers(NEW_YEAR, NEW_YEAR + 24 * HOUR),
    dice=st.binary(min_size=64, max_size=64),
)


def invented_case(number: int) -> Case:
    """A case of the first desk that begins at ten in the morning."""
    return open_case(number, NEW_YEAR + 10 * HOUR, throw_dice(1, number))


def test_dice_are_the_same_on_every_machine() -> None:
    """The dice of a case depend on seed and number alone."""
    assert "13230a3b8dff4afc" == throw_dice(1, 2).hex()[:16]


def test_story_of_one_ticket() -> None:
    """A life reads like one: asked, triaged, assigned, answered, solved, closed."""
    told = [
        (event.timestamp - NEW_YEAR, event.author.updater_id, *(in_words(child) for child in event.children))
        for event in tell(invented_case(5))
    ]

    customer, agent, rule = 22_000_000_025_750, 21_900_000_047_030, -1
    birth = ("+subject", "+status", "+priority", "+type", "+requester_id", "+custom_ticket_fields", "+tags", "comment")
    assert [
        (36_000, customer, *birth),
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
    ] == told


def in_words(child: Create | Change | Comment) -> str:
    """A child in a few words."""
    match child:
        case Create(field):
            return f"+{field}"
        case Change(field, value, previous):
            return f"{field}: {previous} -> {value}" if isinstance(value, str) else field
        case Comment(public=public):
            return "comment" if public else "note"


@given(cases)
def test_no_life_is_longer_than_the_longest(case: Case) -> None:
    """Whatever the dice: an hour has only events of tickets born in the 72 hours before it."""
    assert all(0 <= event.timestamp - case.created < LONGEST_LIFE_HOURS * HOUR for event in tell(case))


@given(cases)
def test_every_change_starts_from_the_value_before(case: Case) -> None:
    """No previous value contradicts what was told before."""
    fields: dict[tuple[int, str], object] = {}
    for event in sorted(tell(case), key=lambda event: event.timestamp):
        for child in event.children:
            if isinstance(child, Create):
                fields[event.ticket_id, child.field] = child.value
            elif isinstance(child, Change) and child.field != "custom_ticket_fields":
                assert fields.get((event.ticket_id, child.field)) == child.previous_value
                assert child.value != child.previous_value
                fields[event.ticket_id, child.field] = child.value


@given(cases)
def test_every_ticket_ends_closed_or_deleted(case: Case) -> None:
    """No ticket stays open for ever."""
    status: dict[int, object] = {}
    for event in tell(case):
        for child in event.children:
            if not isinstance(child, Comment) and child.field == "status":
                status[event.ticket_id] = child.value

    assert set(status.values()) <= {"closed", "deleted"}


@given(cases)
def test_agents_sleep_at_night(case: Case) -> None:
    """Between 22:00 and 06:00 UTC only customers, rules and AI agents are awake."""
    hours = {event.timestamp % (24 * HOUR) // HOUR for event in tell(case) if event.author.updater_id in desk.AGENTS}

    assert hours <= set(range(6, 22))


@given(cases)
def test_tickets_are_closed_on_the_hour(case: Case) -> None:
    """The automation acts at hh:00:00, so what it closes shares one second."""
    closings = [event.timestamp for event in tell(case) if event.author.rule_id == desk.CLOSE_AUTOMATION]

    assert [0] * len(closings) == [closing % HOUR for closing in closings]


@given(cases)
def test_ids_never_run_into_each_other(case: Case) -> None:
    """The ids of events and children stay within their case."""
    events = tell(case)

    assert max(len(event.children) for event in events) < IDS_PER_EVENT - 1
    assert len({event.id for event in events}) == len(events) < 64


def test_ticket_sent_twice_is_merged() -> None:
    """The second ticket is closed in the second in which the first one names it."""
    case = next(case for case in map(invented_case, range(1_000)) if any(e.merged_ticket_ids for e in tell(case)))
    by_second = defaultdict(list)
    for event in tell(case):
        by_second[event.timestamp].append(event)
    (closed, merged) = next(events for events in by_second.values() if events[-1].merged_ticket_ids)

    assert case.ticket_id == merged.ticket_id
    assert merged.merged_ticket_ids == (closed.ticket_id,) == (case.ticket_id + 1,)
    assert Change("status", "closed", "new") in closed.children
