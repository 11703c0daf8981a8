"""Processes that export into one dataset at the same instant."""

import signal
from collections import Counter
from datetime import timedelta

import pytest

from airflow_zendesk.emulator import ZendeskEmulator
from airflow_zendesk.storage.store import put_and_confirm
from airflow_zendesk.window import Grain, Window
from tests.support.crash.steps import Step, first_step_in
from tests.system.crash import jobs
from tests.system.crash.conftest import NewPlace
from tests.system.crash.jobs import HOURLY, Place, Trap
from tests.system.crash.kills import DAY
from tests.system.crash.processes import Child, Reader

DAILY = Grain.of("1d")
DOZEN = [Window(DAY.start + timedelta(hours=2 * n), DAY.start + timedelta(hours=2 * n + 2)) for n in range(12)]


def at_once(place: Place, step: Step, *exports: tuple[Window, Grain]) -> list[object]:
    """Lead processes to the same step and let them go on from there together; what they end in."""
    children = [Child.export(place, window, Trap(step, signal.SIGSTOP), grain) for window, grain in exports]
    for child in children:
        assert step == child.hear()
        child.wait_until_stopped()
    for child in children:
        child.send(signal.SIGCONT)
    return [child.end() for child in children]


@pytest.fixture
def found(new_place: NewPlace) -> Step:
    """The step at which the first export of a dataset is about to make its record."""
    steps: list[Step] = Child.start(jobs.tell_steps, new_place(), DAY).end()
    return steps[first_step_in(steps, put_and_confirm)]


def test_twelve_slices_at_once(new_place: NewPlace, emulator: ZendeskEmulator, found: Step) -> None:
    """Into a dataset that is not there yet: one of them makes it, and all find their place."""
    place = new_place()
    reader = Reader(place)
    outcomes = at_once(place, found, *((window, HOURLY) for window in DOZEN))
    readings = reader.end()
    assert [("published", "published")] * 12 == outcomes
    assert (0, []) == (readings.wrong, readings.warnings)
    assert Counter(emulator.expected_ids("ticket_events", DAY.start, DAY.end)) == readings.ids()


def test_attempts_at_one_slice_at_once(new_place: NewPlace, emulator: ZendeskEmulator, found: Step) -> None:
    """They end as one: each with success, and with the rows of all."""
    place = new_place()
    reader = Reader(place)
    outcomes = at_once(place, found, *[(DOZEN[0], HOURLY)] * 4)
    readings = reader.end()
    assert {"published", "unchanged"} >= {each for outcome in outcomes for each in outcome}  # type: ignore[attr-defined]
    assert (0, []) == (readings.wrong, readings.warnings)
    assert Counter(emulator.expected_ids("ticket_events", DOZEN[0].start, DOZEN[0].end)) == readings.ids()


def test_first_runs_with_different_grains_at_once(new_place: NewPlace, emulator: ZendeskEmulator, found: Step) -> None:
    """One grain wins; the others are told so, and write nothing."""
    place = new_place()
    outcomes = at_once(place, found, *[(DAY, HOURLY), (DAY, DAILY)] * 3)
    hourly, daily = set(outcomes[::2]), set(outcomes[1::2])
    assert "DatasetMismatchError" in hourly | daily
    winners, losers = (daily, hourly) if hourly == {"DatasetMismatchError"} else (hourly, daily)
    assert {"DatasetMismatchError"} == losers
    assert {"published", "unchanged"} >= {each for outcome in winners for each in outcome}  # type: ignore[attr-defined]
    readings = Reader(place).end()
    assert (1 if winners == daily else 24) == len(readings.known)
    assert Counter(emulator.expected_ids("ticket_events", DAY.start, DAY.end)) == readings.ids()
