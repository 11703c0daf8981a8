"""Schedules and options that users have, but the shipped DAGs have not."""

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import DAG, Asset

from airflow_zendesk.operators.incremental_export import ZendeskIncrementalExportOperator


def export_dag(dag_id: str, schedule: Any, **options: Any) -> DAG:
    """A DAG of one export, whose author said nothing about the window unless it is given here."""
    params = {"start": "", "end": ""}
    with DAG(
        dag_id, schedule=schedule, start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False, params=params
    ) as dag:
        ZendeskIncrementalExportOperator(task_id="export", destination="{{ var.value.zendesk_destination }}", **options)
    return dag


dags = [
    export_dag("cron_string", "@daily"),
    export_dag("no_schedule", None),
    export_dag("asset_triggered", [Asset("upstream")]),
    export_dag("unsettled", None, start="{{ params.start }}", end="{{ params.end }}", grain="1m"),
]

try:
    from airflow.sdk import CronPartitionTimetable
except ImportError:  # before Airflow 3.3
    pass
else:
    daily = CronPartitionTimetable("@daily", timezone="UTC", run_offset=-1)
    dags += [
        export_dag("partitioned", daily),
        export_dag(
            "partitioned_with_window",
            daily,
            start="{{ partition_date }}",
            end="{{ partition_date + macros.timedelta(days=1) }}",
        ),
    ]

globals().update({dag.dag_id: dag for dag in dags})
