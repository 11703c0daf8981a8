"""Verification as a task: it fails if there is a finding."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_zendesk.operators.incremental_export import ZendeskIncrementalExportOperator
from airflow_zendesk.operators.verify_dataset import ZendeskVerifyDatasetOperator
from tests.support.scripted_server import page, scripted_server

START = 1_767_225_600
DAY = {
    "data_interval_start": datetime(2026, 1, 1, tzinfo=UTC),
    "data_interval_end": datetime(2026, 1, 2, tzinfo=UTC),
}


def run(task: ZendeskVerifyDatasetOperator | ZendeskIncrementalExportOperator, context: Any = DAY) -> Any:
    """Render the templates and execute, as a worker does."""
    task.render_template_fields(context, jinja2.Environment(autoescape=False))
    return task.execute(context)


def verify(folder: Path, **options: Any) -> ZendeskVerifyDatasetOperator:
    """A task that verifies the folder."""
    return ZendeskVerifyDatasetOperator(task_id="verify", destination=folder.as_uri(), **options)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A day in four slices, exported; the server keeps running."""
    events = [(number, START + 21_600 * number) for number in range(4)]
    with scripted_server(page(*events, end_time=None)) as server:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())
        run(ZendeskIncrementalExportOperator(task_id="export", destination=tmp_path.as_uri(), grain="6h"))
        yield tmp_path


def test_complete_interval_returns_totals(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The data interval is the window. Zendesk is used only with source."""
    summaries = [run(verify(folder, source=source)) for source in (1, "all")]
    monkeypatch.delenv("AIRFLOW_CONN_ZENDESK_DEFAULT")
    summaries.append(run(verify(folder)))
    assert [(True, 4, 4, 1), (True, 4, 4, 4), (True, 4, 4, 0)] == [
        tuple(summary[name] for name in ("complete", "slices", "rows", "compared")) for summary in summaries
    ]


def test_gap_fails_the_task_with_a_short_message(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The log has the findings and the repair."""
    path = folder / "ticket_events" / "event_date=2026-01-01" / "20260101T060000Z--20260101T120000Z.parquet"
    path.unlink()
    (folder / "ticket_events" / "notes.txt").write_text("not a slice")
    with pytest.raises(
        AirflowFailException, match=r"is not complete in .*: 1 unexpected, 1 missing; the first is unexpected: "
    ):
        run(verify(folder))
    logged = capsys.readouterr().out
    window = "--start 2026-01-01T06:00:00Z --end 2026-01-01T12:00:00Z"
    for line in (
        f"missing: {folder.as_uri()}/{path.relative_to(folder)}: the object does not exist",
        f"To repair it, move this object out of the dataset's folder: {folder.as_uri()}/ticket_events/notes.txt",
        f"To repair it, run: airflow-zendesk export --resource ticket_events {window} --destination {folder.as_uri()}",
    ):
        assert line in logged


@pytest.mark.parametrize(
    ("context", "options", "reason"),
    [
        ({}, {}, "has no start"),
        (DAY, {"resource": "ticket_metric_events"}, "There is no dataset at "),
        (DAY, {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z"}, "is not made of whole slices of 6h"),
        (DAY, {"zendesk_conn_id": "nobody", "source": 1}, "no connection 'nobody'"),
        (DAY, {"source": 0}, "source is 0. Use a number of slices"),
    ],
)
def test_permanent_error_fails_without_retries(folder: Path, context: Any, options: Any, reason: str) -> None:
    """The message says what to do."""
    with pytest.raises(AirflowFailException, match=reason):
        run(verify(folder, **options), context)


def test_constructor_only_stores() -> None:
    """Templates are rendered after the constructor, so it must not use the values of fields."""
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(ZendeskVerifyDatasetOperator.__init__))).body
    assert isinstance(function, ast.FunctionDef)
    call, *assignments = map(ast.unparse, function.body)
    names = [argument.arg for argument in function.args.kwonlyargs]
    assert "super().__init__(**kwargs)" == call
    assert [f"self.{name} = {name}" for name in names] == assignments
