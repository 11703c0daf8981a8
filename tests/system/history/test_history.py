"""A history of small slices in one sweep, killed on the way: a small one of what benchmarks/history.py measures."""

import os
import re

from tests.support.commands import run


def test_killed_sweep_goes_on_where_it_stopped() -> None:
    """Three days of hours: few requests, the ids of the source, and the rows of a sweep that nobody killed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    done = run("python", "benchmarks/history.py", "--days", "3", "--kills", "2", environment=environment)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert re.search(r"^[23],\d{3} events in 72 slices, ", done.stdout)
    assert 5 == len(re.findall(r"^yes  ", done.stdout, re.MULTILINE))
