"""Thirty days backfilled by a distributed Airflow, with a worker killed in the middle: every slice, once."""

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest

from airflow_zendesk.dataset.slice_file import read_footer
from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from airflow_zendesk.export.run import export_window
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.window import Window
from airflow_zendesk.zendesk.resources import Query
from tests.system.distributed.services import until
from tests.system.distributed.stack import Airflow, airflow

START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC)
DAYS = (END - START).days
DAGS = Path(__file__).parent / "dags"

_TRIES = "select try_number, pid from task_instance where dag_id = 'zendesk_ticket_events'"


def kill_a_busy_process(running: Airflow) -> None:
    """Kill a worker and its tasks; without workers, where tasks are children of the scheduler, kill a task."""
    until("a third of the days", lambda: succeeded(running) >= DAYS // 3, 300)
    end = kill_a_worker if running.workers else kill_a_task
    until("a task that has just begun", lambda: any(end(running, pid) for pid in just_begun(running)), pause=0.05)


def just_begun(running: Airflow) -> list[int]:
    """The process ids of tasks that will run for some seconds more."""
    return [row[1] for row in running.query(f"{_TRIES} and state = 'running' and start_date > now() - interval '1 s'")]


def kill_a_worker(running: Airflow, pid: int) -> bool:
    """Kill the worker that runs the task, with all its child processes."""
    for worker in running.workers:
        with contextlib.suppress(psutil.NoSuchProcess):
            processes = [psutil.Process(worker.pid), *psutil.Process(worker.pid).children(recursive=True)]
            if pid in [process.pid for process in processes]:
                return kill(processes)
    return False


def kill_a_task(_: Airflow, pid: int) -> bool:
    """Kill the process of a task with all its child processes."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return kill([psutil.Process(pid), *psutil.Process(pid).children(recursive=True)])
    return False


def kill(processes: list[psutil.Process]) -> bool:
    """Kill all processes that still run; return whether there was any."""
    killed = 0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
            killed += 1
    return killed > 0


def exported(folder: Path) -> list[Path]:
    """The slices of the backfill. The DAG also exports yesterday, as soon as it is unpaused."""
    return sorted((folder / "ticket_events").glob("event_date=2026-03-*/*.parquet"))


def digests(paths: list[Path]) -> dict[str, str]:
    """The digest of each slice, by its name."""
    return {path.name: read_footer(pq.ParquetFile(path), path.name).digest for path in paths}


def digests_of_one_sweep(folder: Path, simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The digests of the same days, exported in one sweep of the same account without a rate limit."""
    with ZendeskEmulator(simulator) as emulator:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", json.dumps(emulator.connection()))
        export_window(ZendeskHook(), folder.as_uri(), Query.of("ticket_events"), Window(START, END))
    return digests(exported(folder))


def succeeded(running: Airflow) -> int:
    """How many runs of the backfill have succeeded."""
    ((count,),) = running.query("select count(*) from dag_run where run_type = 'backfill' and state = 'success'")
    return int(count)


@pytest.mark.parametrize("executor", ["CeleryExecutor", "LocalExecutor"])
def test_backfill_with_a_worker_killed_exports_every_slice_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executor: str
) -> None:
    """Two workers, a rate limit and four runs at a time; the rows are those of a single sweep."""
    data = tmp_path / "data"
    # Three pages a day, and a rate limit period short enough for a test and long enough to make the workers wait.
    simulator = Simulator(events_per_day=2_200)
    with ZendeskEmulator(simulator, requests_per_minute=10, minute_seconds=10) as emulator:
        settings = {
            "AIRFLOW_CONN_ZENDESK_DEFAULT": json.dumps(emulator.connection()),
            "AIRFLOW_VAR_ZENDESK_DESTINATION": data.as_uri(),
        }
        with airflow(tmp_path, executor, DAGS, settings) as running:
            dag = ["--dag-id", "zendesk_ticket_events"]
            dates = ["--from-date", f"{START:%Y-%m-%d}", "--to-date", "2026-03-30"]
            running.command("dags", "unpause", "zendesk_ticket_events")
            running.command("backfill", "create", *dag, *dates, "--max-active-runs", "4")
            kill_a_busy_process(running)
            until("the backfill", lambda: succeeded(running) == DAYS, 400)
            tries = [row[0] for row in running.query(_TRIES)]
        expected = emulator.expected_ids("ticket_events", START, END)
        statuses = [request.status for request in emulator.requests]
    paths = exported(data)
    ids = [id_ for path in paths for id_ in pq.ParquetFile(path).read(columns=["id"])["id"].to_pylist()]
    print(
        f"\n{executor}: {len(paths)} slices, {len(ids):,} events of {len(expected):,}, {len(statuses)} requests, "
        f"{statuses.count(429)} refused, {sum(tries) - len(tries)} tries after a kill"
    )
    assert DAYS == len(paths)
    assert sorted(expected) == sorted(ids)
    assert digests(paths) == digests_of_one_sweep(tmp_path / "sweep", simulator, monkeypatch)
    assert not list(data.rglob("*.tmp"))
    assert max(tries) > 1
