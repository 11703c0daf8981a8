"""What a running export tells: lines in the log now and then, and metrics on a real StatsD socket."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from airflow_zendesk.export.progress import Progress
from airflow_zendesk.export.telemetry import Telemetry
from tests.support.clocks import FakeClock
from tests.support.commands import run
from tests.support.statsd import INITIALIZE, statsd

#: Runs exports as tasks do, with the settings of the environment.
TASKS = """
import sys
from datetime import datetime, UTC
from types import SimpleNamespace
from airflow.sdk import DAG
from airflow_zendesk.operators.incremental_export import ZendeskIncrementalExportOperator

for run_type, day in (("manual", 1), ("scheduled", 2)):
    with DAG("desk", schedule=None):
        task = ZendeskIncrementalExportOperator(task_id="export", destination=sys.argv[1], grain="12h")
    task.execute({
        "dag_run": SimpleNamespace(run_type=run_type),
        "data_interval_start": datetime(2026, 1, day, tzinfo=UTC),
        "data_interval_end": datetime(2026, 1, day + 1, tzinfo=UTC),
    })
"""


def progress(fraction: float, **counts: Any) -> Progress:
    """An export on its way."""
    zeros = {"pages": 0, "events": 0, "late": 0, "requests": 0, "seconds_limited": 0.0}
    return Progress(
        complete_until=datetime(2026, 1, 1, tzinfo=UTC),
        fraction=fraction,
        elapsed=timedelta(minutes=10),
        **{**zeros, **counts},
    )


def test_metrics_arrive_at_statsd(tmp_path: Path) -> None:
    """Counters add up to what was exported; only a run of the schedule has a lag."""
    with statsd() as server, ZendeskEmulator(Simulator(events_per_day=2_500)) as emulator:
        connection = {"AIRFLOW_CONN_ZENDESK_DEFAULT": json.dumps(emulator.connection())}
        environment = os.environ | connection | server.settings
        done = run("python", "-c", INITIALIZE + TASKS, tmp_path.as_uri(), environment=environment)
        assert 0 == done.returncode, done.stderr
        counters, gauges = server.received()
        events = len(
            emulator.expected_ids("ticket_events", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC))
        )
        requests = len(emulator.requests)
    assert {
        "zendesk.export.events": events,
        "zendesk.export.pages": requests,
        "zendesk.export.requests": requests,
    } == counters
    lags = gauges["zendesk.export.lag"]
    seconds = (datetime.now(UTC) - datetime(2026, 1, 3, tzinfo=UTC)).total_seconds()
    assert 0 <= seconds - lags[-1] < 600
    assert lags[0] < seconds + 86_400, "the manual run, a day older, reported no lag"


def test_log_has_a_line_now_and_then_and_one_at_the_end() -> None:
    """A page takes six seconds at Zendesk's limit, and a long sweep has thousands."""
    lines: list[str] = []
    time = FakeClock()
    telemetry = Telemetry(lines.append, {}, is_scheduled=False, clock=time.clock)
    for page in range(20):
        telemetry(progress((page + 1) / 20, pages=page + 1, events=1_000 * (page + 1)))
        time.sleep(6)
    assert 5 == len(lines)
    assert "Complete until 2026-01-01T00:00:00Z (5%): 1,000 events, 1 page, 2 events/s, about 3:10:00 left" == lines[0]
    assert "(100%): 20,000 events, 20 pages" in lines[-1]
