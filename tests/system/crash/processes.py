"""Child processes, each forked in milliseconds from a server that has imported all, each in a group of its own."""

import multiprocessing
import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any

import psutil

from airflow_zendesk.window import Grain, Window
from tests.system.crash import jobs
from tests.system.crash.jobs import HOURLY, Place, Readings, Trap

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.system.crash.warm"])

#: Nothing takes so long, unless it hangs.
PATIENCE_SECONDS = 60


@dataclass
class Child:
    """A process, and what it tells."""

    process: ForkServerProcess
    told: Connection

    @classmethod
    def start(cls, job: Any, *arguments: Any) -> "Child":
        """Start a job with these arguments, and a connection to tell things."""
        told, tell = CONTEXT.Pipe(duplex=False)
        process = CONTEXT.Process(target=job, args=(*arguments, tell), daemon=True)
        process.start()
        tell.close()
        return cls(process, told)

    @classmethod
    def export(cls, place: Place, window: Window, trap: Trap | None = None, grain: Grain = HOURLY) -> "Child":
        """Start an export; it is under way when this returns."""
        child = cls.start(jobs.export, place, window, trap, grain)
        assert "started" == child.hear()
        return child

    def hear(self) -> Any:
        """The next thing that it tells."""
        assert self.told.poll(PATIENCE_SECONDS), "the process tells nothing"
        return self.told.recv()

    def end(self) -> Any:
        """The last thing that it tells before it ends."""
        last = None
        with suppress(EOFError):
            while True:
                last = self.hear()
        self.process.join(PATIENCE_SECONDS)
        assert self.process.exitcode is not None, "the process does not end"
        self.told.close()
        return last

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self.process.pid
        os.kill(self.process.pid, number)

    def wait_until_stopped(self) -> None:
        """After a SIGSTOP that it has announced."""
        process = psutil.Process(self.process.pid)
        while process.status() != psutil.STATUS_STOPPED:
            time.sleep(0.001)

    @property
    def was_killed(self) -> bool:
        """Whether it has ended by SIGKILL."""
        return self.process.exitcode == -signal.SIGKILL


class Reader:
    """A reader that opens every object of a dataset, over and over, in a process of its own."""

    def __init__(self, place: Place) -> None:
        self._enough = CONTEXT.Event()
        self._child = Child.start(jobs.read, place, self._enough)

    def end(self) -> Readings:
        """Read it all a last time, and tell what was seen."""
        self._enough.set()
        readings = self._child.end()
        assert isinstance(readings, Readings), "the reader broke"
        return readings
