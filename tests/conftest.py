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

#: S3, Azure Blob and Google Cloud Storage on loopback.
pytest_plugins = ["tests.stores.servers"]


@pytest.fixture
def standin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Standin]:
    """A local Zendesk of 2,500 events a day, at the end of the default connection."""
    with Standin(World(events_per_day=2_500)) as standin:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", json.dumps(standin.connection()))
        yield standin
