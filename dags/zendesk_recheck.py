"""The last days of ticket events once more: what came late is added, and measured."""

from datetime import UTC, datetime, timedelta

from airflow.providers.common.compat.sdk import conf
from airflow.sdk import DAG, Asset, Param
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_zendesk.operators.incremental_export import ZendeskIncrementalExportOperator

with DAG(
    dag_id="zendesk_recheck",
    description="Exports the last days again: late events are added and measured",
    doc_md="""
Exports the last days once more into the dataset of the DAG `zendesk_ticket_events`, and replaces only those slices
whose events have changed. The task's log, and the report that it returns, say how many events were `added` to slices
that had been exported before, and how late the latest of them was at the least, in seconds (`seconds_late`).

If nothing is ever added, the settling time of the exports is long enough. Events that Zendesk no longer answers are not
removed: such a slice is refused, with the counts.

It ends with the last whole day before the run (UTC), and goes back as many days as the param `days` says.
""",
    schedule=CronDataIntervalTimetable("0 6 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5), "retry_exponential_backoff": True},
    params={"days": Param(3, type="integer", minimum=1, description="How many days to export again")},
    tags=["zendesk"],
) as dag:
    ZendeskIncrementalExportOperator(
        task_id="export",
        resource="ticket_events",
        destination="{{ var.value.zendesk_destination }}",
        # Not the data interval: a run that is started by hand has none, and is meant to end with yesterday too.
        start="{{ (dag_run.run_after - macros.timedelta(days=params.days)).strftime('%Y-%m-%dT00:00:00Z') }}",
        end="{{ dag_run.run_after.strftime('%Y-%m-%dT00:00:00Z') }}",
        pool=conf.get("zendesk_export", "pool", fallback="default_pool"),
        outlets=[Asset("zendesk_ticket_events")],
    )
