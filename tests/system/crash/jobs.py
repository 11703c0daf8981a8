"""What the child processes do: export a window, or read a dataset again and again."""

import logging
import os
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from io import BytesIO
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event

import pyarrow.parquet as pq
from airflow.sdk import ObjectStoragePath

from airflow_zendesk.dataset.slice_file import verify_file
from airflow_zendesk.exceptions import DamagedObjectError, ZendeskError
from airflow_zendesk.export.run import export_window
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.window import Grain, Window
from airflow_zendesk.zendesk.resources import Query
from tests.support.crash.steps import Step, at, steps_of

# The emulator uses an API token, and every process would log a warning about it.
logging.disable(logging.WARNING)

EVENTS = Query.of("ticket_events")
HOURLY = Grain.of("1h")


@dataclass(frozen=True)
class Location:
    """Where a dataset is stored, and the connections to that store and to the emulator."""

    destination: str
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Trap:
    """A signal that a process sends to itself at a step, after it has reported the step; 0 only reports."""

    step: Step
    signal: int

    def spring(self, parent: Connection) -> None:
        """Report the step, and send the signal."""
        parent.send(self.step)
        os.kill(os.getpid(), self.signal)


def export(location: Location, window: Window, trap: Trap | None, grain: Grain, parent: Connection) -> None:
    """Export the window; report the outcomes of its slices, or the name of the error that ended it."""
    os.setpgid(0, 0)
    os.environ.update(location.environment)
    parent.send("started")
    try:
        with at(trap.step, lambda: trap.spring(parent)) if trap else nullcontext():
            report = export_window(ZendeskHook(), location.destination, EVENTS, window, grain=grain)
    except ZendeskError as error:
        parent.send(type(error).__name__)
    else:
        parent.send(tuple(slice_.outcome for slice_ in report.slices))


def report_steps(location: Location, window: Window, parent: Connection) -> None:
    """Export the window; report the steps."""
    os.environ.update(location.environment)
    parent.send(steps_of(lambda: export_window(ZendeskHook(), location.destination, EVENTS, window, grain=HOURLY)))


@dataclass
class Readings:
    """What a reader has seen: how many objects it read, and what was wrong with them."""

    reads: int = 0
    damaged: int = 0
    lost: int = 0
    duplicates: int = 0
    warnings: list[str] = field(default_factory=list)
    #: The ids in each object when it was last read.
    known: dict[str, set[int]] = field(default_factory=dict)

    @property
    def wrong(self) -> int:
        """The number of faults."""
        return self.damaged + self.lost + self.duplicates

    def ids(self) -> Counter[int]:
        """How often each id occurs in the dataset."""
        return Counter(id_ for ids in self.known.values() for id_ in ids)


def read(location: Location, stop: Event, parent: Connection) -> None:
    """List the dataset and open every object in it, again and again, until ``stop`` is set; report ``Readings``."""
    os.environ.update(location.environment)
    readings = Readings()
    parent_id = os.getppid()
    last = False
    while not last and os.getppid() == parent_id:
        last = stop.is_set()  # before the reading, so that the final state is read too
        _read_all(location, readings)
        time.sleep(0.005)
    parent.send(readings)


def _read_all(location: Location, readings: Readings) -> None:
    known = readings.known
    folder = ObjectStoragePath(location.destination)
    folder.fs.invalidate_cache()
    paths = folder.fs.glob(f"{folder.path.rstrip('/')}/ticket_events/*/*.parquet")
    for path in known.keys() - set(paths):
        readings.lost += len(known[path])
        readings.warnings.append(f"{path} has disappeared")
    everywhere: Counter[int] = Counter()
    for path in paths:
        content = folder.fs.cat_file(path)
        readings.reads += 1
        try:
            verify_file(BytesIO(content), path)
        except DamagedObjectError as error:
            readings.damaged += 1
            readings.warnings.append(str(error))
            continue
        ids = pq.ParquetFile(BytesIO(content)).read(columns=["id"])["id"].to_pylist()
        everywhere.update(ids)
        if missing := known.get(path, set()) - set(ids):
            readings.lost += len(missing)
            readings.warnings.append(f"{path} has lost {len(missing)} events")
        known[path] = set(ids)
    readings.duplicates += everywhere.total() - len(everywhere)
