"""DAGs that export any window, triggered by hand. Their assets are those of the shipped DAGs."""

from airflow.sdk import DAG, Asset

from airflow_zendesk.operators.incremental_export import ZendeskIncrementalExportOperator


def export_dag(resource: str) -> DAG:
    """Return a DAG with one export."""
    with DAG(f"export_{resource}", schedule=None, params={"start": "", "end": ""}) as dag:
        ZendeskIncrementalExportOperator(
            task_id="export",
            resource=resource,
            destination="{{ var.value.zendesk_destination }}",
            start="{{ params.start }}",
            end="{{ params.end }}",
            outlets=[Asset(f"zendesk_{resource}")],
        )
    return dag


events = export_dag("ticket_events")
metric_events = export_dag("ticket_metric_events")
