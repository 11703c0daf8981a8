"""Export a long range of a Zendesk account in one pass, into the dataset of the daily DAG."""

from datetime import timedelta
from typing import Any

from airflow.providers.common.compat.sdk import conf
from airflow.sdk import DAG, Asset, Param, Variable, task

from airflow_zendesk.operators.incremental_export import ZendeskIncrementalExportOperator
from airflow_zendesk.operators.load_warehouse import ZendeskLoadWarehouseOperator
from airflow_zendesk.window import Window

EVENTS = "ticket_events"

with DAG(
    dag_id="zendesk_history",
    description="Months or years of a Zendesk account, in as few requests as possible",
    doc_md="""
Exports a resource from the UTC day `start` to the UTC day `end`, exclusive, into the dataset of its daily DAG. The
Airflow Variable `zendesk_destination` names the destination, `zendesk_default` is the connection. One pass needs one
request per 1,000 events or objects, whatever the number of slices; a run per interval needs at least one request each.

Ticket events are loaded by the DAG `zendesk_load_ticket_events`. Other resources are loaded here, if the Variable
`zendesk_warehouse` is set.

Slices that exist are skipped and cost nothing, so a retry or another run continues where the last one stopped.

    airflow-zendesk estimate --start 2024-01-01 --end 2026-01-01

estimates the requests and minutes. Select `by_month` for one task per month, so that other exports which wait for the
same pool can run in between.
""",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 10, "retry_delay": timedelta(minutes=5)},
    params={
        "resource": Param(
            default=EVENTS,
            enum=[EVENTS, "ticket_metric_events", "tickets", "users", "organizations"],
            description="What to export",
        ),
        "start": Param(type="string", format="date", title="First day", description="The first UTC day to export"),
        "end": Param(
            type="string",
            format="date",
            title="Day after the last",
            description="The UTC day after the last one to export; today, or earlier",
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
    def windows(*, of_events: bool, params: dict[str, Any] | None = None) -> list[dict[str, str]]:
        """The window, or its months, as arguments of the export; none if the other export is wanted."""
        assert params is not None
        window = Window.of(params["start"], params["end"])
        if of_events != (params["resource"] == EVENTS):
            return []
        parts = window.months() if params["by_month"] else [window]
        return [{"start": part.start.isoformat(), "end": part.end.isoformat()} for part in parts]

    @task.short_circuit
    def has_warehouse() -> bool:
        """Whether there is a warehouse to load."""
        return bool(Variable.get("zendesk_warehouse", default=None))

    windows_of_others = windows.override(task_id="windows_of_others")(of_events=False)
    export_options: dict[str, Any] = {
        "destination": "{{ var.value.get('zendesk_destination', '') }}",
        "if_exists": "skip",
        "pool": conf.get("zendesk_export", "pool", fallback="default_pool"),
        # One task at a time, even without a pool: all requests share the account's rate limit.
        "max_active_tis_per_dag": 1,
        "map_index_template": "{{ task.start[:10] }}",
    }
    ZendeskIncrementalExportOperator.partial(
        task_id="export", resource=EVENTS, outlets=[Asset(f"zendesk_{EVENTS}")], **export_options
    ).expand_kwargs(windows(of_events=True))
    others = ZendeskIncrementalExportOperator.partial(
        task_id="export_others", resource="{{ params.resource }}", **export_options
    ).expand_kwargs(windows_of_others)
    load = ZendeskLoadWarehouseOperator.partial(
        task_id="load_others",
        warehouse="{{ var.value.get('zendesk_warehouse', '') }}",
        destination="{{ var.value.get('zendesk_destination', '') }}",
        resource="{{ params.resource }}",
        max_active_tis_per_dag=1,
    ).expand_kwargs(windows_of_others)
    [others, has_warehouse()] >> load
