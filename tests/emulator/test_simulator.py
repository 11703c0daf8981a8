import os
import subprocess
import sys
from datetime import UTC, datetime
from itertools import chain, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_zendesk.emulator import Simulator
from airflow_zendesk.emulator.simulator import RESOURCES
from airflow_zendesk.emulator.ticket import TicketEvent

DAY = 86_400
NEW_YEAR = 1_767_225_600  # 2026-01-01T00:00:00Z
NEW_YEAR_HOUR = NEW_YEAR // 3_600

resources = pytest.mark.parametrize("resource", ["ticket_events", "ticket_metric_events"])


def ids(simulator: Simulator, resource: str, start: int, end: int) -> list[int]:
    """Return the ids of `[start, end)`, in order."""
    return [event.id for event in simulator.events(resource, start, end)]


@given(
    seed=st.integers(), hour=st.integers(NEW_YEAR_HOUR, NEW_YEAR_HOUR + 100_000), resource=st.sampled_from([*RESOURCES])
)
@settings(max_examples=20, deadline=None)
def test_hour_does_not_depend_on_the_hours_read_before(seed: int, hour: int, resource: str) -> None:
    """Reading one hour alone returns the same events as reading it after others."""
    in_order, alone = Simulator(seed, 500), Simulator(seed, 500)
    in_sequence = [in_order.hour(resource, hour + step) for step in range(-5, 1)][-1]

    assert in_sequence == alone.hour(resource, hour)


@resources
def test_adjacent_ranges_join_without_gap_or_overlap(resource: str) -> None:
    """The parts of a day contain each of its events once."""
    simulator = Simulator()
    cuts = [NEW_YEAR, NEW_YEAR + 1, NEW_YEAR + 3_600, NEW_YEAR + 50_000, NEW_YEAR + DAY]
    parts = [ids(simulator, resource, start, end) for start, end in pairwise(cuts)]

    assert ids(Simulator(), resource, NEW_YEAR, NEW_YEAR + DAY) == list(chain(*parts))


@resources
def test_events_ascend_by_timestamp(resource: str) -> None:
    """A day is in order and contains only that day."""
    timestamps = [event.timestamp for event in Simulator().events(resource, NEW_YEAR, NEW_YEAR + DAY)]

    assert sorted(timestamps) == timestamps
    assert NEW_YEAR <= timestamps[0] < timestamps[-1] < NEW_YEAR + DAY


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_day_has_about_the_requested_number_of_events(seed: int) -> None:
    """At 2,000 a day, no day differs by more than 10 %."""
    simulator = Simulator(seed, 2_000)
    days = [len(ids(simulator, "ticket_events", NEW_YEAR + day * DAY, NEW_YEAR + (day + 1) * DAY)) for day in range(7)]

    assert 1_800 < min(days) <= max(days) < 2_200


def test_nights_are_quiet() -> None:
    """10:00 has more than five times as many events as 03:00."""
    simulator = Simulator()

    assert len(simulator.hour("ticket_events", NEW_YEAR_HOUR + 10)) > 5 * len(
        simulator.hour("ticket_events", NEW_YEAR_HOUR + 3)
    )


def test_ids_are_unique_and_long() -> None:
    """Ids of events and children have fourteen digits, and none occurs twice."""
    events = [
        event
        for event in Simulator().events("ticket_events", NEW_YEAR, NEW_YEAR + 14 * DAY)
        if isinstance(event, TicketEvent)
    ]
    numbers = [event.id + child for event in events for child in range(len(event.children) + 1)]

    assert len(numbers) == len(set(numbers))
    assert {14} == {len(str(number)) for number in numbers}


def test_metric_ids_are_unique_and_long() -> None:
    """Ids of metric events have fourteen digits, and none occurs twice."""
    numbers = ids(Simulator(), "ticket_metric_events", NEW_YEAR, NEW_YEAR + 14 * DAY)

    assert len(numbers) == len(set(numbers))
    assert {14} == {len(str(number)) for number in numbers}


def test_automation_makes_many_events_share_one_second() -> None:
    """On a busy desk, more tickets are closed in one second than fit on a page."""
    simulator = Simulator(events_per_day=200_000, opened=datetime(2026, 1, 1, tzinfo=UTC))
    six = NEW_YEAR + 18 * 3_600

    assert len(ids(simulator, "ticket_events", six, six + 1)) > 1_000


@resources
def test_no_events_before_the_desk_opens(resource: str) -> None:
    """The first event is in the first hour, and belongs to ticket 1."""
    opened = datetime(2026, 1, 1, 9, tzinfo=UTC)
    first = next(Simulator(opened=opened).events(resource, 0, NEW_YEAR + DAY))

    assert opened.timestamp() <= first.timestamp < opened.timestamp() + 3_600
    assert 1 == first.ticket_id


def test_another_seed_gives_other_events() -> None:
    """The same hour differs between seeds."""
    assert Simulator(1).hour("ticket_events", NEW_YEAR_HOUR) != Simulator(2).hour("ticket_events", NEW_YEAR_HOUR)


def test_events_are_the_same_in_every_process() -> None:
    """They do not depend on the hash seed of the process."""
    code = """
from airflow_zendesk.emulator import Simulator
from airflow_zendesk.emulator.serialization import serialize_metric_event, serialize_ticket_event
ticket_events, metric_events = Simulator().hour("ticket_events", HOUR), Simulator().hour("ticket_metric_events", HOUR)
print(*(serialize_ticket_event(event, with_comments=True) for event in ticket_events))
print(*(serialize_metric_event(event, 0) for event in metric_events))
"""
    first, second = (
        subprocess.run(
            [sys.executable, "-c", code.replace("HOUR", str(NEW_YEAR_HOUR + 9))],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        )
        for seed in ("1", "2")
    )

    assert second.stdout == first.stdout
    assert len(first.stdout) > 10_000


def test_caches_are_bounded() -> None:
    """Reading many days does not grow them."""
    simulator = Simulator(events_per_day=100)
    ids(simulator, "ticket_events", NEW_YEAR, NEW_YEAR + 40 * DAY)

    assert 192 == simulator._created_in.cache_info().currsize
    assert 2 == Simulator(events_per_day=1_000_000)._hour.cache_info().maxsize
    assert 0 == Simulator(events_per_day=1_000_000)._events_of.cache_info().maxsize


def test_naive_opening_time_is_rejected() -> None:
    """A naive datetime is a different time on every machine."""
    with pytest.raises(ValueError, match="aware"):
        Simulator(opened=datetime(2026, 1, 1))  # noqa: DTZ001 - the mistake itself


def test_events_per_day_below_one_is_rejected() -> None:
    """The minimum is one event a day."""
    with pytest.raises(ValueError, match="at least 1"):
        Simulator(events_per_day=0)
