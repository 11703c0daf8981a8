"""A long range of a Zendesk account's ticket events in one sweep, into the dataset of the daily DAG."""

from datetime import timedelta
from typing import Any

from airflow.providers.common.compat.sdk import conf
from airflow.sdk import DAG, Asset, Param, task

from airflow_zendesk.operators.incremental_export import ZendeskIncrementalExportOperator
from airflow_zendesk.window import Window

with DAG(
    dag_id="zendesk_history",
    description="Zendesk ticket events of months or years, in as few requests as there can be",
    doc_md="""
Exports everything from `start` to `end` into the dataset of the DAG `zendesk_ticket_events`: where the Airflow Variable
`zendesk_destination` says, with the connection `zendesk_default`. Zendesk's export knows no end, so one sweep costs a
request for each thousand events, whatever the number of slices; a run for each interval costs a request at least.

Slices that are there are left alone and cost nothing: a retry, or another run, goes on where the last one stopped.

    airflow-zendesk estimate --from 2024-01-01T00:00:00Z --to 2026-01-01T00:00:00Z

tells before how many requests and minutes it will take. Tick `by_month` for a task per month: exports that wait for the
same pool get their turn in between.
""",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 10, "retry_delay": timedelta(minutes=5)},
    params={
        "start": Param(type="string", format="date-time", description="First instant; where a slice begins"),
        "end": Param(type="string", format="date-time", description="First instant after; in the past"),
        "by_month": Param(
            default=False, type="boolean", title="A task per month", description="Instead of one for the whole"
        ),
    },
    tags=["zendesk"],
) as dag:

    @task(retries=0)
    def windows(params: dict[str, Any] | None = None) -> list[dict[str, str]]:
        """The window, or its months, as arguments of the export."""
        assert params is not None
        whole = Window.of(params["start"], params["end"])
        pieces = whole.months() if params["by_month"] else [whole]
        return [{"start": slice_.start.isoformat(), "end": slice_.end.isoformat()} for slice_ in pieces]

    ZendeskIncrementalExportOperator.partial(
        task_id="export",
        resource="ticket_events",
        destination="{{ var.value.zendesk_destination }}",
        if_exists="skip",
        pool=conf.get("zendesk_export", "pool", fallback="default_pool"),
        # One request stream, also where nobody has made a pool.
        max_active_tis_per_dag=1,
        map_index_template="{{ task.start[:10] }}",
        outlets=[Asset("zendesk_ticket_events")],
    ).expand_kwargs(windows())
