"""Export the ticket events of many Zendesk accounts daily, each account into its own dataset."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Asset, Variable, task
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_zendesk.operators.incremental_export import ZendeskIncrementalExportOperator

with DAG(
    dag_id="zendesk_many_accounts",
    description="Daily Zendesk ticket events of many accounts",
    doc_md="""
The Airflow Variable `zendesk_accounts` lists connections, for example `["zendesk_acme", "zendesk_globex"]`. One task
per connection exports the data interval, a UTC day, into a folder with the name of the connection below
`zendesk_destination`. Accounts run in parallel, because each has its own rate limit; if one fails, the others continue.
""",
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    # One run at a time, so that no account has two exports at once.
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5), "retry_exponential_backoff": True},
    tags=["zendesk"],
) as dag:

    @task(retries=0)
    def accounts() -> list[dict[str, str]]:
        """The connections and their destinations, as arguments of the export task."""
        folder = Variable.get("zendesk_destination", default="").rstrip("/")
        connections = Variable.get("zendesk_accounts", default=[], deserialize_json=True)
        if not folder or not connections:
            raise ValueError("Set the Airflow Variables zendesk_destination and zendesk_accounts.")
        return [{"zendesk_conn_id": each, "destination": f"{folder}/{each}"} for each in connections]

    ZendeskIncrementalExportOperator.partial(
        task_id="export",
        resource="ticket_events",
        map_index_template="{{ task.zendesk_conn_id }}",
        # Not the asset of the single account, so that a load does not mix accounts.
        outlets=[Asset("zendesk_ticket_events_of_accounts")],
    ).expand_kwargs(accounts())
