"""The load operator: slices from asset events, and from a window."""

import ast
import inspect
import os
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_zendesk.destination import open_destination
from airflow_zendesk.emulator import ZendeskEmulator
from airflow_zendesk.exceptions import SliceChangedError, WarehouseUnavailableError
from airflow_zendesk.operators.incremental_export import ZendeskIncrementalExportOperator
from airflow_zendesk.operators.load_warehouse import ZendeskLoadWarehouseOperator
from tests.support.asset_events import triggering
from tests.support.commands import run as run_command
from tests.support.published import NEXT_DAY, put
from tests.support.slices import event
from tests.support.statsd import INITIALIZE, statsd

START, END = "2026-01-01T00:00:00Z", "2026-01-01T06:00:00Z"


@pytest.fixture
def exported(tmp_path: Path, emulator: ZendeskEmulator) -> Iterator[dict[str, Any]]:
    """Export six hourly slices; return the extra of the asset event."""
    task = ZendeskIncrementalExportOperator(
        task_id="export", destination=(tmp_path / "data").as_uri(), start=START, end=END, grain="1h"
    )
    yield task.execute({})
    assert emulator.requests


def operator(folder: Path, **options: Any) -> ZendeskLoadWarehouseOperator:
    """Return a load into a DuckDB file."""
    places = {"warehouse": f"duckdb://{folder}/w.duckdb", "destination": (folder / "data").as_uri()}
    return ZendeskLoadWarehouseOperator(task_id="load", **places | options)


def run(task: ZendeskLoadWarehouseOperator, *extras: dict[str, Any], **context: Any) -> Any:
    """Render the templates and execute, like a worker in a run that these events triggered."""
    whole: Any = {"triggering_asset_events": triggering(*extras)} | context
    task.render_template_fields(whole, jinja2.Environment(autoescape=False))
    return task.execute(whole)


def ids(folder: Path, schema: str = "zendesk") -> list[int]:
    """Return the ids in the table."""
    with duckdb.connect(folder / "w.duckdb") as connection:
        return [id_ for (id_,) in connection.execute(f"SELECT id FROM {schema}.ticket_events ORDER BY id").fetchall()]


def expected_ids(emulator: ZendeskEmulator, first: int, last: int) -> list[int]:
    """Return the ids of some hours of the day."""
    hours = (datetime(2026, 1, 1, hour, tzinfo=UTC) for hour in (first, last))
    return sorted(emulator.expected_ids("ticket_events", *hours))


def test_slices_of_the_events_are_loaded(tmp_path: Path, emulator: ZendeskEmulator, exported: dict[str, Any]) -> None:
    """Each slice is loaded once, even if Airflow has merged events. The report is returned."""
    (report,) = run(operator(tmp_path), exported, exported)
    assert ("ticket_events", 6, 0) == (report["resource"], report["loaded"], report["unchanged"])
    assert expected_ids(emulator, 0, 6) == ids(tmp_path)
    (again,) = run(operator(tmp_path), exported)
    assert (0, 6) == (again["loaded"], again["unchanged"])


def test_event_of_many_slices_loads_its_window(
    tmp_path: Path, emulator: ZendeskEmulator, exported: dict[str, Any]
) -> None:
    """An export of many slices reports only its window."""
    del exported["slices"]
    (report,) = run(operator(tmp_path), exported)
    assert 6 == report["loaded"]
    assert expected_ids(emulator, 0, 6) == ids(tmp_path)


@pytest.mark.usefixtures("exported")
def test_window_is_loaded_by_hand(tmp_path: Path, emulator: ZendeskEmulator) -> None:
    """It does not matter what triggered the run. All arguments are templated."""
    task = operator(
        tmp_path,
        warehouse="duckdb://{{ params.folder }}/w.duckdb",
        schema="{{ params.schema }}",
        start="{{ params.start }}",
        end="2026-01-01T04:00:00Z",
    )
    params = {"folder": str(tmp_path), "schema": "mine", "start": "2026-01-01T02:00:00Z"}
    (report,) = run(task, params=params)
    assert 2 == report["loaded"]
    assert expected_ids(emulator, 2, 4) == ids(tmp_path, "mine")


