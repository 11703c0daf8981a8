"""Export a long range of a Zendesk account's ticket events in one pass, into the dataset of the daily DAG."""

from datetime import timedelta
from typing import Any

from airflow.providers.common.compat.sdk import conf
from airflow.sdk import DAG, Asset, Param, task

from airflow_zendesk.operators.incremental_export import ZendeskIncrementalExportOperator
from airflow_zendesk.window import Window

with DAG(
    dag_id="zendesk_history",
    description="Zendesk ticket events of months or years, in as few requests as possible",
    doc_md="""
Exports all events from `start` to `end` into the dataset of the DAG `zendesk_ticket_events`. The Airflow Variable
`zendesk_destination` names the destination, `zendesk_default` is the connection. One pass needs one request per 1,000
events, whatever the number of slices; a run per interval needs at least one request each.

Slices that exist are skipped and cost nothing, so a retry or another run continues where the last one stopped.

    airflow-zendesk estimate --start 2024-01-01T00:00:00Z --end 2026-01-01T00:00:00Z

estimates the requests and minutes. Select `by_month` for one task per month, so that other exports which wait for the
same pool can run in between.
""",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 10, "retry_delay": timedelta(minutes=5)},
    params={
        "start": Param(
            type="string", format="date-time", description="Start of the window; must be the start of a slice"
        ),
        "end": Param(
            type="string", format="date-time", description="End of the window, exclusive; must be in the past"
        ),
        "by_month": Param(
            default=False,
            type="boolean",
            title="One task per month",
            description="Instead of one task for the whole window",
        ),
    },
    tags=["zendesk"],
) as dag:

    @task(retries=0)
    def windows(params: dict[str, Any] | None = None) -> list[dict[str, str]]:
        """The window, or its months, as arguments of the export task."""
        assert params is not None
        window = Window.of(params["start"], params["end"])
        parts = window.months() if params["by_month"] else [window]
        return [{"start": part.start.isoformat(), "end": part.end.isoformat()} for part in parts]

    ZendeskIncrementalExportOperator.partial(
        task_id="export",
        resource="ticket_events",
        destination="{{ var.value.zendesk_destination }}",
        if_exists="skip",
        pool=conf.get("zendesk_export", "pool", fallback="default_pool"),
        # One task at a time, even without a pool: all requests share the account's rate limit.
        max_active_tis_per_dag=1,
        map_index_template="{{ task.start[:10] }}",
        outlets=[Asset("zendesk_ticket_events")],
    ).expand_kwargs(windows())
