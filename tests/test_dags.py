"""The laws of every DAG that is shipped: what parsing it may cost, and what its schedule must be."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import Asset

from airflow_zendesk.compat import for_each_partition
from tests.support.commands import ROOT, run

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
    "pools": [task.pool for task in dag.tasks],
    "params": {name: param.schema for name, param in dag.params.items()},
    "heavy": [name for name in ("pyarrow", "pandas", "numpy") if name in sys.modules],
}))
"""


def parse(file: Path, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """What a fresh process makes of the file; an error or a warning fails the test."""
    done = run("python", "-c", PARSE, file, environment=environment)
    assert 0 == done.returncode, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told | {"file": file.stem}


@pytest.fixture(scope="module", params=FILES, ids=lambda path: path.stem)
def parsed(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each of the DAGs, parsed."""
    return parse(request.param)


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
        "zendesk_load_ticket_events": follows,
        "zendesk_load_ticket_metric_events": follows,
        # It has no schedule: its window is given by hand.
        "zendesk_history": "NullTimetable",
    }
    assert others.get(parsed["dag_id"], "CronDataIntervalTimetable") == parsed["timetable"]


def test_history_must_be_given_a_window(parsed: dict[str, Any]) -> None:
    """The other DAGs have the data interval; where they take a window by hand, it may stay empty."""
    required = [
        name
        for name, schema in parsed["params"].items()
        if "date-time" == schema.get("format") and ("null" not in schema["type"])
    ]
    assert (["start", "end"] if "zendesk_history" == parsed["file"] else []) == required


def test_nobody_waits_for_a_pool_that_nobody_made(parsed: dict[str, Any]) -> None:
    """Airflow never starts tasks of a missing pool, and says so in the scheduler's log alone."""
    assert {"default_pool"} == set(parsed["pools"])


def test_one_setting_names_the_pool_of_the_account() -> None:
    """For every DAG that asks the one account."""
    environment = os.environ | {"AIRFLOW__ZENDESK_EXPORT__POOL": "zendesk"}
    for name in ("zendesk_ticket_events", "zendesk_ticket_metric_events", "zendesk_history"):
        told = parse(FOLDER / f"{name}.py", environment)
        assert "zendesk" in told["pools"]