@pytest.mark.parametrize(
    ("options", "extra", "reason"),
    [
        ({}, None, "No asset event triggered this run"),
        ({}, {}, "lists no slices, so no export"),
        ({"destination": "/data"}, None, "is not a URL"),
        ({"warehouse": "mysql://x"}, "exported", "is not valid"),
        ({"schema": "a b"}, "exported", "is not a plain name"),
        ({"start": START}, None, "The window has no end"),
        ({"start": START, "end": "2026-01-01T00:30:00Z"}, None, "not made of whole slices of 1h"),
        (
            {"start": START, "end": "2026-01-01T09:00:00Z"},
            None,
            r"20260101T060000Z--20260101T070000Z.parquet \(and 2 more",
        ),
        ({"start": START, "end": END, "resource": "ticket_metric_events"}, None, "There is no dataset"),
        ({"destination": "file:///elsewhere"}, "exported", "Set destination to the destination of the export"),
    ],
)
def test_permanent_error_fails_without_retries(
    tmp_path: Path, exported: dict[str, Any], options: Any, extra: Any, reason: str
) -> None:
    """The error says what to do."""
    extras = [] if extra is None else [exported if extra == "exported" else extra]
    with pytest.raises(AirflowFailException, match=reason):
        run(operator(tmp_path, **options), *extras)


def test_transient_error_is_retried_by_airflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exported: dict[str, Any]
) -> None:
    """For example a server that is down."""
    monkeypatch.setenv("AIRFLOW_CONN_DOWN", f'{{"conn_type": "postgres", "host": "{tmp_path}", "login": "a"}}')
    with pytest.raises(WarehouseUnavailableError):
        run(operator(tmp_path, warehouse="down"), exported)
    assert SliceChangedError.retryable


def test_slices_and_warnings_are_logged(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Each slice is logged with its row count."""
    store = open_destination((tmp_path / "data").as_uri())
    put(store, [event(1)])
    put(store, [event(1), event(2)], NEXT_DAY)
    run(operator(tmp_path, start=START, end="2026-01-03T00:00:00Z"))
    printed = capfd.readouterr().out
    assert 2 == printed.count("loaded file://")
    assert "1 ids of ticket_events also occur in another slice" in printed


def test_constructor_only_stores() -> None:
    """Templates are rendered after the constructor."""
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(ZendeskLoadWarehouseOperator.__init__))).body
    assert isinstance(function, ast.FunctionDef)
    call, *assignments = map(ast.unparse, function.body)
    names = [argument.arg for argument in function.args.kwonlyargs]
    assert "super().__init__(**kwargs)" == call
    assert [f"self.{name} = {name}" for name in names] == assignments


@pytest.mark.usefixtures("exported")
def test_loads_are_counted(tmp_path: Path) -> None:
    """A run that finds nothing to load is counted as one."""
    program = f"""
from airflow.sdk import DAG
from airflow_zendesk.operators.load_warehouse import ZendeskLoadWarehouseOperator

with DAG("warehouse", schedule=None):
    load = ZendeskLoadWarehouseOperator(
        task_id="load", warehouse="duckdb://{tmp_path}/w.duckdb", destination="{(tmp_path / "data").as_uri()}",
        start="{START}", end="{END}",
    )
for _ in range(3):
    load.execute({{}})
"""
    with statsd() as server:
        done = run_command("python", "-c", INITIALIZE + program, environment=os.environ | server.settings)
        assert 0 == done.returncode, done.stderr
        counters, _ = server.received()
    assert {
        "zendesk.load.slices_loaded": 6,
        "zendesk.load.slices_unchanged": 12,
        "zendesk.load.runs_unchanged": 2,
    } == counters
