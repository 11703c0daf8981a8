from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.emulator.metrics import METRIC_IDS_PER_TICKET, MetricEvent, business_seconds, metric_events_of
from airflow_zendesk.emulator.serialization import serialize_metric_event
from airflow_zendesk.emulator.ticket import BYTES_PER_TICKET, Ticket, random_bytes

NEW_YEAR = 1_767_225_600  # 2026-01-01T00:00:00Z
DAY = 86_400
NO_TARGET = 10**9

tickets = st.builds(
    Ticket.of,
    number=st.integers(0, 10**9),
    created=st.integers(NEW_YEAR, NEW_YEAR + DAY),
    randomness=st.binary(min_size=BYTES_PER_TICKET, max_size=BYTES_PER_TICKET),
)


def timer_events(metric: str) -> list[tuple[int, int, str, object]]:
    """Return the events of one metric of ticket 5, whose lifecycle is listed in test_lifecycle.py."""
    ticket = Ticket.of(5, NEW_YEAR + 36_000, random_bytes(1, 5))
    events = sorted(metric_events_of(ticket), key=lambda event: (event.timestamp, event.id))
    return [
        (event.timestamp - NEW_YEAR, event.instance_id, event.type, event.details.get("status"))
        for event in events
        if event.metric == metric
    ]


def test_every_customer_message_starts_a_new_instance_of_reply_time() -> None:
    """Three messages are answered; the target of one hour is missed twice, exactly at the due second."""
    assert [
        (36_000, 0, "measure", None),
        (36_000, 1, "activate", None),
        (36_000, 1, "apply_sla", None),
        (36_000 + 3_600, 1, "breach", None),
        (50_342, 1, "fulfill", None),
        (50_342, 1, "update_status", {"calendar": 239, "business": 239}),
        (51_121, 2, "activate", None),
        (51_121, 2, "apply_sla", None),
        (52_183, 2, "fulfill", None),
        (52_183, 2, "update_status", {"calendar": 17, "business": 17}),
        (60_179, 3, "activate", None),
        (60_179, 3, "apply_sla", None),
        (60_179 + 3_600, 3, "breach", None),
        (67_885, 3, "fulfill", None),
        (67_885, 3, "update_status", {"calendar": 128, "business": 128}),
    ] == timer_events("reply_time")


def test_agent_work_time_pauses_on_hold_and_pending() -> None:
    """Only the time in status new or open counts: 25 minutes, then 17, then 128."""
    assert [
        (36_000, 0, "measure", None),
        (36_000, 1, "activate", None),
        (37_512, 1, "pause", None),
        (37_512, 1, "update_status", {"calendar": 25, "business": 25}),
        (51_121, 1, "activate", None),
        (52_183, 1, "pause", None),
        (52_183, 1, "update_status", {"calendar": 42, "business": 42}),
        (60_179, 1, "activate", None),
        (67_885, 1, "pause", None),
        (67_885, 1, "update_status", {"calendar": 171, "business": 171}),
        (68_427, 1, "fulfill", None),
        (68_427, 1, "update_status", {"calendar": 171, "business": 171}),
    ] == timer_events("agent_work_time")


def test_resolution_time_never_pauses() -> None:
    """It runs from the creation of the ticket until it is solved."""
    assert [
        (36_000, 0, "measure", None),
        (36_000, 1, "activate", None),
        (68_427, 1, "fulfill", None),
        (68_427, 1, "update_status", {"calendar": 540, "business": 540}),
    ] == timer_events("resolution_time")


def test_apply_sla_contains_target_and_policy() -> None:
    """The event names the target in minutes and the policy."""
    ticket = Ticket.of(5, NEW_YEAR + 36_000, random_bytes(1, 5))

    assert {
        "sla": {
            "target": 60,
            "business_hours": False,
            "policy": {"id": 21_900_000_600_002, "title": "Standard", "description": "An answer within the day"},
        }
    } == next(event.details for event in metric_events_of(ticket) if event.type == "apply_sla")


@given(tickets)
def test_instance_is_fulfilled_at_most_once(ticket: Ticket) -> None:
    """An instance starts with activate, and is fulfilled and breached at most once."""
    instances = [[event.type for event in instance] for instance in instances_of(ticket)]

    assert {"activate"} == {types[0] for types in instances}
    assert max(types.count("fulfill") for types in instances) <= 1
    assert max(types.count("breach") for types in instances) <= 1


