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
from tests.system.crash.conftest import NewLocation
from tests.system.crash.jobs import HOURLY, Location, Trap
from tests.system.crash.kills import DAY
from tests.system.crash.processes import Child, Reader

DAILY = Grain.of("1d")
WINDOWS = [Window(DAY.start + timedelta(hours=2 * n), DAY.start + timedelta(hours=2 * n + 2)) for n in range(12)]


def run_together(location: Location, step: Step, *exports: tuple[Window, Grain]) -> list[object]:
    """Stop processes at the same step, continue them all together, and return their outcomes."""
    children = [Child.export(location, window, Trap(step, signal.SIGSTOP), grain) for window, grain in exports]
    for child in children:
        assert step == child.receive()
        child.wait_until_stopped()
    for child in children:
        child.send(signal.SIGCONT)
    return [child.wait() for child in children]


@pytest.fixture
def creation(new_location: NewLocation) -> Step:
    """The step at which the first export of a dataset is about to create the settings."""
    steps: list[Step] = Child.start(jobs.report_steps, new_location(), DAY).wait()
    return steps[first_step_in(steps, put_and_confirm)]


def test_twelve_windows_are_published_at_the_same_time(
    new_location: NewLocation, emulator: ZendeskEmulator, creation: Step
) -> None:
    """In a dataset that does not exist yet: one process creates it, and all publish their slices."""
    location = new_location()
    reader = Reader(location)
    outcomes = run_together(location, creation, *((window, HOURLY) for window in WINDOWS))
    readings = reader.stop()
    assert [("published", "published")] * 12 == outcomes
    assert (0, []) == (readings.wrong, readings.warnings)
    assert Counter(emulator.expected_ids("ticket_events", DAY.start, DAY.end)) == readings.ids()


def test_simultaneous_attempts_at_one_slice_all_succeed(
    new_location: NewLocation, emulator: ZendeskEmulator, creation: Step
) -> None:
    """The slice has every event once."""
    location = new_location()
    reader = Reader(location)
    outcomes = run_together(location, creation, *[(WINDOWS[0], HOURLY)] * 4)
    readings = reader.stop()
    assert {"published", "unchanged"} >= {each for outcome in outcomes for each in outcome}  # type: ignore[attr-defined]
    assert (0, []) == (readings.wrong, readings.warnings)
    assert Counter(emulator.expected_ids("ticket_events", WINDOWS[0].start, WINDOWS[0].end)) == readings.ids()


def test_one_of_two_grains_wins_when_first_runs_start_together(
    new_location: NewLocation, emulator: ZendeskEmulator, creation: Step
) -> None:
    """The exports with the other grain are refused, and write nothing."""
    location = new_location()
    outcomes = run_together(location, creation, *[(DAY, HOURLY), (DAY, DAILY)] * 3)
    hourly, daily = set(outcomes[::2]), set(outcomes[1::2])
    assert "DatasetMismatchError" in hourly | daily
    winners, losers = (daily, hourly) if hourly == {"DatasetMismatchError"} else (hourly, daily)
    assert {"DatasetMismatchError"} == losers
    assert {"published", "unchanged"} >= {each for outcome in winners for each in outcome}  # type: ignore[attr-defined]
    readings = Reader(location).stop()
    assert (1 if winners == daily else 24) == len(readings.known)
    assert Counter(emulator.expected_ids("ticket_events", DAY.start, DAY.end)) == readings.ids()
