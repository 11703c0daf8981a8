"""Every exported slice into Snowflake: ``COPY`` of just its file, in place of its rows, in one transaction."""

from typing import Any

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG, Asset, task

from airflow_zendesk.compat import for_each_partition
from airflow_zendesk.operators.load_warehouse import triggering_slices
from airflow_zendesk.warehouse import load_statements

#: A stage over the destination of the exports:
#: CREATE STAGE zendesk.slices URL = 's3://my-bucket/zendesk/' STORAGE_INTEGRATION = ...;
STAGE = "zendesk.slices"

with DAG(
    dag_id="zendesk_snowflake",
    description="Zendesk events into Snowflake, each slice once",
    doc_md="Tables: `airflow-zendesk ddl --dialect snowflake`. Needs apache-airflow-providers-snowflake.",
    schedule=for_each_partition(Asset("zendesk_ticket_events")),
    catchup=False,
    max_active_runs=1,
) as dag:

    @task
    def statements(**context: Any) -> list[list[str]]:
        """The load of each slice of the run."""
        loads = []
        for named in triggering_slices(context):
            file = named.uri.removeprefix(named.dataset.removesuffix(named.resource))
            loads.append(load_statements.snowflake(named.resource, named.slice.start, "zendesk", STAGE, file))
        return loads

    # One session for all statements of a slice, and no commit but that of the recipe.
    SQLExecuteQueryOperator.partial(
        task_id="load", conn_id="snowflake_default", split_statements=False, autocommit=True
    ).expand(sql=statements())
