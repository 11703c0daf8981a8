"""Export tickets, users, organizations and small lists of a Zendesk account daily, and load them into a warehouse."""

from datetime import UTC, datetime, timedelta

from airflow.providers.common.compat.sdk import conf
from airflow.sdk import DAG, Asset, Variable, task
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_zendesk.operators.incremental_export import ZendeskIncrementalExportOperator
from airflow_zendesk.operators.load_warehouse import ZendeskLoadWarehouseOperator
from airflow_zendesk.zendesk.resources import RESOURCES

with DAG(
    dag_id="zendesk_objects",
    description="Daily Zendesk tickets, users, organizations and lists: the names for the ids of events",
    doc_md="""
Exports the tickets, users and organizations that changed on the day, and lists like groups, brands and ticket fields as
they are now, to the destination in the Airflow Variable `zendesk_destination`, with the connection `zendesk_default`.

If the Variable `zendesk_warehouse` is set, the slices are then loaded into that warehouse. The tables `tickets`,
`users`, `groups` ... have the newest version of each object, and the schema `zendesk_fivetran` has views in the shape
of Fivetran's connector.

Run the DAG `zendesk_history` once for each of `tickets`, `users` and `organizations`, from the day on which the account
was opened: an object that has not changed since then is in no daily slice.
""",
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5), "retry_exponential_backoff": True},
    tags=["zendesk"],
) as dag:

    @task.short_circuit
    def has_warehouse() -> bool:
        """Whether there is a warehouse to load."""
        return bool(Variable.get("zendesk_warehouse", default=None))

    loads = has_warehouse()
    for resource in [name for name, resource in RESOURCES.items() if resource.is_state]:
        export = ZendeskIncrementalExportOperator(
            task_id=f"export_{resource}",
            resource=resource,
            destination="{{ var.value.get('zendesk_destination', '') }}",
            pool=conf.get("zendesk_export", "pool", fallback="default_pool"),
            outlets=[Asset(f"zendesk_{resource}")],
        )
        load = ZendeskLoadWarehouseOperator(
            task_id=f"load_{resource}",
            warehouse="{{ var.value.get('zendesk_warehouse', '') }}",
            destination="{{ var.value.get('zendesk_destination', '') }}",
            resource=resource,
            # Views that models for Fivetran's connector read.
            shape="fivetran",
            # Of a list, it is the day on which it was read.
            start=f"{{{{ ti.xcom_pull('export_{resource}')['start'] }}}}",
            end=f"{{{{ ti.xcom_pull('export_{resource}')['end'] }}}}",
        )
        [export, loads] >> load
