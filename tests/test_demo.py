"""The first of the two commands: a real Airflow, a real database, the DAG of dags/, end to end."""

import os
import re
from pathlib import Path

from tests.commands import run


def demo(folder: Path) -> str:
    """What the demo prints; it must succeed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    done = run("python", "demo/run.py", folder, environment=environment)
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def test_demo_exports_a_week_and_writes_nothing_twice(tmp_path: Path) -> None:
    """Seven days, each with the ids of the source; the second time, not a file changes."""
    lines = re.findall(r"^\d{4}-\d\d-\d\d .* same ids as the source$", demo(tmp_path), re.MULTILINE)
    assert 7 == len(lines)
    data = {path: path.stat().st_mtime_ns for path in (tmp_path / "standin").rglob("*") if path.is_file()}
    assert 8 == len(data)
    assert "NOT" not in demo(tmp_path)
    assert data == {path: path.stat().st_mtime_ns for path in (tmp_path / "standin").rglob("*") if path.is_file()}
    assert "Covered up to" in (tmp_path / "airflow.log").read_text()
