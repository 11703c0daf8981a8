"""Every day's ticket events of many Zendesk accounts, each into a dataset of its own."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Asset, Variable, task
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_zendesk.operators.incremental_export import ZendeskIncrementalExportOperator

with DAG(
    dag_id="zendesk_many_accounts",
    description="Zendesk ticket events of each day, for each of many accounts",
    doc_md="""
The Airflow Variable `zendesk_accounts` lists connections, as in `["zendesk_acme", "zendesk_globex"]`. For each of them,
a task exports the data interval, a UTC day, into a folder of that name below `zendesk_destination`. Accounts run side
by side, for each has its own limit of requests, and one that fails does not hold up the others.
""",
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    # So that no account has two request streams.
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5), "retry_exponential_backoff": True},
    tags=["zendesk"],
) as dag:

    @task
    def accounts() -> list[dict[str, str]]:
        """The connections with their destinations, as arguments of the export."""
        below = Variable.get("zendesk_destination").rstrip("/")
        connections = Variable.get("zendesk_accounts", deserialize_json=True)
        return [{"zendesk_conn_id": each, "destination": f"{below}/{each}"} for each in connections]

    ZendeskIncrementalExportOperator.partial(
        task_id="export",
        resource="ticket_events",
        map_index_template="{{ task.zendesk_conn_id }}",
        # Not the asset of the one account: who loads that one would mix them.
        outlets=[Asset("zendesk_ticket_events_of_accounts")],
    ).expand_kwargs(accounts())
