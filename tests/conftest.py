"""Fixtures and settings of all tests: a separate Airflow home, which must be set before Airflow is imported."""

import json
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import HealthCheck, settings

_HOME = Path(tempfile.mkdtemp(prefix="airflow-zendesk-tests-"))
os.environ["AIRFLOW_HOME"] = str(_HOME)
os.environ["AIRFLOW__CORE__UNIT_TEST_MODE"] = "False"
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(Path(__file__).parents[1] / "dags")

# Examples are random on a developer's machine, and the same in every run of CI.
settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci" if os.environ.get("CI") else "dev")

from airflow_zendesk.emulator import Simulator, ZendeskEmulator  # noqa: E402  the environment comes first
from airflow_zendesk.storage import open_store  # noqa: E402
from airflow_zendesk.storage.store import Store  # noqa: E402
from tests.support.bad_days_matrix import table  # noqa: E402

#: S3, Azure Blob and Google Cloud Storage on loopback.
pytest_plugins = ["tests.support.stores.servers"]


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[ZendeskEmulator]:
    """An emulator with 2,500 events a day, which the default connection leads to."""
    with ZendeskEmulator(Simulator(events_per_day=2_500)) as emulator:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", json.dumps(emulator.connection()))
        yield emulator


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty folder, on a disk and in an object store in memory."""
    if request.param == "local":
        return open_store(LocalFileSystem(), str(tmp_path), tmp_path.as_uri())
    folder = f"/{uuid.uuid4()}"
    return open_store(MemoryFileSystem(), folder, f"memory:/{folder}")


@pytest.fixture
def local_store(tmp_path: Path) -> Store:
    """An empty folder on a disk."""
    return open_store(LocalFileSystem(), str(tmp_path), tmp_path.as_uri())


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of `make matrix`, which prints how exports end on bad days."""
    parser.addoption("--matrix", action="store_true", help="print how an export ends for each fault")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the matrix of tests/export/test_bad_days.py, whose cells may come from several processes."""
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
