"""A long history of small slices: the cost of one sweep, and proof that kills on the way change nothing.

    python benchmarks/history.py

It exports 400 days of hourly slices with a thousand events a day from the emulator to a local disk: first in one run,
while it measures the memory, then to another folder with ten kills. It succeeds if the requests are within 1.05 times
the minimum, plus one for each kill; the ids are those of the source; memory is flat; and both datasets have equal rows.
"""

import argparse
import contextlib
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

START = datetime(2025, 1, 1, tzinfo=UTC)
COMMAND = str(Path(sys.executable).with_name("airflow-zendesk"))
#: The limits: requests divided by the minimum, memory at the end divided by memory at the beginning.
MAX_REQUESTS, MAX_MEMORY = 1.05, 1.15
#: From this number of days on, growing memory is visible.
LONG_DAYS = 100


@dataclass
class Source:
    """An emulator in its own process."""

    url: str
    environment: dict[str, str]

    def requests(self) -> int:
        """The number of export requests so far."""
        return len(self._get("requests")["requests"])

    def expected_ids(self, start: datetime, end: datetime) -> list[int]:
        """The ids of the events of a half-open time."""
        bounds = f"start={start.timestamp():.0f}&end={end.timestamp():.0f}"
        return sorted(self._get(f"expected_ids?resource=ticket_events&{bounds}")["ids"])

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/emulator/{path}") as response:  # noqa: S310  loopback
            return json.load(response)


@dataclass
class Attempt:
    """The result of one sweep, with its resident memory in bytes since the first slice was published."""

    seconds: float = 0.0
    killed: bool = False
    memory: list[int] = field(default_factory=list)

    @property
    def growth(self) -> float:
        """The mean memory in the last tenth of the time, divided by that in the second tenth."""
        tenth = max(1, len(self.memory) // 10)
        return statistics.mean(self.memory[-tenth:]) / statistics.mean(self.memory[tenth : 2 * tenth])


@contextlib.contextmanager
def source(events_per_day: int) -> Iterator[Source]:
    """Run an emulator for the length of the block."""
    command = [COMMAND, "emulator", "--port", "0", "--events-per-day", str(events_per_day)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as emulator:  # noqa: S603
        try:
            assert emulator.stdout
            connection = [emulator.stdout.readline() for _ in range(2)][1].partition("=")[2].strip().strip("'")
            yield Source(json.loads(connection)["host"], {**os.environ, "AIRFLOW_CONN_ZENDESK_DEFAULT": connection})
        finally:
            emulator.terminate()


def sweep(folder: Path, end: datetime, environment: dict[str, str], kill_at: float = math.inf) -> Attempt:
    """Export the missing slices; kill the export when ``kill_at`` slices are stored."""
    window = ["--start", START.isoformat(), "--end", end.isoformat(), "--grain", "1h", "--if-exists", "skip"]
    command = [COMMAND, "export", *window, "--destination", folder.as_uri()]
    attempt, started, log = Attempt(), time.monotonic(), folder.with_suffix(".log")
    with log.open("a") as out, subprocess.Popen(command, stdout=out, stderr=out, env=environment) as process:  # noqa: S603
        while process.poll() is None:
            if kill_at < math.inf and len(slices(folder)) >= kill_at:
                process.kill()
                attempt.killed = True
            elif attempt.memory or slices(folder):
                attempt.memory += resident(process.pid)
            time.sleep(0.1)
    if process.returncode and not attempt.killed:
        raise RuntimeError(log.read_text())
    attempt.seconds = time.monotonic() - started
    return attempt


def resident(pid: int) -> list[int]:
    """The resident memory of a process in bytes; nothing if it has just ended."""
    try:
        return [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")]
    except (OSError, IndexError):
        return []


def slices(folder: Path) -> list[Path]:
    """The published slices, in order."""
    return sorted(folder.glob("ticket_events/*/*.parquet"))


def rows(folder: Path) -> tuple[list[int], dict[str, str]]:
    """The ids in all slices, and the digest of each."""
    ids: list[int] = []
    digests = {}
    for path in slices(folder):
        with pq.ParquetFile(path) as file:
            ids += file.read(columns=["id"])["id"].to_pylist()
            digests[path.name] = json.loads(file.metadata.metadata[b"airflow_zendesk"])["digest"]
    return sorted(ids), digests


def main() -> int:
    """Measure, print the results, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=400)
    parser.add_argument("--events-per-day", type=int, default=1_000)
    parser.add_argument("--kills", type=int, default=10)
    options = parser.parse_args()
    end = START + timedelta(days=options.days)
    stops = [options.days * 24 * stop // (options.kills + 1) for stop in range(1, options.kills + 1)]
    with tempfile.TemporaryDirectory() as folder, source(options.events_per_day) as zendesk:
        whole, killed = Path(folder) / "whole", Path(folder) / "killed"
        undisturbed = sweep(whole, end, zendesk.environment)
        requests = zendesk.requests()
        attempts = [sweep(killed, end, zendesk.environment, stop) for stop in (*stops, math.inf)]
        more_requests, kills = zendesk.requests() - requests, sum(attempt.killed for attempt in attempts)
        expected, (ids, digests), again = zendesk.expected_ids(START, end), rows(whole), rows(killed)
        size, minimum = sum(path.stat().st_size for path in slices(whole)), math.ceil(len(expected) / 1_000)
        disk = file_system(Path(folder))
    print(
        f"{len(expected):,} events in {len(digests):,} slices, {size:,} bytes on {disk}, at least {minimum:,} requests"
    )
    print(f"in one run        {requests:>6,} requests {undisturbed.seconds:>7,.0f} s")
    print(f"killed {kills:>2} times   {more_requests:>6,} requests {sum(each.seconds for each in attempts):>7,.0f} s")
    print(f"memory            {max(undisturbed.memory) / 2**20:>6,.0f} MiB at most", end="")
    print(f", at the end {undisturbed.growth:.2f} of the beginning" if options.days >= LONG_DAYS else "")
    allowed = max(MAX_REQUESTS * minimum, minimum + 1)
    checks = {
        "requests within 1.05 of the minimum": max(requests, more_requests - kills) <= allowed,
        "ids are those of the source": expected == ids,
        "same rows with and without kills": (ids, digests) == again,
        f"killed {options.kills} times": kills == options.kills,
        "memory is flat": options.days < LONG_DAYS or undisturbed.growth <= MAX_MEMORY,
    }
    for check, holds in checks.items():
        print(f"{'yes' if holds else 'NO':>3}  {check}")
    return 0 if all(checks.values()) else 1


def file_system(folder: Path) -> str:
    """The type of the file system of a folder, which determines the cost of an fsync."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    return max((mount for mount in mounts if folder.is_relative_to(mount[0])), key=lambda mount: len(mount[0]))[1]


if __name__ == "__main__":
    sys.exit(main())
