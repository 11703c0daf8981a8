"""Every exported slice into BigQuery: a load job for the slice, then its rows in place of what was there."""

from typing import Any

from airflow.providers.google.cloud.operators.bigquery import BigQueryInsertJobOperator
from airflow.sdk import DAG, Asset, task

from airflow_zendesk.compat import for_each_partition
from airflow_zendesk.operators.load_warehouse import triggering_slices
from airflow_zendesk.warehouse import load_statements
from airflow_zendesk.warehouse.asset_events import SliceRef

PROJECT, DATASET = "my-project", "zendesk"


def arriving(named: SliceRef) -> str:
    """The table that a slice is loaded into on its way."""
    return f"arriving_{named.resource}_{named.slice.start:%Y%m%dT%H%M%S}"


with DAG(
    dag_id="zendesk_bigquery",
    description="Zendesk events into BigQuery, each slice once",
    doc_md="Tables: `airflow-zendesk ddl --dialect bigquery --schema zendesk`.",
    schedule=for_each_partition(Asset("zendesk_ticket_events")),
    catchup=False,
    max_active_runs=1,
) as dag:

    @task
    def load_jobs(**context: Any) -> list[dict[str, Any]]:
        """For each slice of the run, a job that fills a table with it."""
        return [
            {
                "load": {
                    "sourceUris": [named.uri],
                    "sourceFormat": "PARQUET",
                    "writeDisposition": "WRITE_TRUNCATE",
                    "destinationTable": {"projectId": PROJECT, "datasetId": DATASET, "tableId": arriving(named)},
                }
            }
            for named in triggering_slices(context)
        ]

    @task
    def merge_jobs(**context: Any) -> list[dict[str, Any]]:
        """For each slice, what puts it in its place."""
        jobs = []
        for named in triggering_slices(context):
            staging = f"{DATASET}.{arriving(named)}"
            statements = load_statements.bigquery(named.resource, named.slice.start, DATASET, staging)
            query = "\n".join([*statements, f"DROP TABLE {staging};"])
            jobs.append({"query": {"query": query, "useLegacySql": False}})
        return jobs

    load = BigQueryInsertJobOperator.partial(task_id="load", project_id=PROJECT).expand(configuration=load_jobs())
    merge = BigQueryInsertJobOperator.partial(task_id="merge", project_id=PROJECT).expand(configuration=merge_jobs())
    load >> merge
