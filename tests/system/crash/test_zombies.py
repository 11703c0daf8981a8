"""A process that is stopped (SIGSTOP), presumed dead and replaced, and continues after its successor has succeeded."""

import signal
from collections import Counter
from datetime import timedelta

import pytest

from airflow_zendesk.dataset.slice_file import SliceWriter
from airflow_zendesk.emulator import ZendeskEmulator
from airflow_zendesk.storage.local import _locked
from airflow_zendesk.storage.store import put_and_confirm
from airflow_zendesk.window import Window
from tests.support.crash.steps import Step, first_step_in
from tests.system.crash import jobs
from tests.system.crash.conftest import ALL, NewLocation
from tests.system.crash.jobs import Location, Trap
from tests.system.crash.kills import DAY
from tests.system.crash.late_simulator import LateSimulator
from tests.system.crash.processes import Child, Reader

WINDOW = Window(DAY.start, DAY.start + timedelta(hours=2))


def dataset(new_location: NewLocation) -> Location:
    """A dataset with settings and all slices of the day, except those of the window."""
    location = new_location()
    assert {"published"} == set(Child.export(location, Window(WINDOW.end, DAY.end)).wait())
    return location


@pytest.fixture
def steps(new_location: NewLocation) -> list[Step]:
    """The steps of an export after its first request to Zendesk."""
    steps: list[Step] = Child.start(jobs.report_steps, dataset(new_location), WINDOW).wait()
    return steps[first_step_in(steps, SliceWriter.write) :]


def stopped(location: Location, step: Step) -> Child:
    """An export that is stopped at the step."""
    zombie = Child.export(location, WINDOW, Trap(step, signal.SIGSTOP))
    assert step == zombie.receive()
    zombie.wait_until_stopped()
    return zombie


def test_zombie_changes_nothing_when_it_continues(
    new_location: NewLocation, emulator: ZendeskEmulator, simulator: LateSimulator, steps: list[Step]
) -> None:
    """Its successor has events that it does not have. They stay, at whichever step before its PUT it was stopped."""
    put = first_step_in(steps, put_and_confirm)
    before_put = steps[: put + 1]
    for step in before_put if ALL else [*before_put[:-8:-2], before_put[0], before_put[put // 2]]:
        location = dataset(new_location)
        reader = Reader(location)
        simulator.holds_back = True
        zombie = stopped(location, step)
        simulator.holds_back = False
        assert ("published", "published") == Child.export(location, WINDOW).wait()
        zombie.send(signal.SIGCONT)
        assert "SliceChangedError" == zombie.wait(), step
        assert ("unchanged", "unchanged") == Child.export(location, WINDOW).wait()
        readings = reader.stop()
        assert (0, []) == (readings.wrong, readings.warnings), step
        assert Counter(emulator.expected_ids("ticket_events", DAY.start, DAY.end)) == readings.ids()


@pytest.mark.parametrize("store", ["local"], indirect=True)
def test_successor_of_a_zombie_with_the_lock_ends_in_a_conflict_and_can_be_retried(
    new_location: NewLocation, emulator: ZendeskEmulator, simulator: LateSimulator, steps: list[Step]
) -> None:
    """It waits for the lock of the folder, and finds the zombie's version when it has the lock."""
    first = first_step_in(steps, _locked)
    locking, locked = steps[first], next(step for step in steps[first:] if not step.is_in(_locked))
    location = dataset(new_location)
    simulator.holds_back = True
    zombie = stopped(location, locked)
    simulator.holds_back = False
    successor = Child.export(location, WINDOW, Trap(locking, 0))
    assert locking == successor.receive()
    zombie.send(signal.SIGCONT)
    assert ("published", "published") == zombie.wait()
    assert "SliceChangedError" == successor.wait()
    assert ("published", "published") == Child.export(location, WINDOW).wait()
    assert Counter(emulator.expected_ids("ticket_events", DAY.start, DAY.end)) == Reader(location).stop().ids()
