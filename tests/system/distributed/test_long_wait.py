"""A limit that refuses a task for longer than a minute, on a running Airflow: no worker, no retry, every event."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from tests.system.distributed.services import until
from tests.system.distributed.stack import Airflow, airflow

START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
#: Each of the first two requests is refused for this many seconds.
REFUSED = 65
SCENARIO = [{"fault": "status", "status": 429, "retry_after": REFUSED, "times": 2}]

_DAG = f"""
from airflow.sdk import DAG
from airflow_zendesk.operators.incremental_export import ZendeskIncrementalExportOperator

with DAG("limited", schedule=None, is_paused_upon_creation=False):
    ZendeskIncrementalExportOperator(
        task_id="export",
        destination="{{{{ var.value.zendesk_destination }}}}",
        start="{START:%Y-%m-%d}",
        end="{END:%Y-%m-%d}",
    )
"""


def is_waiting(running: Airflow, times: int) -> bool:
    """Whether the task has left its worker this many times, in its first try."""
    ((reschedules,),) = running.query("select count(*) from task_reschedule")
    return reschedules == times and state(running) == [("up_for_reschedule", 1)]


def state(running: Airflow) -> list[tuple[str, int]]:
    """The state of the task and the number of its try."""
    return [(row[0], row[1]) for row in running.query("select state, try_number from task_instance")]


def has_ended(running: Airflow) -> bool:
    """Whether the run has succeeded."""
    return running.query("select state from dag_run") == [("success",)]


def test_a_long_limit_costs_neither_worker_nor_retry(tmp_path: Path) -> None:
    """The task is refused twice, each time for more than a minute, and starts again at the time that Zendesk named."""
    data, dags = tmp_path / "data", tmp_path / "dags"
    dags.mkdir()
    (dags / "limited.py").write_text(_DAG)
    with ZendeskEmulator(Simulator(events_per_day=2_200), scenario=SCENARIO) as emulator:
        settings = {
            "AIRFLOW_CONN_ZENDESK_DEFAULT": json.dumps(emulator.connection()),
            "AIRFLOW_VAR_ZENDESK_DESTINATION": data.as_uri(),
        }
        with airflow(tmp_path, "LocalExecutor", dags, settings) as running:
            running.command("dags", "trigger", "limited")
            until("the first wait", lambda: is_waiting(running, 1), 200)
            assert 1 == len(emulator.requests)
            until("the second wait", lambda: is_waiting(running, 2), 200)
            assert 2 == len(emulator.requests)
            until("the export", lambda: state(running) == [("success", 1)] and has_ended(running), 200)
            ((seconds,),) = running.query("select extract(epoch from end_date - queued_at) from dag_run")
        expected = emulator.expected_ids("ticket_events", START, END)
    (path,) = data.rglob("*.parquet")
    assert sorted(expected) == sorted(pq.ParquetFile(path).read(columns=["id"])["id"].to_pylist())
    assert seconds > 2 * REFUSED
