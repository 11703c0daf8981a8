from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.emulator.case import Case, open_case, throw_dice
from airflow_zendesk.emulator.metrics import METRIC_IDS_PER_CASE, MetricEvent, _business_time, tell_metrics

NEW_YEAR = 1_767_225_600  # 2026-01-01T00:00:00Z
DAY = 86_400

cases = st.builds(
    open_case,
    number=st.integers(0, 10**9),
    created=st.integers(NEW_YEAR, NEW_YEAR + DAY),
    dice=st.binary(min_size=64, max_size=64),
)


def told(metric: str) -> list[tuple[int, int, str, object]]:
    """What one clock of case 5 does; its life stands in test_life.py."""
    case = open_case(5, NEW_YEAR + 36_000, throw_dice(1, 5))
    events = sorted(tell_metrics(case), key=lambda event: (event.timestamp, event.id))
    return [
        (event.timestamp - NEW_YEAR, event.instance_id, event.type, event.details.get("status"))
        for event in events
        if event.metric == metric
    ]


def test_every_question_is_a_new_instance_of_the_reply_time() -> None:
    """Three questions are answered; the target of one hour is missed twice, to the second."""
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
    ] == told("reply_time")


def test_work_time_pauses_on_hold_and_while_the_customer_is_asked() -> None:
    """Only the time in the statuses new and open is work; 25 minutes, then 17, then 128."""
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
    ] == told("agent_work_time")


def test_resolution_time_never_pauses() -> None:
    """It runs from the birth of the ticket until it is solved."""
    assert [
        (36_000, 0, "measure", None),
        (36_000, 1, "activate", None),
        (68_427, 1, "fulfill", None),
        (68_427, 1, "update_status", {"calendar": 540, "business": 540}),
    ] == told("resolution_time")


def test_sla_names_its_policy() -> None:
    """An apply_sla event carries target and policy."""
    case = open_case(5, NEW_YEAR + 36_000, throw_dice(1, 5))

    assert {
        "sla": {
            "target": 60,
            "business_hours": False,
            "policy": {"id": 21_900_000_600_002, "title": "Standard", "description": "An answer within the day"},
        }
    } == next(event.details for event in tell_metrics(case) if event.type == "apply_sla")


@given(cases)
def test_clocks_are_fulfilled_at_most_once_per_instance(case: Case) -> None:
    """An instance of a metric is activated before all else, and fulfilled and breached at most once."""
    instances = [[event.type for event in instance] for instance in clock_instances(case)]

    assert {"activate"} == {types[0] for types in instances}
    assert max(types.count("fulfill") for types in instances) <= 1
    assert max(types.count("breach") for types in instances) <= 1


def test_target_is_breached_when_the_clock_has_run_for_so_long() -> None:
    """Pauses do not count; a target that is lowered too late is breached at once; and no breach is forgotten."""
    # Thousands of ordinary lives, because breaches after a pause or a new target are too rare to be met by a few.
    instances = (
        instance
        for number in range(4_000)
        for instance in clock_instances(open_case(number, NEW_YEAR + 20 * number, throw_dice(1, number)))
    )
    for instance in instances:
        ran, since, target, breaches = 0, 0, 10**9, 0
        for event in instance:
            now = ran + (event.timestamp - since if since else 0)
            if event.type == "activate":
                since = event.timestamp
            elif event.type in ("pause", "fulfill"):
                assert (now > target) == breaches
                ran, since = now, 0
            elif event.type == "apply_sla":
                target, aimed_at = event.details["sla"]["target"] * 60, event.timestamp  # type: ignore[index] # JSON
            elif event.type == "breach":
                breaches += 1
                assert now == target or (now > target and event.timestamp == aimed_at)


def clock_instances(case: Case) -> list[list[MetricEvent]]:
    """What each instance of each clock of each ticket does, in order."""
    instances: dict[tuple[int, str, int], list[MetricEvent]] = {}
    for event in sorted(tell_metrics(case), key=lambda event: (event.timestamp, event.id)):
        if event.type != "measure":
            instances.setdefault((event.ticket_id, event.metric, event.instance_id), []).append(event)
    return list(instances.values())


def test_nights_are_not_business_hours() -> None:
    """From nine in the evening until seven in the morning: ten hours, two of them of business."""
    nine_in_the_evening, seven_in_the_morning = NEW_YEAR + 21 * 3_600, NEW_YEAR + 31 * 3_600

    assert 2 * 3_600 == _business_time(seven_in_the_morning) - _business_time(nine_in_the_evening)


def test_minutes_of_a_night() -> None:
    """A ticket that waits for the morning has waited for fewer business minutes than calendar minutes."""
    case = open_case(5, NEW_YEAR + 21 * 3_600, throw_dice(1, 5))
    reply = next(event for event in tell_metrics(case) if (event.metric, event.type) == ("reply_time", "update_status"))

    assert {"status": {"calendar": 591, "business": 111}} == reply.details


@given(cases)
def test_business_time_is_no_longer_than_the_calendar(case: Case) -> None:
    """Minutes of business hours are a part of all minutes, and never run backwards."""
    minutes = [event.details["status"] for event in tell_metrics(case) if event.type == "update_status"]

    assert all(0 <= status["business"] <= status["calendar"] for status in minutes)  # type: ignore[index] # JSON


@given(cases)
def test_ids_never_run_into_each_other(case: Case) -> None:
    """The ids of metric events stay within their case."""
    events: list[MetricEvent] = tell_metrics(case)

    assert len({event.id for event in events}) == len(events) < METRIC_IDS_PER_CASE
