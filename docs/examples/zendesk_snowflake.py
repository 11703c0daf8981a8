"""Load each exported slice into Snowflake: one transaction replaces its rows by ``COPY`` of its file."""

from typing import Any

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG, Asset, task

from airflow_zendesk.compat import for_each_export
from airflow_zendesk.operators.load_warehouse import triggering_slices
from airflow_zendesk.warehouse import load_statements

#: A stage over the destination of the exports:
#: CREATE STAGE zendesk.slices URL = 's3://my-bucket/zendesk/' STORAGE_INTEGRATION = ...;
STAGE = "zendesk.slices"

with DAG(
    dag_id="zendesk_snowflake",
    description="Load Zendesk events into Snowflake, each slice once",
    doc_md="Tables: `airflow-zendesk ddl --dialect snowflake`, once. Needs apache-airflow-providers-snowflake.",
    schedule=for_each_export(Asset("zendesk_ticket_events")),
    catchup=False,
    max_active_runs=1,
) as dag:

    @task
    def statements(**context: Any) -> list[list[str]]:
        """Return the statements that load each slice of the run."""
        loads = []
        for ref in triggering_slices(context):
            file = ref.uri.removeprefix(ref.dataset.removesuffix(ref.resource))
            loads.append(load_statements.snowflake(ref.resource, ref.slice.start, "zendesk", STAGE, file))
        return loads

    # All statements of a slice run in one session; the transaction is in the statements.
    SQLExecuteQueryOperator.partial(
        task_id="load", conn_id="snowflake_default", split_statements=False, autocommit=True
    ).expand(sql=statements())
