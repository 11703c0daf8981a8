"""A history of small slices in one sweep that is killed on the way: a small run of benchmarks/history.py."""

import os
import re

from tests.support.commands import run


def test_killed_sweep_continues_where_it_stopped() -> None:
    """Three days of hourly slices: few requests, the ids of the source, and the rows of an undisturbed sweep."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    done = run("python", "benchmarks/history.py", "--days", "3", "--kills", "2", environment=environment)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert re.search(r"^[23],\d{3} events in 72 slices, ", done.stdout)
    assert 5 == len(re.findall(r"^yes  ", done.stdout, re.MULTILINE))
