"""What the child processes do: export a window, and read a dataset again and again."""

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

from airflow_zendesk.dataset.slice_file import verify
from airflow_zendesk.exceptions import DamagedObjectError, ZendeskError
from airflow_zendesk.export.run import export_window
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.window import Grain, Window
from airflow_zendesk.zendesk.resources import Query
from tests.support.crash.steps import Step, at, steps_of

# The emulator has an API token, and every process would warn of it.
logging.disable(logging.WARNING)

EVENTS = Query.of("ticket_events")
HOURLY = Grain.of("1h")


@dataclass(frozen=True)
class Place:
    """Where a dataset lies, and the connections that lead there and to the emulator."""

    destination: str
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Trap:
    """A signal that a process sends to itself when it comes to a step, after telling so; 0 only tells."""

    step: Step
    signal: int

    def spring(self, told: Connection) -> None:
        """Tell, and send it."""
        told.send(self.step)
        os.kill(os.getpid(), self.signal)


def export(place: Place, window: Window, trap: Trap | None, grain: Grain, told: Connection) -> None:
    """Export the window; tells the outcomes of its slices, or the name of the error that it ended in."""
    os.setpgid(0, 0)
    os.environ.update(place.environment)
    told.send("started")
    try:
        with at(trap.step, lambda: trap.spring(told)) if trap else nullcontext():
            report = export_window(ZendeskHook(), place.destination, EVENTS, window, grain=grain)
    except ZendeskError as error:
        told.send(type(error).__name__)
    else:
        told.send(tuple(slice_.outcome for slice_ in report.slices))


def tell_steps(place: Place, window: Window, told: Connection) -> None:
    """Export the window; tells the steps."""
    os.environ.update(place.environment)
    told.send(steps_of(lambda: export_window(ZendeskHook(), place.destination, EVENTS, window, grain=HOURLY)))


@dataclass
class Readings:
    """What a reader has seen: objects read, and what was wrong with them."""

    reads: int = 0
    torn: int = 0
    lost: int = 0
    doubled: int = 0
    warnings: list[str] = field(default_factory=list)
    #: The ids in each object, as they were read last.
    known: dict[str, set[int]] = field(default_factory=dict)

    @property
    def wrong(self) -> int:
        """How much was wrong."""
        return self.torn + self.lost + self.doubled

    def ids(self) -> Counter[int]:
        """How often each id stands in the dataset."""
        return Counter(id_ for ids in self.known.values() for id_ in ids)


def read(place: Place, enough: Event, told: Connection) -> None:
    """Be a plain reader: list the dataset and open every object there, until it is enough; tells ``Readings``."""
    os.environ.update(place.environment)
    readings = Readings()
    parent = os.getppid()
    last = False
    while not last and os.getppid() == parent:
        last = enough.is_set()  # so that the end of it all is read too
        _read_all(place, readings)
        time.sleep(0.005)
    told.send(readings)


def _read_all(place: Place, readings: Readings) -> None:
    known = readings.known
    folder = ObjectStoragePath(place.destination)
    folder.fs.invalidate_cache()
    paths = folder.fs.glob(f"{folder.path.rstrip('/')}/ticket_events/*/*.parquet")
    for path in known.keys() - set(paths):
        readings.lost += len(known[path])
        readings.warnings.append(f"{path} is gone")
    everywhere: Counter[int] = Counter()
    for path in paths:
        content = folder.fs.cat_file(path)
        readings.reads += 1
        try:
            verify(BytesIO(content), path)
        except DamagedObjectError as error:
            readings.torn += 1
            readings.warnings.append(str(error))
            continue
        ids = pq.ParquetFile(BytesIO(content)).read(columns=["id"])["id"].to_pylist()
        everywhere.update(ids)
        if gone := known.get(path, set()) - set(ids):
            readings.lost += len(gone)
            readings.warnings.append(f"{len(gone)} events that were in {path} are gone")
        known[path] = set(ids)
    readings.doubled += everywhere.total() - len(everywhere)
