"""Rules for every example DAG: the cost of parsing it, its schedule, its params and its pool."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.airflow_version import HAS_PARTITIONS
from tests.support.commands import ROOT, run

FOLDER = ROOT / "dags"
FILES = sorted(FOLDER.glob("zendesk_*.py"))

#: Parses one DAG as the DAG processor does, without connections and network, and prints its properties.
PARSE = """
import json, runpy, socket, sys
from airflow.sdk import BaseHook

def forbidden(*args, **options):
    raise AssertionError("parsing used a connection or the network")

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
    "templates": [
        value
        for task in dag.tasks
        for value in [*vars(task).values(), *getattr(task, "partial_kwargs", {}).values()]
        if isinstance(value, str)
    ],
    "params": {name: param.schema for name, param in dag.params.items()},
    "heavy": [name for name in ("pyarrow", "pandas", "numpy") if name in sys.modules],
}))
"""


def parse(file: Path, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Parse the file in a new process; an error fails the test."""
    done = run("python", "-c", PARSE, file, environment=environment)
    assert 0 == done.returncode, done.stderr
    properties: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return properties | {"file": file.stem}


@pytest.fixture(scope="module", params=FILES, ids=lambda path: path.stem)
def parsed(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each of the DAGs, parsed."""
    return parse(request.param)


def test_dag_has_the_name_of_its_file_and_a_description(parsed: dict[str, Any]) -> None:
    """It is parsed without connections and without the network."""
    assert parsed["file"] == parsed["dag_id"]
    assert parsed["doc"]


def test_parsing_imports_no_large_library(parsed: dict[str, Any]) -> None:
    """Because a DAG is parsed every thirty seconds."""
    assert [] == parsed["heavy"]


def test_schedule_has_intervals_or_follows_assets(parsed: dict[str, Any]) -> None:
    """A cron string would create intervals of zero width, which contain no event. A load runs for each export."""
    follows = "PartitionedAssetTimetable" if HAS_PARTITIONS else "AssetTriggeredTimetable"
    others = {
        "zendesk_load_ticket_events": follows,
        "zendesk_load_ticket_metric_events": follows,
        # It has no schedule: the user gives its window.
        "zendesk_history": "NullTimetable",
    }
    assert others.get(parsed["dag_id"], "CronDataIntervalTimetable") == parsed["timetable"]


def test_only_history_requires_a_window(parsed: dict[str, Any]) -> None:
    """The other DAGs default to the data interval."""
    required = [
        name
        for name, schema in parsed["params"].items()
        if "date" == schema.get("format") and ("null" not in schema["type"])
    ]
    assert (["start", "end"] if "zendesk_history" == parsed["file"] else []) == required


def test_windows_of_forms_are_utc_days(parsed: dict[str, Any]) -> None:
    """A picker of a time would show it in the viewer's time zone, in which a UTC day begins at another hour."""
    assert {"date"} >= {schema["format"] for schema in parsed["params"].values() if "format" in schema}


def test_a_missing_variable_renders_to_an_empty_text(parsed: dict[str, Any]) -> None:
    """Then the operator fails at once, and says which Variable to set; Airflow's own error would be retried."""
    templates = [text for text in parsed["templates"] if "zendesk_destination" in text or "zendesk_warehouse" in text]
    assert all(re.search(r"var\.value\.get\('zendesk_\w+', ''\)", text) for text in templates)
    assert templates or parsed["file"] == "zendesk_many_accounts"


def test_no_dag_needs_a_pool_by_default(parsed: dict[str, Any]) -> None:
    """Airflow never starts a task whose pool is missing, and reports it only in the scheduler's log."""
    assert {"default_pool"} == set(parsed["pools"])


def test_one_setting_names_the_pool_of_the_account() -> None:
    """For every DAG that exports the single account."""
    environment = os.environ | {"AIRFLOW__ZENDESK_EXPORT__POOL": "zendesk"}
    for name in ("zendesk_ticket_events", "zendesk_ticket_metric_events", "zendesk_history"):
        assert "zendesk" in parse(FOLDER / f"{name}.py", environment)["pools"]
