"""Export and load thirty days on a running Airflow, and kill loads while they run."""

import contextlib
import json
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from tests.support.airflow_version import HAS_PARTITIONS, XCOM_ROWS
from tests.support.commands import ROOT
from tests.support.postgres import server
from tests.system.distributed.services import until
from tests.system.distributed.stack import Airflow, airflow

Query = Callable[[str], list[tuple[Any, ...]]]

START = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = {"ticket_events": 30, "ticket_metric_events": 5}
#: The number of slices for each DAG: the shipped DAGs load into DuckDB, copies of them into PostgreSQL.
LOADS = {f"zendesk_load_{resource}": days for resource, days in DAYS.items()}
LOADS |= {f"{dag_id}_pg": days for dag_id, days in LOADS.items()}
#: Exports and loads of objects: the shipped DAGs load into DuckDB, copies of them into PostgreSQL.
OBJECTS = ("zendesk_history", "zendesk_objects")
#: Seconds; enough for a machine with other work.
TIMEOUT = 1200


def test_thirty_days_are_loaded_once_although_loads_are_killed(tmp_path: Path) -> None:
    """DuckDB and PostgreSQL are loaded at the same time, and their tables have the ids of the source."""
    file = tmp_path / "warehouse.duckdb"
    with ZendeskEmulator(Simulator(events_per_day=400)) as emulator, server() as connection:
        settings = {
            "AIRFLOW_CONN_ZENDESK_DEFAULT": json.dumps(emulator.connection()),
            "AIRFLOW_CONN_WAREHOUSE": connection,
            "AIRFLOW_VAR_ZENDESK_DESTINATION": (tmp_path / "data").as_uri(),
            "AIRFLOW_VAR_ZENDESK_WAREHOUSE": f"duckdb://{file}",
            "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "2",
        }
        queries = {
            "duckdb": lambda sql: query_duckdb(file, sql),
            "postgres": lambda sql: query_postgres(connection, sql),
        }
        with airflow(tmp_path, "LocalExecutor", dags(tmp_path / "dags"), settings) as running:
            until("the DAGs", lambda: [(10,)] == running.query("select count(*) from dag where not is_stale"))
            for dag_id in (*LOADS, *(f"export_{resource}" for resource in DAYS)):
                running.command("dags", "unpause", dag_id)
            for resource, days in DAYS.items():
                export(running, resource, START, START + timedelta(days=days))
            until("a load into DuckDB to kill", lambda: kill_process_with_open_file(file), TIMEOUT, pause=0.02)
            until(
                "a load into PostgreSQL to disconnect",
                lambda: disconnect_load(queries["postgres"]),
                TIMEOUT,
                pause=0.02,
            )
            until("the loads", lambda: loaded(running) == LOADS, TIMEOUT)
            until("the end of all runs", lambda: not in_state(running, "queued", "running"), TIMEOUT)
            assert not in_state(running, "failed")
            if HAS_PARTITIONS:
                check_runs(running, queries["postgres"])
            again = running.query("select dag_id from task_instance where task_id = 'load' and try_number > 1")
            assert {True, False} == {dag_id.endswith("_pg") for (dag_id,) in again}, "one load into each was retried"
            export_objects(running)
        for query in queries.values():
            check_tables(query, emulator)
            check_states(query, emulator)


def dags(folder: Path) -> Path:
    """Write the exports, the shipped loads, and copies of them with the other warehouse."""
    folder.mkdir()
    (folder / "exports.py").write_text((ROOT / "tests/system/warehouse/dags/exports.py").read_text())
    for dag_id in [*(dag_id for dag_id in LOADS if not dag_id.endswith("_pg")), *OBJECTS]:
        shipped = (ROOT / f"dags/{dag_id}.py").read_text()
        template = "{{ var.value.get('zendesk_warehouse', '') }}"
        other = shipped.replace(template, "warehouse").replace(dag_id, f"{dag_id}_pg")
        (folder / f"{dag_id}.py").write_text(shipped)
        (folder / f"{dag_id}_pg.py").write_text(other)
    return folder


def export(running: Airflow, resource: str, start: datetime, end: datetime) -> None:
    """Trigger an export."""
    params = {"start": start.isoformat(), "end": end.isoformat()}
    running.command("dags", "trigger", f"export_{resource}", "--conf", json.dumps(params))


def export_objects(running: Airflow) -> None:
    """Export and load thirty days of tickets, and the lists of today, into each warehouse."""
    window = {"start": f"{START:%Y-%m-%d}", "end": f"{START + timedelta(days=DAYS['ticket_events']):%Y-%m-%d}"}
    for suffix in ("", "_pg"):
        for dag_id in OBJECTS:
            running.command("dags", "unpause", dag_id + suffix)
        conf = json.dumps({**window, "resource": "tickets"})
        running.command("dags", "trigger", f"zendesk_history{suffix}", "--conf", conf)
        until(f"the objects{suffix}", partial(has_objects, running, suffix), TIMEOUT)


def has_objects(running: Airflow, suffix: str) -> bool:
    """Return whether both DAGs have a successful run."""
    names = tuple(dag_id + suffix for dag_id in OBJECTS)
    return [(2,)] == running.query(f"select count(*) from dag_run where state = 'success' and dag_id in {names}")


