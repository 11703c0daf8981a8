"""Every exported slice of ticket metric events into the warehouse."""

from airflow.sdk import DAG, Asset, Param

from airflow_zendesk.compat import for_each_partition
from airflow_zendesk.operators.load_warehouse import ZendeskLoadWarehouseOperator

with DAG(
    dag_id="zendesk_load_metric_events",
    description="Zendesk ticket metric events into the warehouse, each slice once",
    doc_md="""
Runs whenever an export has published slices of ticket metric events, and loads those, each in one transaction, into the
warehouse that the Airflow Variable `zendesk_warehouse` names: a file like `duckdb:///data/zendesk.duckdb`, or the id of
a connection to PostgreSQL. The slices are read from where `zendesk_destination` says.

Airflow keeps no events for a DAG that is paused. What it missed is loaded by a run that is triggered by hand with
`start` and `end`; what is in the tables already is left alone.
""",
    schedule=for_each_partition(Asset("zendesk_ticket_metric_events")),
    catchup=False,
    # A file of DuckDB has one writer. PostgreSQL takes more at a time.
    max_active_runs=1,
    # For runs by hand alone.
    params={
        "start": Param(None, "First instant to load", type=["null", "string"], format="date-time"),
        "end": Param(None, "First instant after it", type=["null", "string"], format="date-time"),
    },
    default_args={"retries": 3},
    tags=["zendesk"],
) as dag:
    ZendeskLoadWarehouseOperator(
        task_id="load",
        warehouse="{{ var.value.zendesk_warehouse }}",
        destination="{{ var.value.zendesk_destination }}",
        resource="ticket_metric_events",
        start="{{ params.start or '' }}",
        end="{{ params.end or '' }}",
    )
