"""What all tests share: an Airflow home of their own, set before Airflow is imported, and no network but loopback."""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

_HOME = Path(tempfile.mkdtemp(prefix="airflow-zendesk-tests-"))
os.environ["AIRFLOW_HOME"] = str(_HOME)
os.environ["AIRFLOW__CORE__UNIT_TEST_MODE"] = "False"
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(Path(__file__).parents[1] / "dags")

# Examples are drawn anew each time on a developer's machine; what CI draws can be drawn again.
settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci" if os.environ.get("CI") else "dev")

from airflow_zendesk.standin import Standin, World  # noqa: E402  the environment comes first
from tests.matrix import table  # noqa: E402

#: S3, Azure Blob and Google Cloud Storage on loopback.
pytest_plugins = ["tests.stores.servers"]


@pytest.fixture
def standin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Standin]:
    """A local Zendesk of 2,500 events a day, at the end of the default connection."""
    with Standin(World(events_per_day=2_500)) as standin:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", json.dumps(standin.connection()))
        yield standin


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make matrix` shows what the bad days ended in."""
    parser.addoption("--matrix", action="store_true", help="print what each bad day ended in")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the matrix of tests/test_bad_days.py, whichever process ran which of its cells."""
    cells = {
        (day, often, where): outcome
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, (day, often, where, outcome) in getattr(report, "user_properties", ())
        if name == "bad day"
    }
    if cells and config.getoption("--matrix"):
        terminalreporter.section("what bad days end in")
        for line in table(cells):
            terminalreporter.line(line)
