import os
import subprocess
import sys
from datetime import UTC, datetime
from itertools import chain, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_zendesk.emulator import Simulator
from airflow_zendesk.emulator.case import TicketEvent
from airflow_zendesk.emulator.world import RESOURCES

DAY = 86_400
NEW_YEAR = 1_767_225_600  # 2026-01-01T00:00:00Z
NEW_YEAR_HOUR = NEW_YEAR // 3_600

resources = pytest.mark.parametrize("resource", ["ticket_events", "ticket_metric_events"])


def ids(world: Simulator, resource: str, start: int, end: int) -> list[int]:
    """The ids of a time, in order."""
    return [event.id for event in world.events(resource, start, end)]


@given(
    seed=st.integers(), hour=st.integers(NEW_YEAR_HOUR, NEW_YEAR_HOUR + 100_000), resource=st.sampled_from([*RESOURCES])
)
@settings(max_examples=20, deadline=None)
def test_any_hour_alone_is_as_it_is_in_sequence(seed: int, hour: int, resource: str) -> None:
    """Whoever opens the book in the middle reads what is read from the beginning."""
    reader, visitor = Simulator(seed, 500), Simulator(seed, 500)
    in_sequence = [reader.hour(resource, hour + step) for step in range(-5, 1)][-1]

    assert in_sequence == visitor.hour(resource, hour)


@resources
def test_times_are_half_open_and_join_without_gap(resource: str) -> None:
    """Any cut of a day gives its events once."""
    world = Simulator()
    cuts = [NEW_YEAR, NEW_YEAR + 1, NEW_YEAR + 3_600, NEW_YEAR + 50_000, NEW_YEAR + DAY]
    parts = [ids(world, resource, start, end) for start, end in pairwise(cuts)]

    assert ids(Simulator(), resource, NEW_YEAR, NEW_YEAR + DAY) == list(chain(*parts))


@resources
def test_events_ascend_by_timestamp(resource: str) -> None:
    """A day is told in order, and nothing but that day."""
    timestamps = [event.timestamp for event in Simulator().events(resource, NEW_YEAR, NEW_YEAR + DAY)]

    assert sorted(timestamps) == timestamps
    assert NEW_YEAR <= timestamps[0] < timestamps[-1] < NEW_YEAR + DAY


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_day_has_about_as_many_events_as_asked_for(seed: int) -> None:
    """At 2,000 a day, no day is off by more than a tenth."""
    world = Simulator(seed, 2_000)
    days = [len(ids(world, "ticket_events", NEW_YEAR + day * DAY, NEW_YEAR + (day + 1) * DAY)) for day in range(7)]

    assert 1_800 < min(days) <= max(days) < 2_200


def test_nights_are_quiet() -> None:
    """Ten in the morning is several times as busy as three at night."""
    world = Simulator()

    assert len(world.hour("ticket_events", NEW_YEAR_HOUR + 10)) > 5 * len(
        world.hour("ticket_events", NEW_YEAR_HOUR + 3)
    )


def test_ids_are_unique_and_long() -> None:
    """Events and children have fourteen digits each, and no number occurs twice."""
    events = [
        event
        for event in Simulator().events("ticket_events", NEW_YEAR, NEW_YEAR + 14 * DAY)
        if isinstance(event, TicketEvent)
    ]
    numbers = [event.id + child for event in events for child in range(len(event.children) + 1)]

    assert len(numbers) == len(set(numbers))
    assert {14} == {len(str(number)) for number in numbers}


def test_metric_ids_are_unique_and_long() -> None:
    """Metric events have fourteen digits, and no number occurs twice."""
    numbers = ids(Simulator(), "ticket_metric_events", NEW_YEAR, NEW_YEAR + 14 * DAY)

    assert len(numbers) == len(set(numbers))
    assert {14} == {len(str(number)) for number in numbers}


def test_automation_makes_many_events_share_one_second() -> None:
    """On a busy desk more tickets are closed in the first second of an hour than a page holds."""
    world = Simulator(events_per_day=200_000, opened=datetime(2026, 1, 1, tzinfo=UTC))
    six = NEW_YEAR + 18 * 3_600

    assert len(ids(world, "ticket_events", six, six + 1)) > 1_000


@resources
def test_nothing_happens_before_the_desk_opens(resource: str) -> None:
    """The first hour is the first with events, and its ticket has the number 1."""
    opened = datetime(2026, 1, 1, 9, tzinfo=UTC)
    first = next(Simulator(opened=opened).events(resource, 0, NEW_YEAR + DAY))

    assert opened.timestamp() <= first.timestamp < opened.timestamp() + 3_600
    assert 1 == first.ticket_id


def test_another_seed_is_another_desk() -> None:
    """The seed decides everything."""
    assert Simulator(1).hour("ticket_events", NEW_YEAR_HOUR) != Simulator(2).hour("ticket_events", NEW_YEAR_HOUR)


def test_the_same_in_every_process() -> None:
    """Nothing told depends on the hash seed of a process."""
    code = f"""
from airflow_zendesk.emulator import Simulator
from airflow_zendesk.emulator.wire import ticket_event, ticket_metric_event
print(*(ticket_event(event, with_comments=True) for event in Simulator().hour("ticket_events", {NEW_YEAR_HOUR + 9})))
print(*(ticket_metric_event(event) for event in Simulator().hour("ticket_metric_events", {NEW_YEAR_HOUR + 9})))
"""
    first, second = (
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        )
        for seed in ("1", "2")
    )

    assert second.stdout == first.stdout
    assert len(first.stdout) > 10_000


def test_busy_desk_keeps_little_in_memory() -> None:
    """However much is read, the caches stay bounded."""
    world = Simulator(events_per_day=100)
    ids(world, "ticket_events", NEW_YEAR, NEW_YEAR + 40 * DAY)

    assert 192 == world._births.cache_info().currsize
    assert 2 == Simulator(events_per_day=1_000_000)._hour.cache_info().maxsize
    assert 0 == Simulator(events_per_day=1_000_000)._life.cache_info().maxsize


def test_naive_opening_is_refused() -> None:
    """A time without a zone would be another one on every machine."""
    with pytest.raises(ValueError, match="aware"):
        Simulator(opened=datetime(2026, 1, 1))  # noqa: DTZ001 - the mistake itself


def test_desk_without_events_is_refused() -> None:
    """Less than one event a day is no desk."""
    with pytest.raises(ValueError, match="at least 1"):
        Simulator(events_per_day=0)
