"""Load each exported slice into BigQuery: a load job fills a staging table, whose rows replace those of the slice."""

from typing import Any

from airflow.providers.google.cloud.operators.bigquery import BigQueryInsertJobOperator
from airflow.sdk import DAG, Asset, task

from airflow_zendesk.compat import for_each_export
from airflow_zendesk.operators.load_warehouse import triggering_slices
from airflow_zendesk.warehouse import load_statements
from airflow_zendesk.warehouse.asset_events import SliceRef

PROJECT, DATASET = "my-project", "zendesk"


def staging_table(ref: SliceRef) -> str:
    """Return the name of the staging table of a slice."""
    return f"staging_{ref.resource}_{ref.slice.start:%Y%m%dT%H%M%S}"


with DAG(
    dag_id="zendesk_bigquery",
    description="Load Zendesk events into BigQuery, each slice once",
    doc_md="Create the tables once: `airflow-zendesk ddl --dialect bigquery --schema zendesk`.",
    schedule=for_each_export(Asset("zendesk_ticket_events")),
    catchup=False,
    max_active_runs=1,
) as dag:

    @task
    def load_jobs(**context: Any) -> list[dict[str, Any]]:
        """Return a job for each slice of the run, which fills its staging table."""
        return [
            {
                "load": {
                    "sourceUris": [ref.uri],
                    "sourceFormat": "PARQUET",
                    "writeDisposition": "WRITE_TRUNCATE",
                    "destinationTable": {"projectId": PROJECT, "datasetId": DATASET, "tableId": staging_table(ref)},
                }
            }
            for ref in triggering_slices(context)
        ]

    @task
    def merge_jobs(**context: Any) -> list[dict[str, Any]]:
        """Return a job for each slice, which replaces its rows by those of the staging table."""
        jobs = []
        for ref in triggering_slices(context):
            staging = f"{DATASET}.{staging_table(ref)}"
            statements = load_statements.bigquery(ref.resource, ref.slice.start, DATASET, staging)
            query = "\n".join([*statements, f"DROP TABLE {staging};"])
            jobs.append({"query": {"query": query, "useLegacySql": False}})
        return jobs

    load = BigQueryInsertJobOperator.partial(task_id="load", project_id=PROJECT).expand(configuration=load_jobs())
    merge = BigQueryInsertJobOperator.partial(task_id="merge", project_id=PROJECT).expand(configuration=merge_jobs())
    load >> merge
