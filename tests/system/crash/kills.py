"""The kill matrix: exports that are killed at a step or at an instant, each followed by one that must repair all."""

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
from tests.system.crash.jobs import Location, Trap
from tests.system.crash.late_simulator import LateSimulator
from tests.system.crash.processes import Child, Reader

DAY = Window.of("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z")
#: The window of one export: two slices, so that some exports are killed between them.
_LENGTH = timedelta(hours=2)
#: How many exports one dataset takes.
_PER_DATASET = 12
#: The code that accesses storage, or decides to.
_CLOSE = (storage, publish, settings)
#: The methods that write an object.
_PUT = (LocalStore.put, BucketStore.put)

#: What a killed export finds in storage: no slices, slices that lack events, or slices that are complete.
Stored = Literal["nothing", "less", "all"]


@dataclass(frozen=True)
class DelayedKill:
    """A kill from outside, ``seconds`` after the process has reported a step, or after its start."""

    seconds: float
    step: Step | None = None


@dataclass
class Tally:
    """The results of the kills on one store."""

    store: str
    kills: int = 0
    reads: int = 0
    damaged: int = 0
    lost: int = 0
    duplicates: int = 0
    seconds: float = 0.0
    #: The steps at which processes were killed, and what was stored then.
    steps: set[tuple[Step, Stored]] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> int:
        """The number of faults."""
        return self.damaged + self.lost + self.duplicates

    def __str__(self) -> str:
        return (
            f"{self.store:<8} {self.kills:>6} kills at {len(self.steps):>4} steps and at instants, "
            f"{self.reads:>8,} reads: "
            f"{self.damaged} damaged, {self.lost} lost, {self.duplicates} duplicates  ({self.seconds:.0f} s)"
        )


class KillMatrix:
    """Kills exports on one store.

    Args:
        store: its name.
        new_location: returns an empty destination.
        emulator: the source of the exports.
        simulator: the events of the emulator.
        seed: determines the order of steps, and the instants.
    """

    def __init__(
        self,
        store: str,
        new_location: Callable[[], Location],
        emulator: ZendeskEmulator,
        simulator: LateSimulator,
        seed: int = 0,
    ) -> None:
        self.tally = Tally(store)
        self._new_location = new_location
        self._emulator = emulator
        self._simulator = simulator
        self._random = random.Random(seed)

    def run(self, stored: Stored, datasets: int | None = None) -> None:
        """Kill a dozen exports in each of ``datasets`` datasets; None for as many as all steps need."""
        started = time.monotonic()
        for traps in islice(self._traps(stored), datasets):
            self._kill_in_one_dataset(stored, traps)
        self.tally.seconds += time.monotonic() - started

    def _traps(self, stored: Stored) -> Iterator[list[Trap | DelayedKill]]:
        """Steps and instants, a dozen for each dataset. The order is mixed, so that it can be cut short anywhere."""
        location = self._prepare(stored)
        started = time.monotonic()
        first, second = (Child.start(jobs.report_steps, location, slice_).wait() for slice_ in _windows()[:2])
        seconds = (time.monotonic() - started) / 2
        #: The steps that create the dataset, which only its first export takes.
        creating = self._shuffled(step for step in first if step not in second)
        close = self._shuffled(step for step in second if step.is_in(*_CLOSE))
        others = self._shuffled(step for step in second if not step.is_in(*_CLOSE))
        puts = [step for step, following in pairwise(second) if following.is_in(*_PUT)]
        while creating or close or others:
            drawn = [(group or close).pop() for group in (creating, *[close] * 5, *[others] * 3) if group or close]
            yield [
                *(Trap(step, signal.SIGKILL) for step in drawn),
                DelayedKill(self._random.uniform(0, seconds)),
                *(DelayedKill(self._random.uniform(0, 0.02), step) for step in puts[:1] * 2),
            ]

    def _shuffled(self, steps: Iterable[Step]) -> list[Step]:
        return self._random.sample(drawn := list(steps), len(drawn))

    def _prepare(self, stored: Stored) -> Location:
        location = self._new_location()
        if stored != "nothing":
            self._simulator.holds_back = stored == "less"
            outcomes = Child.export(location, DAY).wait()
            self._simulator.holds_back = False
            assert {"published"} == set(outcomes)
        return location

    def _kill_in_one_dataset(self, stored: Stored, traps: Sequence[Trap | DelayedKill]) -> None:
        location = self._prepare(stored)
        reader = Reader(location)
        for window, trap in zip(_windows(), traps, strict=False):
            self._kill(location, window, trap, stored)
            outcomes = Child.export(location, window).wait()
            assert {"published", "unchanged"} >= set(outcomes), f"after {trap} the next run ended in {outcomes}"
        # The rest of the day. Slices that are stored already must not be written again.
        outcomes = Child.export(location, DAY).wait()
        assert ("unchanged",) * 2 * len(traps) == outcomes[: 2 * len(traps)]
        readings = reader.stop()
        self.tally.reads += readings.reads
        self.tally.damaged += readings.damaged
        self.tally.lost += readings.lost
        self.tally.duplicates += readings.duplicates
        self.tally.warnings += readings.warnings
        expected = Counter(self._emulator.expected_ids("ticket_events", DAY.start, DAY.end))
        self.tally.lost += (expected - readings.ids()).total()
        self.tally.duplicates += (readings.ids() - expected).total()

    def _kill(self, location: Location, window: Window, trap: Trap | DelayedKill, stored: Stored) -> None:
        if isinstance(trap, Trap):
            child = Child.export(location, window, trap)
            child.wait()
            assert child.was_killed, f"the export did not reach {trap.step}"
            self.tally.steps.add((trap.step, stored))
        else:
            child = Child.export(location, window, Trap(trap.step, 0) if trap.step else None)
            if trap.step:
                assert trap.step == child.receive()
            time.sleep(trap.seconds)
            child.process.kill()
            child.wait()
        self.tally.kills += child.was_killed


def _windows() -> list[Window]:
    return [Window(DAY.start + number * _LENGTH, DAY.start + (number + 1) * _LENGTH) for number in range(_PER_DATASET)]
