"""Child processes, each forked in milliseconds from a server that has imported everything, each in its own group."""

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
from tests.system.crash.jobs import HOURLY, Location, Readings, Trap

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.system.crash.preload"])

#: A process that takes longer hangs.
TIMEOUT_SECONDS = 60


@dataclass
class Child:
    """A process, and the connection on which it reports."""

    process: ForkServerProcess
    reports: Connection

    @classmethod
    def start(cls, job: Any, *arguments: Any) -> "Child":
        """Start a job with these arguments and a connection for its reports."""
        reports, child_end = CONTEXT.Pipe(duplex=False)
        process = CONTEXT.Process(target=job, args=(*arguments, child_end), daemon=True)
        process.start()
        child_end.close()
        return cls(process, reports)

    @classmethod
    def export(cls, location: Location, window: Window, trap: Trap | None = None, grain: Grain = HOURLY) -> "Child":
        """Start an export; return when it is under way."""
        child = cls.start(jobs.export, location, window, trap, grain)
        assert "started" == child.receive()
        return child

    def receive(self) -> Any:
        """The next report."""
        assert self.reports.poll(TIMEOUT_SECONDS), "the process reports nothing"
        return self.reports.recv()

    def wait(self) -> Any:
        """Wait until the process ends; return its last report."""
        last = None
        with suppress(EOFError):
            while True:
                last = self.receive()
        self.process.join(TIMEOUT_SECONDS)
        assert self.process.exitcode is not None, "the process does not end"
        self.reports.close()
        return last

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        assert self.process.pid
        os.kill(self.process.pid, number)

    def wait_until_stopped(self) -> None:
        """Wait until the SIGSTOP that the process has reported takes effect."""
        process = psutil.Process(self.process.pid)
        while process.status() != psutil.STATUS_STOPPED:
            time.sleep(0.001)

    @property
    def was_killed(self) -> bool:
        """Whether SIGKILL ended the process."""
        return self.process.exitcode == -signal.SIGKILL


class Reader:
    """A process that reads every object of a dataset, again and again."""

    def __init__(self, location: Location) -> None:
        self._stop = CONTEXT.Event()
        self._child = Child.start(jobs.read, location, self._stop)

    def stop(self) -> Readings:
        """Read everything a last time; return what was seen since the start."""
        self._stop.set()
        readings = self._child.wait()
        assert isinstance(readings, Readings), "the reader failed"
        return readings
