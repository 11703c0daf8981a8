"""Exported slices in Athena, which reads them where they lie: there is nothing to load, and what is new is counted.

With Trino it is the same: ``airflow-zendesk ddl --dialect trino``, and SQLExecuteQueryOperator with a Trino connection.
"""

from typing import Any

from airflow.providers.amazon.aws.operators.athena import AthenaOperator
from airflow.sdk import DAG, Asset, task

from airflow_zendesk.compat import for_each_partition
from airflow_zendesk.operators.load_warehouse import triggering_slices

with DAG(
    dag_id="zendesk_athena",
    description="A look at each new slice of Zendesk events through Athena",
    doc_md="Tables: `airflow-zendesk ddl --dialect athena --location s3://my-bucket/zendesk`, once.",
    schedule=for_each_partition(Asset("zendesk_ticket_events")),
    catchup=False,
    max_active_runs=1,
) as dag:

    @task
    def counts(**context: Any) -> list[str]:
        """How many events each slice of the run has, seen by Athena."""
        return [
            f"SELECT count(*) FROM {named.resource}_slices "
            f"WHERE event_date = '{named.slice.start:%Y-%m-%d}' AND \"$path\" = '{named.uri}'"
            for named in triggering_slices(context)
        ]

    AthenaOperator.partial(
        task_id="count", database="zendesk", output_location="s3://my-bucket/athena-results/", aws_conn_id="aws_default"
    ).expand(query=counts())
