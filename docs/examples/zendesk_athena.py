"""Count the rows of each new slice in Athena, which queries slices in storage and needs no load.

For Trino, use ``airflow-zendesk ddl --dialect trino`` and SQLExecuteQueryOperator with a Trino connection.
"""

from typing import Any

from airflow.providers.amazon.aws.operators.athena import AthenaOperator
from airflow.sdk import DAG, Asset, task

from airflow_zendesk.compat import for_each_export
from airflow_zendesk.operators.load_warehouse import triggering_slices

with DAG(
    dag_id="zendesk_athena",
    description="Count the events of each new Zendesk slice in Athena",
    doc_md="Create the tables once: `airflow-zendesk ddl --dialect athena --location s3://my-bucket/zendesk`.",
    schedule=for_each_export(Asset("zendesk_ticket_events")),
    catchup=False,
    max_active_runs=1,
) as dag:

    @task
    def counts(**context: Any) -> list[str]:
        """Return a query for each slice of the run, which counts its rows."""
        return [
            f"SELECT count(*) FROM {ref.resource}_slices "
            f"WHERE event_date = '{ref.slice.start:%Y-%m-%d}' AND \"$path\" = '{ref.uri}'"
            for ref in triggering_slices(context)
        ]

    AthenaOperator.partial(
        task_id="count", database="zendesk", output_location="s3://my-bucket/athena-results/", aws_conn_id="aws_default"
    ).expand(query=counts())
