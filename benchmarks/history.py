"""A long history of small slices: what a sweep of it costs, and that being killed on the way changes nothing.

    python benchmarks/history.py

400 days of hourly slices, a thousand events a day, from the local Zendesk to a local disk; first in one go, watching
the memory; then again elsewhere, killed ten times. Succeeds only if the requests are within 1.05 of the least possible,
and one more for each kill; the ids are those of the source; the memory is flat; and both datasets have the same rows.
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
#: What is allowed: requests over the least possible, memory at the end over memory at the beginning.
MOST_REQUESTS, MOST_MEMORY = 1.05, 1.15
#: Days that are enough to see memory grow.
LONG = 100


@dataclass
class Source:
    """A local Zendesk in a process of its own."""

    url: str
    environment: dict[str, str]

    def requests(self) -> int:
        """How many exports it was asked for."""
        return len(self._ask("requests")["requests"])

    def expected_ids(self, start: datetime, end: datetime) -> list[int]:
        """The ids of what happened."""
        bounds = f"start={start.timestamp():.0f}&end={end.timestamp():.0f}"
        return sorted(self._ask(f"expected_ids?resource=ticket_events&{bounds}")["ids"])

    def _ask(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/emulator/{path}") as answer:  # noqa: S310  loopback
            return json.load(answer)


@dataclass
class Attempt:
    """How one sweep went, and its resident memory in bytes, since it left the first slice."""

    seconds: float = 0.0
    killed: bool = False
    memory: list[int] = field(default_factory=list)

    @property
    def growth(self) -> float:
        """The mean memory of the last tenth of the time, over that of the second tenth."""
        tenth = max(1, len(self.memory) // 10)
        return statistics.mean(self.memory[-tenth:]) / statistics.mean(self.memory[tenth : 2 * tenth])


@contextlib.contextmanager
def source(events_per_day: int) -> Iterator[Source]:
    """Start a local Zendesk, and end it."""
    command = [COMMAND, "emulator", "--port", "0", "--events-per-day", str(events_per_day)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as emulator:  # noqa: S603
        try:
            assert emulator.stdout
            connection = [emulator.stdout.readline() for _ in range(2)][1].partition("=")[2].strip().strip("'")
            yield Source(json.loads(connection)["host"], {**os.environ, "AIRFLOW_CONN_ZENDESK_DEFAULT": connection})
        finally:
            emulator.terminate()


def sweep(folder: Path, end: datetime, environment: dict[str, str], kill_at: float = math.inf) -> Attempt:
    """Export what is missing, or until so many slices are there."""
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
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=400)
    parser.add_argument("--events-per-day", type=int, default=1_000)
    parser.add_argument("--kills", type=int, default=10)
    asked = parser.parse_args()
    end = START + timedelta(days=asked.days)
    stops = [asked.days * 24 * stop // (asked.kills + 1) for stop in range(1, asked.kills + 1)]
    with tempfile.TemporaryDirectory() as folder, source(asked.events_per_day) as zendesk:
        whole, slices_ = Path(folder) / "whole", Path(folder) / "pieces"
        straight = sweep(whole, end, zendesk.environment)
        requests = zendesk.requests()
        attempts = [sweep(slices_, end, zendesk.environment, stop) for stop in (*stops, math.inf)]
        more_requests, kills = zendesk.requests() - requests, sum(attempt.killed for attempt in attempts)
        truth, (ids, digests), again = zendesk.expected_ids(START, end), rows(whole), rows(slices_)
        size, least = sum(path.stat().st_size for path in slices(whole)), math.ceil(len(truth) / 1_000)
        disk = file_system(Path(folder))
    print(f"{len(truth):,} events in {len(digests):,} slices, {size:,} bytes on {disk}; at least {least:,} requests")
    print(f"in one go         {requests:>6,} requests {straight.seconds:>7,.0f} s")
    print(f"killed {kills:>2} times   {more_requests:>6,} requests {sum(each.seconds for each in attempts):>7,.0f} s")
    print(f"memory            {max(straight.memory) / 2**20:>6,.0f} MiB at most", end="")
    print(f", at the end {straight.growth:.2f} of the beginning" if asked.days >= LONG else "")
    allowed = max(MOST_REQUESTS * least, least + 1)
    verdicts = {
        "requests within 1.05 of the least": max(requests, more_requests - kills) <= allowed,
        "ids are those of the source": truth == ids,
        "killed or not, the same rows": (ids, digests) == again,
        f"killed {asked.kills} times": kills == asked.kills,
        "memory is flat": asked.days < LONG or straight.growth <= MOST_MEMORY,
    }
    for verdict, holds in verdicts.items():
        print(f"{'yes' if holds else 'NO':>3}  {verdict}")
    return 0 if all(verdicts.values()) else 1


def file_system(folder: Path) -> str:
    """The kind of file system that a folder lies on: it decides what an fsync costs."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    return max((mount for mount in mounts if folder.is_relative_to(mount[0])), key=lambda mount: len(mount[0]))[1]


if __name__ == "__main__":
    sys.exit(main())
