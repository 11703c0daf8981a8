"""The kill matrix: exports that are killed at a step or at an instant, each followed by one that must set all right."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice, pairwise
from typing import Literal

from airflow_zendesk import storage
from airflow_zendesk.dataset import publish, settings
from airflow_zendesk.emulator import ZendeskEmulator
from airflow_zendesk.storage.bucket import BucketStore
from airflow_zendesk.storage.local import LocalStore
from airflow_zendesk.window import Window
from tests.support.crash.steps import Step
from tests.system.crash import jobs
from tests.system.crash.desk import LateSimulator
from tests.system.crash.jobs import Place, Trap
from tests.system.crash.processes import Child, Reader

DAY = Window.of("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z")
#: What one export does: two slices, so that some are killed between them.
_LENGTH = timedelta(hours=2)
#: How many of them a dataset holds.
_PER_DATASET = 12
#: The code that accesses storage, or decides to.
_CLOSE = (storage, publish, settings)
#: The methods that write an object.
_PUT = (LocalStore.put, BucketStore.put)

#: What a killed export finds: no slices, slices that lack events, slices that are as they should be.
Found = Literal["nothing", "less", "all"]


@dataclass(frozen=True)
class Instant:
    """A kill from outside, so long after the process has told that it comes to the step, or after its start."""

    seconds: float
    step: Step | None = None


@dataclass
class Tally:
    """What came of the kills on one store."""

    store: str
    kills: int = 0
    reads: int = 0
    torn: int = 0
    lost: int = 0
    doubled: int = 0
    seconds: float = 0.0
    #: Where processes were killed, and what they found.
    steps: set[tuple[Step, Found]] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> int:
        """How much is wrong."""
        return self.torn + self.lost + self.doubled

    def __str__(self) -> str:
        return (
            f"{self.store:<8} {self.kills:>6} kills at {len(self.steps):>4} steps and at instants, "
            f"{self.reads:>8,} reads: "
            f"{self.torn} torn, {self.lost} lost, {self.doubled} doubled  ({self.seconds:.0f} s)"
        )


class Matrix:
    """Kills exports on one store.

    Args:
        store: its name.
        new_place: gives an empty destination.
        emulator: answers the exports, with what has surfaced in ``world``.
        world: what happened.
        seed: decides on the order of steps, and on instants.
    """

    def __init__(
        self, store: str, new_place: Callable[[], Place], emulator: ZendeskEmulator, world: LateSimulator, seed: int = 0
    ) -> None:
        self.tally = Tally(store)
        self._new_place = new_place
        self._emulator = emulator
        self._world = world
        self._dice = random.Random(seed)

    def run(self, found: Found, datasets: int | None = None) -> None:
        """Kill a dozen exports in each of so many datasets; None for as many as it takes to kill at every step."""
        started = time.monotonic()
        for traps in islice(self._traps(found), datasets):
            self._kill_in_one_dataset(found, traps)
        self.tally.seconds += time.monotonic() - started

    def _traps(self, found: Found) -> Iterator[list[Trap | Instant]]:
        """Steps and instants by the dozen, in an order that does well to be cut short."""
        place = self._prepare(found)
        started = time.monotonic()
        first, second = (Child.start(jobs.tell_steps, place, slice_).end() for slice_ in _pieces()[:2])
        seconds = (time.monotonic() - started) / 2
        #: Where a dataset is made, which only its first export does.
        founding = self._shuffled(step for step in first if step not in second)
        close = self._shuffled(step for step in second if step.is_in(*_CLOSE))
        others = self._shuffled(step for step in second if not step.is_in(*_CLOSE))
        puts = [step for step, following in pairwise(second) if following.is_in(*_PUT)]
        while founding or close or others:
            drawn = [(group or close).pop() for group in (founding, *[close] * 5, *[others] * 3) if group or close]
            yield [
                *(Trap(step, signal.SIGKILL) for step in drawn),
                Instant(self._dice.uniform(0, seconds)),
                *(Instant(self._dice.uniform(0, 0.02), step) for step in puts[:1] * 2),
            ]

    def _shuffled(self, steps: Iterable[Step]) -> list[Step]:
        return self._dice.sample(drawn := list(steps), len(drawn))

    def _prepare(self, found: Found) -> Place:
        place = self._new_place()
        if found != "nothing":
            self._world.redacted_comments = found == "less"
            outcomes = Child.export(place, DAY).end()
            self._world.redacted_comments = False
            assert {"published"} == set(outcomes)
        return place

    def _kill_in_one_dataset(self, found: Found, traps: Sequence[Trap | Instant]) -> None:
        place = self._prepare(found)
        reader = Reader(place)
        for slice_, trap in zip(_pieces(), traps, strict=False):
            self._kill(place, slice_, trap, found)
            outcomes = Child.export(place, slice_).end()
            assert {"published", "unchanged"} >= set(outcomes), f"after {trap} the next run ended in {outcomes}"
        # The rest of the day; what has been exported so far must not be written again.
        outcomes = Child.export(place, DAY).end()
        assert ("unchanged",) * 2 * len(traps) == outcomes[: 2 * len(traps)]
        readings = reader.end()
        self.tally.reads += readings.reads
        self.tally.torn += readings.torn
        self.tally.lost += readings.lost
        self.tally.doubled += readings.doubled
        self.tally.warnings += readings.warnings
        truth = Counter(self._emulator.expected_ids("ticket_events", DAY.start, DAY.end))
        self.tally.lost += (truth - readings.ids()).total()
        self.tally.doubled += (readings.ids() - truth).total()

    def _kill(self, place: Place, slice_: Window, trap: Trap | Instant, found: Found) -> None:
        if isinstance(trap, Trap):
            child = Child.export(place, slice_, trap)
            child.end()
            assert child.was_killed, f"{trap} did not spring"
            self.tally.steps.add((trap.step, found))
        else:
            child = Child.export(place, slice_, Trap(trap.step, 0) if trap.step else None)
            if trap.step:
                assert trap.step == child.hear()
            time.sleep(trap.seconds)
            child.process.kill()
            child.end()
        self.tally.kills += child.was_killed


def _pieces() -> list[Window]:
    return [Window(DAY.start + number * _LENGTH, DAY.start + (number + 1) * _LENGTH) for number in range(_PER_DATASET)]