def kill_process_with_open_file(file: Path) -> bool:
    """Kill the process that has the file open; return whether there was one."""
    for opened in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if opened.readlink() == file:
                os.kill(int(opened.parts[2]), signal.SIGKILL)
                return True
    return False


def disconnect_load(query: Query) -> bool:
    """End the connection of a load during its transaction; return whether there was one."""
    return bool(
        query(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where backend_xid is not null and query ilike '%new_rows%' and pid <> pg_backend_pid() limit 1"
        )
    )


def loaded(running: Airflow) -> dict[str, int]:
    """Return how many slices the finished tasks report as loaded, by DAG."""
    sums = dict.fromkeys(LOADS, 0)
    results = f"select dag_id, value from {XCOM_ROWS} where key = 'return_value' and task_id = 'load'"
    for dag_id, value in running.query(results):
        for report in json.loads(value) if isinstance(value, str) else value:
            # If a load was killed right after its commit, the next one reports the slice as unchanged.
            sums[dag_id] += report["loaded"] + report["unchanged"]
    return sums


def in_state(running: Airflow, *states: str) -> list[tuple[Any, ...]]:
    """Return the runs in one of the states."""
    listed = ", ".join(f"'{state}'" for state in states)
    return running.query(f"select dag_id, run_id from dag_run where state in ({listed})")


def check_runs(running: Airflow, query: Query) -> None:
    """Check that each export has one load, and that a day exported again has another, which loads nothing."""
    keys = "select dag_id, partition_key from dag_run where dag_id like 'zendesk_load_%'"
    windows = {"": "2026-03-01T00:00:00--2026-03-31T00:00:00", "metric_": "2026-03-01T00:00:00--2026-03-06T00:00:00"}
    expected = {(dag_id, windows["metric_" if "metric" in dag_id else ""]) for dag_id in LOADS}
    assert sorted(expected) == sorted(running.query(keys))
    ledger = query("select * from zendesk.loaded_slices order by resource, slice_start")
    export(running, "ticket_events", START, START + timedelta(days=1))
    again = ("zendesk_load_ticket_events_pg", "2026-03-01T00:00:00")
    until("a run for the day that was exported again", lambda: again in running.query(keys), TIMEOUT)
    until("its end", lambda: not in_state(running, "queued", "running"), TIMEOUT)
    assert ledger == query("select * from zendesk.loaded_slices order by resource, slice_start")


def query_duckdb(file: Path, sql: str) -> list[tuple[Any, ...]]:
    """Query the file."""
    with duckdb.connect(file, read_only=True) as opened:
        return opened.execute(sql).fetchall()


def query_postgres(connection: str, sql: str) -> list[tuple[Any, ...]]:
    """Query the server."""
    place = json.loads(connection)
    with psycopg.connect(host=place["host"], user=place["login"], dbname=place["schema"]) as opened:
        return opened.execute(sql.encode()).fetchall()


def check_tables(query: Query, emulator: ZendeskEmulator) -> None:
    """Check that every table has each id of the source once, and the ledger every slice."""
    for resource, days in DAYS.items():
        expected = emulator.expected_ids(resource, START, START + timedelta(days=days))
        assert sorted(expected) == [id_ for (id_,) in query(f"select id from zendesk.{resource} order by id")]
        assert [(days, len(expected))] == query(
            f"select count(*), sum(rows) from zendesk.loaded_slices where resource = '{resource}'"
        )
    assert [(0, 0)] == query(
        "select (select count(*) from zendesk.ticket_events_duplicates), (select count(*) from zendesk.unreadable)"
    )
    ((children, events),) = query("select count(*), count(distinct event_id) from zendesk.ticket_child_events")
    assert children > events == len(emulator.expected_ids("ticket_events", START, START + timedelta(days=30)))


def check_states(query: Query, emulator: ZendeskEmulator) -> None:
    """Check that each ticket that was created in the window is there, with the last value of each field in its history.

    Tickets that have changed since the window are left out: their newest version is in a later slice.
    """
    end = START + timedelta(days=DAYS["ticket_events"])
    current = emulator.expected_objects("tickets", datetime.now(UTC), since=START)
    tickets = query(
        "select id, status, priority, type, cast(group_id as varchar), cast(assignee_id as varchar) "
        f"from zendesk.tickets where created_at >= '{START.isoformat()}' and \"timestamp\" < '{end.isoformat()}'"
    )
    assert {id_ for id_, *_ in tickets} <= {id_ for id_, second in current.items() if second < end.timestamp()}
    assert len(tickets) > 1_000
    last = {
        (ticket_id, field): value
        for ticket_id, field, value in query(
            "select ticket_id, field_name, value from zendesk.ticket_field_history order by updated, event_id, ordinal"
        )
    }
    for id_, *values in tickets:
        for field, value in zip(("status", "priority", "type", "group_id", "assignee_id"), values, strict=True):
            assert (last.get((id_, field)) or None) == (value or None), (id_, field)
    exported = {id_ for (id_,) in query("select id from zendesk.tickets")}
    assert {id_ for id_, second in current.items() if second < end.timestamp()} <= exported
    assert [(3,)] == query("select count(*) from zendesk.groups where not deleted")
    assert [("Parcels",)] == query("select name from zendesk_fivetran.\"group\" where name = 'Parcels'")
