"""The operator that loads exported slices into a warehouse."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from airflow.sdk import BaseOperator, Context

from airflow_zendesk.compat import stats
from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.operators.errors_to_failures import errors_to_failures
from airflow_zendesk.warehouse.asset_events import SliceRef, slice_refs
from airflow_zendesk.window import Slice, Window


class ZendeskLoadWarehouseOperator(BaseOperator):
    """Load the slices of the asset events that triggered the run into a warehouse, each slice in one transaction.

    A slice whose rows are in the tables is skipped. A slice that has changed, by a rerun or an erasure, replaces only
    its own rows. Missing tables are created; docs/warehouses.md describes them.

    With ``start`` and ``end``, all slices of that window are loaded instead, whatever triggered the run.

    Returns a report for each resource.

    :param warehouse: ``duckdb:///path/of/a/file``, or the id of an Airflow connection to PostgreSQL. (templated)
    :param destination: the destination of the export. (templated)
    :param schema: the schema of the tables. Use one for each Zendesk account. (templated)
    :param shape: ``fivetran`` for views with the names and columns of Fivetran's connector, in the schema
        ``<schema>_fivetran``; see docs/dbt.md.
    :param resource: the resource to load from ``start`` to ``end``. Asset events name theirs. (templated)
    :param start: start of the window to load, a UTC day like ``2026-01-31`` or a time with its zone. (templated)
    :param end: end of the window, exclusive. (templated)
    """

    template_fields: Sequence[str] = ("warehouse", "destination", "schema", "resource", "start", "end")
    ui_color = "#e8eef4"
    _reports: Sequence[dict[str, Any]] = ()

    def __init__(
        self,
        *,
        warehouse: str,
        destination: str,
        schema: str = "zendesk",
        shape: Literal["fivetran"] | None = None,
        resource: str = "ticket_events",
        start: str | None = None,
        end: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.warehouse = warehouse
        self.destination = destination
        self.schema = schema
        self.shape = shape
        self.resource = resource
        self.start = start
        self.end = end

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Load the slices; return a report for each resource."""
        with errors_to_failures():
            reports = [self._load(resource, slices) for resource, slices in self._slices(context).items()]
        self._count(reports)
        self._reports = reports
        return reports

    def _count(self, reports: Sequence[Mapping[str, Any]]) -> None:
        """Send the metrics ``zendesk.load.slices_loaded``, ``.slices_unchanged`` and ``.runs_unchanged``."""
        loaded = sum(report["loaded"] for report in reports)
        counts = {
            "slices_loaded": loaded,
            "slices_unchanged": sum(report["unchanged"] for report in reports),
            "runs_unchanged": int(not loaded),
        }
        for name, count in counts.items():
            if count:
                stats.incr(f"zendesk.load.{name}", count, tags={"dag_id": self.dag_id, "task_id": self.task_id})

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:  # noqa: ARG002  Airflow's signature
        """The lineage of the run, for Airflow's OpenLineage provider."""
        from airflow_zendesk.operators.lineage import lineage_of_load  # noqa: PLC0415

        return lineage_of_load(self._reports, self.warehouse, self.schema)

    def _slices(self, context: Context) -> Mapping[str, Sequence[Slice]]:
        """The slices to load, by resource."""
        from airflow_zendesk.dataset.settings import load_settings  # noqa: PLC0415
        from airflow_zendesk.destination import open_destination  # noqa: PLC0415

        store = open_destination(self.destination)
        if self.start or self.end:
            grain = load_settings(store, self.resource).grain
            return {self.resource: grain.slices(Window.of(self.start, self.end))}
        slices: dict[str, list[Slice]] = {}
        for ref in triggering_slices(context):
            if ref.dataset != store.uri(ref.resource):
                raise SettingsError(
                    f"The event is about the dataset {ref.dataset}, but this task reads {store.uri(ref.resource)}. "
                    "Set destination to the destination of the export."
                )
            slices.setdefault(ref.resource, []).append(ref.slice)
        if not slices:
            raise SettingsError(
                "No asset event triggered this run, so it has no slices to load. Set start and end, or schedule the "
                "DAG on the asset of an export."
            )
        return slices

    def _load(self, resource: str, slices: Sequence[Slice]) -> dict[str, Any]:
        # These imports are slow, and parsing a DAG does not need them.
        from airflow_zendesk.destination import open_destination  # noqa: PLC0415
        from airflow_zendesk.warehouse.loading import load_slices, open_warehouse  # noqa: PLC0415

        report = load_slices(
            open_warehouse(self.warehouse, self.schema),
            open_destination(self.destination),
            resource,
            slices,
            self.shape,
            on_progress=lambda result: self.log.info("%s %s: %s rows", result.outcome, result.uri, f"{result.rows:,}"),
        )
        for warning in report.warnings():
            self.log.warning(warning)
        return report.to_dict()


def triggering_slices(context: Context | Mapping[str, Any]) -> list[SliceRef]:
    """Return the slices that the asset events of this run refer to, each once, for loads of any kind.

    An export of several slices has one event. Airflows before 3.3 also merge events into one run.

    Raises:
        SettingsError: an event was not made by an export.
    """
    events = context.get("triggering_asset_events") or {}
    extras = [event.extra for of_asset in events.values() for event in of_asset]
    return slice_refs(extras)
