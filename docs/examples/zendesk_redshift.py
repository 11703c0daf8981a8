"""Load each exported slice into Redshift: a manifest names its file, and one transaction replaces its rows."""

from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.operators.redshift_data import RedshiftDataOperator
from airflow.sdk import DAG, Asset, task

from airflow_zendesk.compat import for_each_export
from airflow_zendesk.operators.load_warehouse import triggering_slices
from airflow_zendesk.warehouse import load_statements

#: The folder of the manifests. It must not be in the destination of the exports, which contains only Parquet files.
MANIFESTS = "s3://my-bucket/zendesk-manifests"

with DAG(
    dag_id="zendesk_redshift",
    description="Load Zendesk events into Redshift, each slice once",
    doc_md="Create the tables once: `airflow-zendesk ddl --dialect redshift`.",
    schedule=for_each_export(Asset("zendesk_ticket_events")),
    catchup=False,
    max_active_runs=1,
) as dag:

    @task
    def statements(**context: Any) -> list[list[str]]:
        """Write the manifest of each slice of the run; return the statements that load each."""
        s3 = S3Hook("aws_default")
        loads = []
        for ref in triggering_slices(context):
            bucket, key = s3.parse_s3_url(ref.uri)
            size = s3.get_key(key, bucket).content_length
            manifest = f"{MANIFESTS}/{ref.resource}/{ref.slice.start:%Y%m%dT%H%M%SZ}.json"
            bucket, key = s3.parse_s3_url(manifest)
            s3.load_string(load_statements.redshift_manifest(ref.uri, size), key, bucket, replace=True)
            loads.append(load_statements.redshift(ref.resource, ref.slice.start, "zendesk", manifest))
        return loads

    # A list of statements is one batch of the Data API, which is one transaction.
    RedshiftDataOperator.partial(
        task_id="load", database="dev", workgroup_name="default", aws_conn_id="aws_default", wait_for_completion=True
    ).expand(sql=statements())
