"""The operator: what a DAG's author says, what a task does, and what it tells."""

import ast
import inspect
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import Asset

from airflow_zendesk.compat import add_partition_key
from airflow_zendesk.emulator import ZendeskEmulator
from airflow_zendesk.exceptions import TransportError
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.operators.incremental_export import ZendeskIncrementalExportOperator
from airflow_zendesk.zendesk.retry import RetryBudget
from tests.support.asset_events import Outlet, OutletEvents
from tests.support.scripted_server import page, scripted_server

DAY = {
    "data_interval_start": datetime(2026, 1, 1, tzinfo=UTC),
    "data_interval_end": datetime(2026, 1, 2, tzinfo=UTC),
}


def operator(folder: Path, **options: Any) -> ZendeskIncrementalExportOperator:
    """An export into the folder."""
    return ZendeskIncrementalExportOperator(task_id="export", destination=folder.as_uri(), **options)


def run(task: ZendeskIncrementalExportOperator, context: Any) -> Any:
    """Render the templates and execute, as a worker does."""
    task.render_template_fields(context, jinja2.Environment(autoescape=False))
    return task.execute(context)


def test_data_interval_is_the_window(tmp_path: Path, emulator: ZendeskEmulator) -> None:
    """By default, without a word from the author; the report is returned."""
    report = run(operator(tmp_path), DAY)
    truth = emulator.expected_ids("ticket_events", DAY["data_interval_start"], DAY["data_interval_end"])
    assert ("2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00") == (report["start"], report["end"])
    assert [("published", len(truth))] == [(slice_["outcome"], slice_["rows"]) for slice_ in report["slices"]]


def test_all_that_a_run_may_vary_is_templated(tmp_path: Path, emulator: ZendeskEmulator) -> None:
    """Resource, destination, connection, start and end."""
    task = ZendeskIncrementalExportOperator(
        task_id="export",
        resource="{{ params.resource }}",
        destination="{{ params.destination }}",
        zendesk_conn_id="{{ params.connection }}",
        start="{{ params.start }}",
        end="2026-01-01T06:00:00Z",
        grain="6h",
    )
    params = {
        "resource": "ticket_metric_events",
        "destination": tmp_path.as_uri(),
        "connection": "zendesk_default",
        "start": "2026-01-01T00:00:00Z",
    }
    report = run(task, {"params": params})
    assert ("ticket_metric_events", "2026-01-01T06:00:00+00:00") == (report["resource"], report["end"])
    assert emulator.requests


def test_asset_event_tells_where_the_data_lies(tmp_path: Path, emulator: ZendeskEmulator) -> None:
    """In its extra; also if nothing has changed, because a dead attempt may have published slices."""
    asset = Asset("zendesk_ticket_events")
    first, second = Outlet(), Outlet()
    task = operator(tmp_path, outlets=[asset], grain=timedelta(hours=12))
    report = run(task, DAY | {"outlet_events": OutletEvents(first)})
    run(task, DAY | {"outlet_events": OutletEvents(second)})
    assert report == first.extra
    assert ["2026-01-01T00:00:00--2026-01-02T00:00:00"] == first.partitions == second.partitions
    assert emulator.requests


@pytest.mark.usefixtures("emulator")
def test_event_of_very_many_slices_tells_the_sums(tmp_path: Path) -> None:
    """Beyond a hundred slices."""
    outlet = Outlet()
    task = operator(tmp_path, outlets=[Asset("zendesk_ticket_events")], grain="10m")
    summary = run(task, DAY | {"outlet_events": OutletEvents(outlet)})
    assert summary == outlet.extra
    assert "slices" not in summary
    files = list(tmp_path.rglob("*.parquet"))
    assert ({"published": 144}, sum(path.stat().st_size for path in files)) == (summary["outcomes"], summary["bytes"])
    assert summary["events"] == summary["rows"] > 0
    assert ("2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00") == (summary["start"], summary["end"])
    assert ["2026-01-01T00:00:00--2026-01-02T00:00:00"] == outlet.partitions


