"""`make demo` end to end: a real Airflow, a real database and the DAGs of dags/."""

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path

from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from tests.support.commands import run

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}


def demo(folder: Path) -> str:
    """Run the demo, which must succeed, and return its output."""
    done = run("python", "demo/run.py", folder, environment=ENVIRONMENT)
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def test_demo_exports_and_loads_a_week_and_writes_nothing_twice(tmp_path: Path) -> None:
    """Seven days of both resources have the ids of the source; five queries; a second run changes no file."""
    printed = demo(tmp_path)
    assert 14 == len(re.findall(r"^\d{4}-\d\d-\d\d .* same ids as the source$", printed, re.MULTILINE))
    assert re.search(r"^DuckDB: 14 slices with [\d,]+ events loaded, each once$", printed, re.MULTILINE)
    assert re.search(r"^First reply by hour: .*\n\n.*\n( +\d+ .*\n){24}", printed, re.MULTILINE)
    assert re.search(
        r"^Loaded beside the events: [\d,]+ tickets, [\d,]+ users, \d+ organizations, 4 groups$", printed, re.MULTILINE
    )
    assert re.search(r"^ +Parcels +\d+ +\d+$", printed, re.MULTILINE)
    assert re.search(r"^\d{4}-\d\d-\d\d \d\d:\d\d +\w+ .* end-user +\d+ ", printed, re.MULTILINE)
    assert re.search(r"^ +open +pending +\d+", printed, re.MULTILINE)
    assert re.search(r"^ *Gold +reply_time +\d+ +\d+ +\d+\.\d$", printed, re.MULTILINE)
    data = {path: path.stat().st_mtime_ns for path in (tmp_path / "emulator").rglob("*") if path.is_file()}
    # Two resources of events for a week, three of objects for five weeks, eight lists; and their settings.
    assert 2 * 7 + 3 * 35 + 8 + 13 == len(data)
    assert "NOT" not in demo(tmp_path)
    assert data == {path: path.stat().st_mtime_ns for path in (tmp_path / "emulator").rglob("*") if path.is_file()}
    assert "Complete until" in (tmp_path / "airflow.log").read_text()


def test_demo_with_an_account_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    """A wrong secret is reported before Airflow starts; a run that fails, with its error and without a traceback."""
    settings = tmp_path / "account" / "_datasets" / "ticket_events.json"
    settings.parent.mkdir(parents=True)
    settings.write_text("not JSON")
    with ZendeskEmulator(Simulator(opened=datetime(2025, 12, 1, tzinfo=UTC))) as emulator:
        printed = []
        for change in ({"password": "wrong-secret"}, {}):
            connection = json.dumps(emulator.connection() | change)
            environment = ENVIRONMENT | {"AIRFLOW_CONN_ZENDESK_DEFAULT": connection}
            done = run("python", "demo/run.py", tmp_path, environment=environment)
            assert 1 == done.returncode
            assert "Traceback" not in done.stderr
            printed.append(done.stdout + done.stderr)
    assert "The demo failed: 127.0.0.1: Zendesk returned 401" in printed[0]
    assert re.search("The demo failed: the export of ticket_events of .* is failed. .* is damaged: ", printed[1])
