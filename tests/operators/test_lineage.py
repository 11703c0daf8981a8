"""The OpenLineage datasets of exports and loads, as a real run of the DAGs sends them."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from airflow_zendesk.operators.lineage import lineage_of_export, lineage_of_load
from tests.support.commands import run

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
SLICE = {"digest": "sum-sha256:aa", "uri": "s3://my-bucket/zendesk/ticket_events/event_date=2026-01-01/key.parquet"}
REPORT = {
    "resource": "ticket_events",
    "account": "acme.zendesk.com",
    "destination": "s3://my-bucket/zendesk/ticket_events",
    "rows": 7,
    "bytes": 70,
    "slices": [SLICE],
}


def test_export_reads_the_api_and_writes_the_folder() -> None:
    """With the columns, the rows of the run, and the digest of the slice as the version."""
    lineage = lineage_of_export(REPORT)
    (source,), (target,) = lineage.inputs, lineage.outputs
    assert ("https://acme.zendesk.com", "/api/v2/incremental/ticket_events") == (source.namespace, source.name)
    assert ("s3://my-bucket", "zendesk/ticket_events") == (target.namespace, target.name)
    facets: Any = target.facets
    assert ("ticket_id", "int64") in [(field.name, field.type) for field in facets["schema"].fields]
    assert "sum-sha256:aa" == facets["version"].datasetVersion


def test_version_of_several_slices_depends_on_all_of_them() -> None:
    """And on nothing else; skipped slices have no digest."""

    def version(*digests: str | None) -> Any:
        slices = [{**SLICE, "digest": digest} for digest in digests]
        facets: Any = lineage_of_export(REPORT | {"slices": slices}).outputs[0].facets
        return facets["version"].datasetVersion if "version" in facets else None

    assert version("sum-sha256:aa", "sum-sha256:bb") == version("sum-sha256:aa", None, "sum-sha256:bb")
    assert version("sum-sha256:aa", "sum-sha256:bb") != version("sum-sha256:aa", "sum-sha256:cc")
    assert version(None) is None


def test_load_reads_the_folder_and_writes_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of PostgreSQL is named by its server, and one of DuckDB by its file."""
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", "postgres://user:invented@db.example.com/analytics")
    for warehouse, table in {
        "warehouse": ("postgres://db.example.com:5432", "analytics.zendesk.ticket_events"),
        "duckdb:///data/warehouse.duckdb": ("duckdb", "/data/warehouse.duckdb.zendesk.ticket_events"),
    }.items():
        lineage = lineage_of_load([REPORT], warehouse, "zendesk")
        (source,), (target,) = lineage.inputs, lineage.outputs
        assert ("s3://my-bucket", "zendesk/ticket_events") == (source.namespace, source.name)
        assert table == (target.namespace, target.name)
        assert "invented" not in repr(lineage)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[ZendeskEmulator]:
    """A small account."""
    with ZendeskEmulator(Simulator(events_per_day=50)) as emulator:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", json.dumps(emulator.connection()))
        yield emulator


def test_run_of_the_dag_sends_its_datasets(tmp_path: Path, account: ZendeskEmulator) -> None:
    """To the transport that Airflow is configured with, here a file."""
    events = tmp_path / "lineage.json"
    environment = os.environ | {
        "AIRFLOW_HOME": str(tmp_path / "home"),
        "AIRFLOW_VAR_ZENDESK_DESTINATION": (tmp_path / "data").as_uri(),
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps({"type": "file", "log_file_path": str(events), "append": True}),
    }
    assert 0 == run("airflow", "db", "migrate", environment=environment).returncode
    done = run("airflow", "dags", "test", "zendesk_ticket_events", f"{TODAY:%Y-%m-%d}", environment=environment)
    assert events.exists(), done.stdout + done.stderr
    sent = [json.loads(line) for line in events.read_text().splitlines()]
    (complete,) = (
        each
        for each in sent
        if each["eventType"] == "COMPLETE" and each["job"]["name"] == "zendesk_ticket_events.export"
    )
    (target,) = complete["outputs"]
    ids = account.expected_ids("ticket_events", TODAY - timedelta(days=1), TODAY)
    assert ("file", f"{tmp_path}/data/ticket_events") == (target["namespace"], target["name"])
    statistics = target["outputFacets"]["outputStatistics"]
    assert (len(ids), 1) == (statistics["rowCount"], statistics["fileCount"])
