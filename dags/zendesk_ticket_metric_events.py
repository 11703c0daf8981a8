"""Every day's ticket metric events of a Zendesk account, as Parquet."""

from datetime import UTC, datetime, timedelta

from airflow.providers.common.compat.sdk import conf
from airflow.sdk import DAG, Asset, Param
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_zendesk.operators.incremental_export import ZendeskIncrementalExportOperator

with DAG(
    dag_id="zendesk_ticket_metric_events",
    description="Zendesk ticket metric events of each day, complete and exactly once",
    doc_md="""
Exports the ticket metric events of each data interval, a UTC day, to the folder or bucket that the Airflow Variable
`zendesk_destination` names, with the connection `zendesk_default`. Rerun or backfill any day as often as you like: it
writes the same object, and nothing where nothing has changed.

    airflow backfill create --dag-id zendesk_ticket_metric_events --from-date 2026-03-01 --to-date 2026-03-31

A run started by hand can have a window of its own: `start` and `end`, in whole slices of the dataset's grain.
""",
    # A cron string here would make data intervals of zero width, which hold no event at all.
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    # All runs share the account's limit of requests: side by side they would only wait for each other.
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5), "retry_exponential_backoff": True},
    params={
        "start": Param(None, type=["null", "string"], format="date-time", description="Empty: the interval's start"),
        "end": Param(None, type=["null", "string"], format="date-time", description="Empty: the interval's end"),
    },
    tags=["zendesk"],
) as dag:
    ZendeskIncrementalExportOperator(
        task_id="export",
        resource="ticket_metric_events",
        destination="{{ var.value.zendesk_destination }}",
        # Both empty: the data interval.
        start="{{ params.start or '' }}",
        end="{{ params.end or '' }}",
        pool=conf.get("zendesk_export", "pool", fallback="default_pool"),
        # Before a history that waits for the same pool.
        priority_weight=10,
        outlets=[Asset("zendesk_ticket_metric_events")],
    )
