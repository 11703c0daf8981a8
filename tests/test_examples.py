"""The example DAGs of docs/examples: they parse, and their SQL is valid in the dialect of the warehouse."""

import runpy
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import boto3
import pytest
import sqlglot
from moto import mock_aws
from sqlglot import exp

from tests.support.asset_events import triggering
from tests.support.commands import ROOT

EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.py"))
#: Providers that are not in the lock. The tests check that only their import fails.
NOT_INSTALLED = {"zendesk_databricks": "airflow.providers.databricks"}
INSTALLED = [path for path in EXAMPLES if path.stem not in NOT_INSTALLED]


def context(destination: str = "s3://my-bucket/zendesk") -> dict[str, Any]:
    """Return the context of a run for one of two published slices."""
    extra = {
        "resource": "ticket_events",
        "destination": f"{destination}/ticket_events",
        "slices": [{"start": "2026-01-31T00:00:00+00:00", "end": "2026-02-01T00:00:00+00:00"}],
    }
    return {"triggering_asset_events": triggering(extra)}


def task_result(name: str, task: str, **changes: Any) -> list[Any]:
    """Return the result of a task of an example."""
    dag = runpy.run_path(str(ROOT / "docs" / "examples" / f"{name}.py"))["dag"]
    result: list[Any] = dag.get_task(task).python_callable(**context(**changes))
    return result


def check_statements(dialect: str, texts: list[str]) -> None:
    """Check that a parser of the dialect understands each statement."""
    parsed = [sqlglot.parse_one(text, read=dialect) for text in texts]
    assert texts
    assert not [text for text, each in zip(texts, parsed, strict=True) if isinstance(each, exp.Command)]


@pytest.mark.parametrize("path", INSTALLED, ids=lambda path: path.stem)
def test_example_is_a_dag(path: Path) -> None:
    """It is named like its file, documented, and triggered by the asset of the export."""
    dag = runpy.run_path(str(path))["dag"]
    dag.validate()
    assert path.stem == dag.dag_id
    assert "airflow-zendesk ddl --dialect" in dag.doc_md
    condition = dag.timetable.asset_condition
    assert ["zendesk_ticket_events"] == [asset.name for asset in getattr(condition, "objects", [condition])]


@pytest.mark.parametrize("name", NOT_INSTALLED)
def test_example_lacks_only_the_provider_that_is_not_installed(name: str) -> None:
    """All its other imports succeed."""
    with pytest.raises(ModuleNotFoundError) as caught:
        runpy.run_path(str(ROOT / "docs" / "examples" / f"{name}.py"))
    assert NOT_INSTALLED[name] == caught.value.name
    assert find_spec(NOT_INSTALLED[name]) is None


def test_bigquery_loads_a_slice_by_a_staging_table() -> None:
    """A load job fills the staging table, and one transaction replaces the rows of the slice."""
    assert [
        {
            "load": {
                "sourceUris": [
                    "gs://my-bucket/zendesk/ticket_events/event_date=2026-01-31/20260131T000000Z--20260201T000000Z.parquet"
                ],
                "sourceFormat": "PARQUET",
                "writeDisposition": "WRITE_TRUNCATE",
                "destinationTable": {
                    "projectId": "my-project",
                    "datasetId": "zendesk",
                    "tableId": "staging_ticket_events_20260131T000000",
                },
            }
        }
    ] == task_result("zendesk_bigquery", "load_jobs", destination="gs://my-bucket/zendesk")
    (job,) = task_result("zendesk_bigquery", "merge_jobs")
    check_statements("bigquery", job["query"]["query"].split(";\n"))
    assert job["query"]["query"].endswith("DROP TABLE zendesk.staging_ticket_events_20260131T000000;")


def test_snowflake_copies_the_file_of_the_slice() -> None:
    """The file is named by its path in the stage."""
    (load,) = task_result("zendesk_snowflake", "statements")
    assert "FILES = ('ticket_events/event_date=2026-01-31/20260131T000000Z--20260201T000000Z.parquet')" in load[3]
    check_statements("snowflake", load)


def test_redshift_writes_a_manifest(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the size of the slice, and is stored outside of the dataset."""
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", '{"conn_type": "aws", "extra": {"region_name": "us-east-1"}}')
    slice_key = "zendesk/ticket_events/event_date=2026-01-31/20260131T000000Z--20260201T000000Z.parquet"
    manifest_key = "zendesk-manifests/ticket_events/20260131T000000Z.json"
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="my-bucket")
        s3.put_object(Bucket="my-bucket", Key=slice_key, Body=b"1234567")
        (load,) = task_result("zendesk_redshift", "statements")
        manifest = s3.get_object(Bucket="my-bucket", Key=manifest_key)["Body"].read().decode()
    assert manifest == (
        f'{{"entries": [{{"url": "s3://my-bucket/{slice_key}", "mandatory": true, "meta": {{"content_length": 7}}}}]}}'
    )
    assert f"COPY staging FROM 's3://my-bucket/{manifest_key}'" in load[1]
    check_statements("redshift", load)


def test_athena_counts_the_rows_of_a_slice() -> None:
    """The query reads only the partition and the file of the slice."""
    counts = task_result("zendesk_athena", "counts")
    check_statements("athena", counts)
    path = "s3://my-bucket/zendesk/ticket_events/event_date=2026-01-31/20260131T000000Z--20260201T000000Z.parquet"
    where = f"event_date = '2026-01-31' AND \"$path\" = '{path}'"
    assert [f"SELECT count(*) FROM ticket_events_slices WHERE {where}"] == counts
