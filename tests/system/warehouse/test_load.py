"""From a Zendesk to the warehouse on a running Airflow: thirty days, with loaders killed in the middle."""

import contextlib
import json
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from airflow.sdk import Asset

from airflow_zendesk import compat
from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from tests.support.commands import ROOT
from tests.support.postgres import server
from tests.system.distributed.services import until
from tests.system.distributed.stack import Airflow, airflow

Ask = Callable[[str], list[tuple[Any, ...]]]

START = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = {"ticket_events": 30, "ticket_metric_events": 5}
#: The shipped DAGs, which load into the file, and the same for the server; with the slices that are due.
LOADS = {"zendesk_load_warehouse": DAYS["ticket_events"], "zendesk_load_metric_events": DAYS["ticket_metric_events"]}
LOADS |= {f"{dag_id}_pg": days for dag_id, days in LOADS.items()}
#: Seconds; enough for a machine that has much else to do.
PATIENCE = 1200
HAS_PARTITIONS = not isinstance(compat.for_each_partition(Asset("any")), list)


def test_thirty_days_are_loaded_once_whatever_dies(tmp_path: Path) -> None:
    """Into DuckDB and PostgreSQL at the same time, by the shipped DAG: what is in the tables is what the source has."""
    file = tmp_path / "warehouse.duckdb"
    with ZendeskEmulator(Simulator(events_per_day=400)) as emulator, server() as connection:
        settings = {
            "AIRFLOW_CONN_ZENDESK_DEFAULT": json.dumps(emulator.connection()),
            "AIRFLOW_CONN_WAREHOUSE": connection,
            "AIRFLOW_VAR_ZENDESK_DESTINATION": (tmp_path / "data").as_uri(),
            "AIRFLOW_VAR_ZENDESK_WAREHOUSE": f"duckdb://{file}",
            "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "2",
        }
        asking = {"duckdb": lambda sql: ask_duckdb(file, sql), "postgres": lambda sql: ask_postgres(connection, sql)}
        with airflow(tmp_path, "LocalExecutor", dags(tmp_path / "dags"), settings) as running:
            until("the DAGs", lambda: [(6,)] == running.query("select count(*) from dag where not is_stale"))
            for dag_id in (*LOADS, *(f"export_{resource}" for resource in DAYS)):
                running.command("dags", "unpause", dag_id)
            for resource, days in DAYS.items():
                export(running, resource, START, START + timedelta(days=days))
            until("a load into DuckDB to kill", lambda: kill_who_has_open(file), PATIENCE, pause=0.02)
            until("a load into PostgreSQL to break off", lambda: break_off(asking["postgres"]), PATIENCE, pause=0.02)
            until("the loads", lambda: loaded(running) == LOADS, PATIENCE)
            until("the end of all runs", lambda: not in_state(running, "queued", "running"), PATIENCE)
            assert not in_state(running, "failed")
            if HAS_PARTITIONS:
                check_partitions(running, asking["postgres"])
            again = running.query("select dag_id from task_instance where task_id = 'load' and try_number > 1")
            assert {True, False} == {dag_id.endswith("_pg") for (dag_id,) in again}, (
                "one load into each was tried again"
            )
        for ask in asking.values():
            compare(ask, emulator)


def dags(folder: Path) -> Path:
    """The exports, the shipped loads, and the same with another warehouse."""
    folder.mkdir()
    (folder / "exports.py").write_text((ROOT / "tests/system/warehouse/dags/exports.py").read_text())
    for dag_id in ("zendesk_load_warehouse", "zendesk_load_metric_events"):
        shipped = (ROOT / f"dags/{dag_id}.py").read_text()
        other = shipped.replace("{{ var.value.zendesk_warehouse }}", "warehouse").replace(dag_id, f"{dag_id}_pg")
        (folder / f"{dag_id}.py").write_text(shipped)
        (folder / f"{dag_id}_pg.py").write_text(other)
    return folder


def export(running: Airflow, resource: str, start: datetime, end: datetime) -> None:
    """Start an export."""
    params = {"start": start.isoformat(), "end": end.isoformat()}
    running.command("dags", "trigger", f"export_{resource}", "--conf", json.dumps(params))


def kill_who_has_open(file: Path) -> bool:
    """Kill the process that has the file open, if there is one."""
    for opened in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if opened.readlink() == file:
                os.kill(int(opened.parts[2]), signal.SIGKILL)
                return True
    return False


def break_off(ask: Ask) -> bool:
    """End the connection of a load in the middle of its transaction, if there is one."""
    return bool(
        ask(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where backend_xid is not null and query ilike '%new_rows%' and pid <> pg_backend_pid() limit 1"
        )
    )


def loaded(running: Airflow) -> dict[str, int]:
    """How many slices the finished tasks say that are in the tables, by DAG."""
    sums = dict.fromkeys(LOADS, 0)
    told = "select dag_id, value from xcom where key = 'return_value' and task_id = 'load'"
    for dag_id, value in running.query(told):
        for report in json.loads(value) if isinstance(value, str) else value:
            # A load that was killed right after its commit told nobody, and the next one found nothing to do.
            sums[dag_id] += report["loaded"] + report["unchanged"]
    return sums


def in_state(running: Airflow, *states: str) -> list[tuple[Any, ...]]:
    """The runs that are."""
    listed = ", ".join(f"'{state}'" for state in states)
    return running.query(f"select dag_id, run_id from dag_run where state in ({listed})")


def check_partitions(running: Airflow, ask: Ask) -> None:
    """One run for each partition; another for one that is exported again, which loads nothing."""
    keys = (
        "select dag_id, count(*), count(distinct partition_key) from dag_run "
        "where dag_id like 'zendesk_load_%' group by 1"
    )
    assert {(dag_id, days, days) for dag_id, days in LOADS.items()} == set(running.query(keys))
    ledger = ask("select * from zendesk.loaded_slices order by resource, slice_start")
    export(running, "ticket_events", START, START + timedelta(days=1))
    again = ("zendesk_load_warehouse_pg", 31, 30)
    until("a run for the partition that came again", lambda: again in running.query(keys), PATIENCE)
    until("its end", lambda: not in_state(running, "queued", "running"), PATIENCE)
    assert ledger == ask("select * from zendesk.loaded_slices order by resource, slice_start")


def ask_duckdb(file: Path, sql: str) -> list[tuple[Any, ...]]:
    """Ask the file."""
    with duckdb.connect(file, read_only=True) as opened:
        return opened.execute(sql).fetchall()


def ask_postgres(connection: str, sql: str) -> list[tuple[Any, ...]]:
    """Ask the server."""
    place = json.loads(connection)
    with psycopg.connect(host=place["host"], user=place["login"], dbname=place["schema"]) as opened:
        return opened.execute(sql.encode()).fetchall()


def compare(ask: Ask, emulator: ZendeskEmulator) -> None:
    """Every table has the ids of the source, each once, and the ledger every slice."""
    for resource, days in DAYS.items():
        truth = emulator.expected_ids(resource, START, START + timedelta(days=days))
        assert sorted(truth) == [id_ for (id_,) in ask(f"select id from zendesk.{resource} order by id")]
        assert [(days, len(truth))] == ask(
            f"select count(*), sum(rows) from zendesk.loaded_slices where resource = '{resource}'"
        )
    assert [(0, 0)] == ask(
        "select (select count(*) from zendesk.ticket_events_doubles), (select count(*) from zendesk.unreadable)"
    )
    ((children, events),) = ask("select count(*), count(distinct event_id) from zendesk.ticket_child_events")
    assert children > events == len(emulator.expected_ids("ticket_events", START, START + timedelta(days=30)))