@pytest.mark.usefixtures("emulator")
def test_event_of_one_slice_has_its_start_as_key(tmp_path: Path) -> None:
    """In the form that Airflow's mappers read."""
    outlet = Outlet()
    run(operator(tmp_path, outlets=[Asset("zendesk_ticket_events")]), DAY | {"outlet_events": OutletEvents(outlet)})
    assert ["2026-01-01T00:00:00"] == outlet.partitions


def test_airflows_without_partitions_get_the_extra_alone() -> None:
    """Nothing fails on 3.1."""
    add_partition_key(object(), "2026-01-01T00:00:00")


@pytest.mark.parametrize(
    ("context", "options", "reason"),
    [
        ({}, {}, "has no start. .*backfill create"),
        ({"data_interval_start": None, "data_interval_end": None}, {}, "has no start"),
        (DAY | {"data_interval_end": DAY["data_interval_start"]}, {}, "is empty. .*CronDataIntervalTimetable"),
        (DAY, {"start": datetime(2026, 1, 1)}, "no time zone"),  # noqa: DTZ001
        (DAY, {"grain": "7h"}, "does not divide a UTC day"),
        (DAY, {"end": "2026-01-01T01:00:00Z"}, "has no start"),
        (DAY, {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z"}, "largest grain that fits is 1h"),
        (
            DAY | {"logical_date": datetime(2025, 7, 1, tzinfo=UTC)},
            {},
            "logical date is 2025-07-01.* uses the interval before",
        ),
        (DAY, {"resource": "ticket_audits"}, "The resource 'ticket_audits' is unknown"),
        (DAY, {"wait_timeout": "soon"}, "wait_timeout 'soon' is invalid"),
        (DAY, {"settle": "soon"}, "settle 'soon' is invalid"),
        (DAY, {"zendesk_conn_id": "nobody"}, "no connection 'nobody'"),
        (DAY, {"destination": "/data/zendesk"}, "is not a URL"),
        (DAY, {"destination": ""}, "The destination is empty. .* the Airflow Variable zendesk_destination"),
        (
            {"dag_run": SimpleNamespace(run_type="backfill", conf={"start": "2026-01-01", "end": "2026-01-02"})},
            {"start": "2026-01-01", "end": "2026-01-02"},
            "every run of it would export the same days. Leave them empty in a backfill",
        ),
    ],
)
@pytest.mark.usefixtures("emulator")
def test_what_no_retry_mends_fails_at_once(tmp_path: Path, context: Any, options: Any, reason: str) -> None:
    """With the sentence that says what to do."""
    with pytest.raises(AirflowFailException, match=reason):
        run(ZendeskIncrementalExportOperator(task_id="t", **{"destination": tmp_path.as_uri()} | options), context)
    assert [] == list(tmp_path.iterdir())


def test_faults_of_the_moment_are_left_to_airflows_retries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they are, so that a retry policy can tell them apart."""
    with scripted_server(page(end_time=None)) as server:
        connection = server.connection()
    monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", connection)

    class Impatient(ZendeskIncrementalExportOperator):
        hook = ZendeskHook(retry_budget=RetryBudget(page_seconds=0))

    with pytest.raises(TransportError):
        run(Impatient(task_id="export", destination=tmp_path.as_uri()), DAY)


def test_constructor_only_stores() -> None:
    """Templates are rendered after it: what it did to a field would be done to the template's text."""
    source = textwrap.dedent(inspect.getsource(ZendeskIncrementalExportOperator.__init__))
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    call, *assignments = map(ast.unparse, function.body)
    names = [argument.arg for argument in function.args.kwonlyargs]
    assert "super().__init__(**kwargs)" == call
    assert [f"self.{name} = {name}" for name in names] == assignments
