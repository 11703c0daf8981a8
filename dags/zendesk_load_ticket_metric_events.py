"""Load exported slices of ticket metric events into a warehouse."""

from airflow.sdk import DAG, Asset, Param

from airflow_zendesk.compat import for_each_export
from airflow_zendesk.operators.load_warehouse import ZendeskLoadWarehouseOperator

with DAG(
    dag_id="zendesk_load_ticket_metric_events",
    description="Load Zendesk ticket metric events into a warehouse, each slice once",
    doc_md="""
Runs when an export has published slices of ticket metric events. Loads them, each in one transaction, into the
warehouse in the Airflow Variable `zendesk_warehouse`: a file like `duckdb:///data/warehouse.duckdb`, or the id of a
connection to PostgreSQL. The slices are read from `zendesk_destination`.

Airflow does not queue events for a paused DAG. To load the slices it missed, trigger a run with `start` and `end`;
slices that are in the tables are skipped.
""",
    schedule=for_each_export(Asset("zendesk_ticket_metric_events")),
    catchup=False,
    # A DuckDB file has one writer. PostgreSQL allows more active runs.
    max_active_runs=1,
    # Only for runs that are triggered by hand.
    params={
        "start": Param(None, "The first UTC day to load", title="First day", type=["null", "string"], format="date"),
        "end": Param(
            None,
            "The UTC day after the last one to load",
            title="Day after the last",
            type=["null", "string"],
            format="date",
        ),
    },
    default_args={"retries": 3},
    tags=["zendesk"],
) as dag:
    ZendeskLoadWarehouseOperator(
        task_id="load",
        warehouse="{{ var.value.get('zendesk_warehouse', '') }}",
        destination="{{ var.value.get('zendesk_destination', '') }}",
        resource="ticket_metric_events",
        start="{{ params.start or '' }}",
        end="{{ params.end or '' }}",
    )
