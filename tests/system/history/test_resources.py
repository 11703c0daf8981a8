"""The memory and the temporary disk of each kind of task: the figures of docs/executors.md."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.commands import ROOT, executable, run
from tests.support.postgres import server

#: Runs a command and prints, as its last line, its exit code and what it needed: the peak of its memory, and the peak
#: of its files in TMPDIR, which have no name. This needs a small process of its own, because the peak of a child begins
#: with the memory of its parent.
MEASURE = """
import json, os, resource, subprocess, sys, time

def temporary(pid):
    sizes = {}
    for fd in os.scandir(f"/proc/{pid}/fd"):
        try:
            if os.readlink(fd.path).startswith(os.environ["TMPDIR"]):
                found = os.stat(fd.path)
                sizes[found.st_ino] = found.st_blocks * 512
        except FileNotFoundError:
            pass
    return sum(sizes.values())

peak = 0
with subprocess.Popen(sys.argv[1:]) as process:
    while process.poll() is None:
        try:
            peak = max(peak, temporary(process.pid))
        except (FileNotFoundError, PermissionError):
            break
        time.sleep(0.02)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([process.returncode, used.ru_maxrss * 1024, peak]))
"""
LOAD = """
import sys
from airflow_zendesk.destination import open_destination
from airflow_zendesk.warehouse.loading import load_slices, open_warehouse
from airflow_zendesk.window import Grain, Window
day = Window.of("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z")
database = open_warehouse(sys.argv[2], "zendesk")
print(load_slices(database, open_destination(sys.argv[1]), "ticket_events", Grain.of("1d").slices(day)))
"""


@contextmanager
def busy_account() -> Iterator[str]:
    """The connection of an emulator with 200,000 events on 2026-01-05."""
    command = [executable("airflow-zendesk"), "emulator", "--port", "0", "--events-per-day", "200000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield [process.stdout.readline() for _ in range(2)][1].partition("=")[2].strip().strip("'")
        finally:
            # Not SIGINT, which a process ignores that a script has started in the background.
            process.terminate()


def test_figures_of_the_documentation_hold(tmp_path: Path) -> None:
    """For 200,000 events with comments in one slice, within a fourth; -s shows what was measured."""
    temporary, data = tmp_path / "temporary", (tmp_path / "data").as_uri()
    temporary.mkdir()
    zendesk, python = executable("airflow-zendesk"), executable("python")
    day = ["--start", "2026-01-05", "--end", "2026-01-06", "--destination", data]
    tasks = {
        "export": [zendesk, "export", *day, "--include", "comment_events"],
        "verification": [zendesk, "verify", *day],
        "load into PostgreSQL": [python, "-c", LOAD, data, "warehouse"],
        "load into DuckDB": [python, "-c", LOAD, data, f"duckdb://{tmp_path / 'warehouse.duckdb'}"],
        "Airflow's supervisor alone": [python, "-c", "import airflow.sdk.execution_time.supervisor"],
    }
    figures = documented()
    assert tasks.keys() == figures.keys()
    with busy_account() as connection, server() as warehouse:
        environment = os.environ | {
            "AIRFLOW_CONN_ZENDESK_DEFAULT": connection, "AIRFLOW_CONN_WAREHOUSE": warehouse, "TMPDIR": str(temporary),
        }  # fmt: skip
        for name, command in tasks.items():
            done = run("python", "-c", MEASURE, *command, environment=environment)
            code, memory, disk = json.loads(done.stdout.splitlines()[-1])
            assert 0 == code, done.stdout + done.stderr
            print(f"{name:<28}{memory / 1e6:>8.0f} MB{disk / 1e6:>8.1f} MB on disk")
            assert memory < 1.25 * figures[name][0] * 1e6
            assert disk <= 1.25 * figures[name][1] * 1e6


def documented() -> dict[str, tuple[float, float]]:
    """The megabytes of memory and of temporary disk in the table of the page, by task."""
    page = (ROOT / "docs" / "executors.md").read_text()
    rows = re.findall(r"^\| (.+) \| ([\d,]+) MB \| ([\d.]+) MB \|$", page, re.MULTILINE)
    return {name: (float(memory.replace(",", "")), float(disk)) for name, memory, disk in rows}
