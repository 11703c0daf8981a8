"""A process that is stopped (SIGSTOP), given up and replaced, and wakes after its successor has succeeded."""

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
from tests.system.crash.conftest import ALL, NewPlace
from tests.system.crash.desk import LateSimulator
from tests.system.crash.jobs import Place, Trap
from tests.system.crash.kills import DAY
from tests.system.crash.processes import Child, Reader

PIECE = Window(DAY.start, DAY.start + timedelta(hours=2))


def dataset(new_place: NewPlace) -> Place:
    """A dataset that has its record, and all slices of the day but those of the slice."""
    place = new_place()
    assert {"published"} == set(Child.export(place, Window(PIECE.end, DAY.end)).end())
    return place


@pytest.fixture
def steps(new_place: NewPlace) -> list[Step]:
    """What an export does after it has asked Zendesk."""
    steps: list[Step] = Child.start(jobs.tell_steps, dataset(new_place), PIECE).end()
    return steps[first_step_in(steps, SliceWriter.write) :]


def stopped(place: Place, step: Step) -> Child:
    """An export that is stopped at the step."""
    zombie = Child.export(place, PIECE, Trap(step, signal.SIGSTOP))
    assert step == zombie.hear()
    zombie.wait_until_stopped()
    return zombie


def test_zombie_changes_nothing_when_it_wakes(
    new_place: NewPlace, emulator: ZendeskEmulator, world: LateSimulator, steps: list[Step]
) -> None:
    """Its successor has seen events that it has not: they stay, wherever it was stopped before its PUT."""
    put = first_step_in(steps, put_and_confirm)
    before_put = steps[: put + 1]
    for step in before_put if ALL else [*before_put[:-8:-2], before_put[0], before_put[put // 2]]:
        place = dataset(new_place)
        reader = Reader(place)
        world.redacted_comments = True
        zombie = stopped(place, step)
        world.redacted_comments = False
        assert ("published", "published") == Child.export(place, PIECE).end()
        zombie.send(signal.SIGCONT)
        assert "SliceChangedError" == zombie.end(), step
        assert ("unchanged", "unchanged") == Child.export(place, PIECE).end()
        readings = reader.end()
        assert (0, []) == (readings.wrong, readings.warnings), step
        assert Counter(emulator.expected_ids("ticket_events", DAY.start, DAY.end)) == readings.ids()


@pytest.mark.parametrize("store", ["local"], indirect=True)
def test_zombie_that_holds_the_lock_of_a_folder(
    new_place: NewPlace, emulator: ZendeskEmulator, world: LateSimulator, steps: list[Step]
) -> None:
    """Its successor waits for the lock, is told of the conflict when it has it, and succeeds at the next try."""
    first = first_step_in(steps, _locked)
    lock, inside = steps[first], next(step for step in steps[first:] if not step.is_in(_locked))
    place = dataset(new_place)
    world.redacted_comments = True
    zombie = stopped(place, inside)
    world.redacted_comments = False
    successor = Child.export(place, PIECE, Trap(lock, 0))
    assert lock == successor.hear()
    zombie.send(signal.SIGCONT)
    assert ("published", "published") == zombie.end()
    assert "SliceChangedError" == successor.end()
    assert ("published", "published") == Child.export(place, PIECE).end()
    assert Counter(emulator.expected_ids("ticket_events", DAY.start, DAY.end)) == Reader(place).end().ids()