def test_target_is_breached_when_the_timer_reaches_it() -> None:
    """Pauses do not count, a target that is lowered too late is breached at once, and every breach is reported."""
    # Thousands of tickets, because breaches after a pause or with a new target are rare.
    instances = (
        instance
        for number in range(4_000)
        for instance in instances_of(Ticket.of(number, NEW_YEAR + 20 * number, random_bytes(1, number)))
    )
    for instance in instances:
        elapsed, since, target, breaches = 0, 0, NO_TARGET, 0
        for event in instance:
            now = elapsed + (event.timestamp - since if since else 0)
            if event.type == "activate":
                since = event.timestamp
            elif event.type in ("pause", "fulfill"):
                assert (now > target) == breaches
                elapsed, since = now, 0
            elif event.details == {"sla": None}:
                assert (now > target) == breaches
                target, breaches = NO_TARGET, 0
            elif event.type == "apply_sla":
                target, applied_at = target_seconds(event), event.timestamp
            elif event.type == "breach":
                breaches += 1
                assert now == target or (now > target and event.timestamp == applied_at)


def target_seconds(event: MetricEvent) -> int:
    """Return the target of an apply_sla event, to the second if the policy gives that."""
    sla: Any = event.details["sla"]
    return int(sla.get("target_in_seconds", 60 * sla["target"]))


def test_target_may_be_in_seconds() -> None:
    """The gold policy has a target of 1,890 seconds, which is 31 whole minutes."""
    slas: list[Any] = [
        event.details["sla"]
        for number in range(200)
        for event in metric_events_of(Ticket.of(number, NEW_YEAR, random_bytes(1, number)))
        if event.details.get("sla")
    ]
    targets = {(sla["target"], sla.get("target_in_seconds")) for sla in slas}

    assert {(31, 1_890), (60, 3_600), (60, None), (180, None)} <= targets


def test_cancelled_plan_removes_the_sla() -> None:
    """Both timers with a target report an apply_sla event without an SLA, and no breach after it."""
    removed = 0
    for number in range(200):
        events = metric_events_of(Ticket.of(number, NEW_YEAR, random_bytes(1, number)))
        removals = [event for event in events if event.details == {"sla": None}]
        removed += bool(removals)
        for removal in removals:
            assert removal.metric in ("reply_time", "requester_wait_time")
            assert not [e for e in events if e.type == "breach" and e.timestamp > removal.timestamp]

    assert 3 <= removed <= 12


def test_metric_events_of_a_deleted_ticket_are_marked_as_deleted_later() -> None:
    """They are not deleted until the ticket is."""
    tickets = (Ticket.of(number, NEW_YEAR, random_bytes(1, number)) for number in range(200))
    events = next(found for ticket in tickets if (found := metric_events_of(ticket))[0].deleted_at)
    (deleted_at,) = {event.deleted_at for event in events}

    assert deleted_at
    assert max(event.timestamp for event in events) <= deleted_at
    assert {False} == {serialize_metric_event(event, deleted_at - 1)["deleted"] for event in events}
    assert {True} == {serialize_metric_event(event, deleted_at)["deleted"] for event in events}


def instances_of(ticket: Ticket) -> list[list[MetricEvent]]:
    """Return the events of each instance of each metric, in order."""
    instances: dict[tuple[int, str, int], list[MetricEvent]] = {}
    for event in sorted(metric_events_of(ticket), key=lambda event: (event.timestamp, event.id)):
        if event.type != "measure":
            instances.setdefault((event.ticket_id, event.metric, event.instance_id), []).append(event)
    return list(instances.values())


def test_business_hours_exclude_the_night() -> None:
    """From 21:00 to 07:00 are ten hours, two of them business hours."""
    nine_in_the_evening, seven_in_the_morning = NEW_YEAR + 21 * 3_600, NEW_YEAR + 31 * 3_600

    assert 2 * 3_600 == business_seconds(seven_in_the_morning) - business_seconds(nine_in_the_evening)


def test_business_minutes_exclude_the_night() -> None:
    """A ticket that waits overnight has fewer business minutes than calendar minutes."""
    ticket = Ticket.of(5, NEW_YEAR + 21 * 3_600, random_bytes(1, 5))
    reply = next(
        event for event in metric_events_of(ticket) if (event.metric, event.type) == ("reply_time", "update_status")
    )

    assert {"status": {"calendar": 591, "business": 111}} == reply.details


@given(tickets)
def test_business_minutes_never_exceed_calendar_minutes(ticket: Ticket) -> None:
    """They are never negative either."""
    minutes = [event.details["status"] for event in metric_events_of(ticket) if event.type == "update_status"]

    assert all(0 <= status["business"] <= status["calendar"] for status in minutes)  # type: ignore[index] # JSON


@given(tickets)
def test_ids_of_metric_events_do_not_collide(ticket: Ticket) -> None:
    """They stay within the range of their ticket."""
    events: list[MetricEvent] = metric_events_of(ticket)

    assert len({event.id for event in events}) == len(events) < METRIC_IDS_PER_TICKET
