"""The laws of every DAG that is shipped: what parsing it may cost, and what its schedule must be."""

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import Asset

from airflow_zendesk.compat import for_each_partition
from tests.commands import ROOT, run

FOLDER = ROOT / "dags"
HAS_PARTITIONS = not isinstance(for_each_partition(Asset("any")), list)
FILES = sorted(FOLDER.glob("*.py"))

#: Parses one DAG as the DAG processor does, with a wall around it, and tells what it is.
PARSE = """
import json, runpy, socket, sys
from airflow.sdk import BaseHook

def forbidden(*args, **options):
    raise AssertionError("a connection or the network was asked for at parse time")

BaseHook.get_connection = forbidden
socket.socket.connect = forbidden
dag = runpy.run_path(sys.argv[1])["dag"]
dag.validate()
print(json.dumps({
    "dag_id": dag.dag_id,
    "timetable": type(dag.timetable).__name__,
    "catchup": dag.catchup,
    "doc": bool(dag.doc_md),
    "heavy": [name for name in ("pyarrow", "pandas", "numpy") if name in sys.modules],
}))
"""


@pytest.fixture(scope="module", params=FILES, ids=lambda path: path.stem)
def parsed(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What a fresh process makes of the file; an error or a warning fails the test."""
    done = run("python", "-c", PARSE, request.param)
    assert 0 == done.returncode, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told | {"file": request.param.stem}


def test_dag_is_named_like_its_file_and_explains_itself(parsed: dict[str, Any]) -> None:
    """Without a connection and without the network."""
    assert parsed["file"] == parsed["dag_id"]
    assert parsed["doc"]


def test_parsing_imports_nothing_heavy(parsed: dict[str, Any]) -> None:
    """A DAG is parsed every thirty seconds."""
    assert [] == parsed["heavy"]


def test_schedule_has_intervals_or_follows_assets(parsed: dict[str, Any]) -> None:
    """A cron string would make intervals of zero width, which hold no event; a load runs for each slice."""
    follows = "PartitionedAssetTimetable" if HAS_PARTITIONS else "AssetTriggeredTimetable"
    others = {
        "zendesk_load_warehouse": follows,
        "zendesk_load_metric_events": follows,
        # It has no schedule: its window is given by hand.
        "zendesk_history": "NullTimetable",
    }
    assert others.get(parsed["dag_id"], "CronDataIntervalTimetable") == parsed["timetable"]


def test_airflow_runs_the_day_before_the_date(tmp_path: Path, standin: Any) -> None:
    """`airflow dags test` for a date runs the interval that ends there: the command of the README, for real."""
    environment = {
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(FOLDER),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW_CONN_ZENDESK_DEFAULT": json.dumps(standin.connection()),
        "AIRFLOW_VAR_ZENDESK_DESTINATION": (tmp_path / "data").as_uri(),
    }
    for command in ("db migrate", "dags test zendesk_ticket_events 2026-03-02"):
        done = run("airflow", *command.split(), environment=environment)
        assert 0 == done.returncode, done.stdout + done.stderr
    assert ["ticket_events/event_date=2026-03-01/20260301T000000Z--20260302T000000Z.parquet"] == [
        str(path.relative_to(tmp_path / "data")) for path in (tmp_path / "data").rglob("*.parquet")
    ]
