"""Export the ticket metric events of a Zendesk account daily, as partitioned Parquet."""

from datetime import UTC, datetime, timedelta

from airflow.providers.common.compat.sdk import conf
from airflow.sdk import DAG, Asset, Param
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_zendesk.operators.incremental_export import ZendeskIncrementalExportOperator

with DAG(
    dag_id="zendesk_ticket_metric_events",
    description="Daily Zendesk ticket metric events, complete and exactly once",
    doc_md="""
Exports the ticket metric events of each data interval, a UTC day, to the destination in the Airflow Variable
`zendesk_destination`, with the connection `zendesk_default`. You can rerun or backfill any day at any time: it writes
the same object, and writes nothing if no event has changed.

    airflow backfill create --dag-id zendesk_ticket_metric_events --from-date 2026-03-01 --to-date 2026-03-31

A run that is triggered by hand can have its own window, `start` and `end`, in whole slices of the dataset's grain.
""",
    # A cron string would create data intervals of zero width, which contain no event.
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    # All runs share the account's rate limit, so running them in parallel is no faster.
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5), "retry_exponential_backoff": True},
    params={
        "start": Param(
            None,
            title="First day",
            description="The first UTC day to export. Leave both empty for the data interval.",
            type=["null", "string"],
            format="date",
        ),
        "end": Param(
            None,
            title="Day after the last",
            description="The UTC day after the last one to export.",
            type=["null", "string"],
            format="date",
        ),
    },
    tags=["zendesk"],
) as dag:
    ZendeskIncrementalExportOperator(
        task_id="export",
        resource="ticket_metric_events",
        destination="{{ var.value.get('zendesk_destination', '') }}",
        # If both are empty, the operator uses the data interval.
        start="{{ params.start or '' }}",
        end="{{ params.end or '' }}",
        pool=conf.get("zendesk_export", "pool", fallback="default_pool"),
        # Before a history export that waits for the same pool.
        priority_weight=10,
        outlets=[Asset("zendesk_ticket_metric_events")],
    )
