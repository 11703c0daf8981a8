"""Export the last days of ticket events again: add late events, and measure how late they were."""

from datetime import UTC, datetime, timedelta

from airflow.providers.common.compat.sdk import conf
from airflow.sdk import DAG, Asset, Param
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_zendesk.operators.incremental_export import ZendeskIncrementalExportOperator

with DAG(
    dag_id="zendesk_recheck",
    description="Export the last days again: add and measure late events",
    doc_md="""
Exports the last days again into the dataset of the DAG `zendesk_ticket_events`, and replaces only slices whose events
have changed. The task's log and its report state how many events were `added` to slices that had been exported before,
and `seconds_late`: the latest of them was at least this many seconds late.

If no event is ever added, the settling time of the exports is long enough. Stored events that Zendesk no longer returns
are not removed: the export of such a slice is refused, and the error states the counts.

The window ends with the last complete day before the run (UTC). The param `days` is its length.
""",
    schedule=CronDataIntervalTimetable("0 6 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5), "retry_exponential_backoff": True},
    params={"days": Param(3, type="integer", minimum=1, description="How many days are exported again")},
    tags=["zendesk"],
) as dag:
    ZendeskIncrementalExportOperator(
        task_id="export",
        resource="ticket_events",
        destination="{{ var.value.get('zendesk_destination', '') }}",
        # Not the data interval: a run that is triggered by hand has none, and should end with yesterday too.
        start="{{ (dag_run.run_after - macros.timedelta(days=params.days)).strftime('%Y-%m-%d') }}",
        end="{{ dag_run.run_after.strftime('%Y-%m-%d') }}",
        pool=conf.get("zendesk_export", "pool", fallback="default_pool"),
        outlets=[Asset("zendesk_ticket_events")],
    )
