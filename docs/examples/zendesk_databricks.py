"""Load each exported slice into a Delta table of Databricks: one statement replaces the rows of the slice."""

from typing import Any

from airflow.providers.databricks.operators.databricks_sql import DatabricksSqlOperator
from airflow.sdk import DAG, Asset, task

from airflow_zendesk.compat import for_each_export
from airflow_zendesk.operators.load_warehouse import triggering_slices
from airflow_zendesk.warehouse import load_statements

with DAG(
    dag_id="zendesk_databricks",
    description="Load Zendesk events into Databricks, each slice once",
    doc_md="Tables: `airflow-zendesk ddl --dialect databricks`, once. Needs apache-airflow-providers-databricks.",
    schedule=for_each_export(Asset("zendesk_ticket_events")),
    catchup=False,
    max_active_runs=1,
) as dag:

    @task
    def statements(**context: Any) -> list[list[str]]:
        """Return the statements that load each slice of the run."""
        return [
            load_statements.databricks(ref.resource, ref.slice.start, "zendesk", ref.uri)
            for ref in triggering_slices(context)
        ]

    DatabricksSqlOperator.partial(
        task_id="load", databricks_conn_id="databricks_default", http_path="/sql/1.0/warehouses/my-warehouse"
    ).expand(sql=statements())
