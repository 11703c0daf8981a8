"""Every exported slice into Redshift: a manifest that names it, and ``COPY``, in one transaction."""

from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.operators.redshift_data import RedshiftDataOperator
from airflow.sdk import DAG, Asset, task

from airflow_zendesk.compat import for_each_partition
from airflow_zendesk.operators.load_warehouse import triggering_slices
from airflow_zendesk.warehouse import load_statements

#: Where the manifests go: not below the exports, where readers of Parquet would find them.
MANIFESTS = "s3://my-bucket/zendesk-manifests"

with DAG(
    dag_id="zendesk_redshift",
    description="Zendesk events into Redshift, each slice once",
    doc_md="Tables: `airflow-zendesk ddl --dialect redshift`.",
    schedule=for_each_partition(Asset("zendesk_ticket_events")),
    catchup=False,
    max_active_runs=1,
) as dag:

    @task
    def statements(**context: Any) -> list[list[str]]:
        """Write the manifest of each slice of the run; gives the load of each."""
        s3 = S3Hook("aws_default")
        loads = []
        for named in triggering_slices(context):
            bucket, key = s3.parse_s3_url(named.uri)
            size = s3.get_key(key, bucket).content_length
            manifest = f"{MANIFESTS}/{named.resource}/{named.slice.start:%Y%m%dT%H%M%SZ}.json"
            bucket, key = s3.parse_s3_url(manifest)
            s3.load_string(load_statements.redshift_manifest(named.uri, size), key, bucket, replace=True)
            loads.append(load_statements.redshift(named.resource, named.slice.start, "zendesk", manifest))
        return loads

    # A list of statements is one batch of the Data API, and that is one transaction.
    RedshiftDataOperator.partial(
        task_id="load", database="dev", workgroup_name="default", aws_conn_id="aws_default", wait_for_completion=True
    ).expand(sql=statements())
