"""Verify the last days of the exported datasets every morning, and fail if one is not complete."""

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Param, task
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_zendesk.operators.verify_dataset import ZendeskVerifyDatasetOperator
from airflow_zendesk.zendesk.resources import RESOURCES

WITH_WINDOW = [name for name, resource in RESOURCES.items() if not resource.is_list]

with DAG(
    dag_id="zendesk_verify",
    description="Fail if a Zendesk dataset has a gap, a damaged slice or a duplicate",
    doc_md="""
Verifies that the last days of the datasets in the Airflow Variable `zendesk_destination` are complete. A task fails if
a day is missing, also when no export has run at all, so its failure is the alert. Its log lists the findings and the
commands that repair them.

The window ends with the last complete day before the run (UTC). The param `days` is its length, the param `resources`
names the datasets. Nothing is requested from Zendesk.
""",
    # After the recheck at six, and after the retries of the night's exports.
    schedule=CronDataIntervalTimetable("0 8 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 1, "retry_delay": timedelta(minutes=5)},
    params={
        "resources": Param(["ticket_events"], type="array", examples=WITH_WINDOW, description="The datasets to verify"),
        "days": Param(7, type="integer", minimum=1, description="How many days are verified"),
    },
    tags=["zendesk"],
) as dag:

    @task.branch(retries=0)
    def chosen(params: dict[str, Any] | None = None) -> list[str]:
        """The tasks of the datasets to verify."""
        assert params is not None
        return [f"verify_{resource}" for resource in params["resources"]]

    chosen() >> [
        ZendeskVerifyDatasetOperator(
            task_id=f"verify_{resource}",
            resource=resource,
            destination="{{ var.value.get('zendesk_destination', '') }}",
            # Not the data interval: a run that is triggered by hand has none, and should end with yesterday too.
            start="{{ (dag_run.run_after - macros.timedelta(days=params.days)).strftime('%Y-%m-%d') }}",
            end="{{ dag_run.run_after.strftime('%Y-%m-%d') }}",
        )
        for resource in WITH_WINDOW
    ]
