"""Load exported slices into a warehouse."""

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import BaseOperator, Context

from airflow_zendesk.exceptions import SettingsError, ZendeskError
from airflow_zendesk.warehouse.asset_events import SliceRef, slice_refs
from airflow_zendesk.window import Slice, Window


class ZendeskLoadWarehouseOperator(BaseOperator):
    """Load the slices of the asset events that started the run into a warehouse, each in one transaction, once.

    A slice whose rows are in the tables already is left alone; one that has changed (a rerun, an erasure) replaces its
    own rows and no others. The tables are made where they are missing; docs/warehouses.md describes them.

    With ``start`` and ``end``, all slices of that time are loaded instead, whatever started the run.

    The report is returned.

    :param warehouse: ``duckdb:///path/of/a/file``, or the id of an Airflow connection to PostgreSQL. (templated)
    :param destination: where the dataset lies, in the words of the export. (templated)
    :param schema: the schema that holds the tables: one for each Zendesk account. (templated)
    :param resource: what is loaded from ``start`` to ``end``; an event says by itself what it is about. (templated)
    :param start: first instant to load, with a time zone. (templated)
    :param end: first instant after it. (templated)
    """

    template_fields: Sequence[str] = ("warehouse", "destination", "schema", "resource", "start", "end")
    ui_color = "#e8eef4"

    def __init__(
        self,
        *,
        warehouse: str,
        destination: str,
        schema: str = "zendesk",
        resource: str = "ticket_events",
        start: str | None = None,
        end: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.warehouse = warehouse
        self.destination = destination
        self.schema = schema
        self.resource = resource
        self.start = start
        self.end = end

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Load what is due; returns a report for each resource."""
        try:
            return [self._load(resource, slices) for resource, slices in self._due(context).items()]
        except ZendeskError as error:
            if error.retryable:
                raise
            raise AirflowFailException(str(error)) from error

    def _due(self, context: Context) -> Mapping[str, Sequence[Slice]]:
        """The slices to load, by resource."""
        from airflow_zendesk.dataset.settings import load_settings  # noqa: PLC0415
        from airflow_zendesk.destination import open_destination  # noqa: PLC0415

        store = open_destination(self.destination)
        if self.start or self.end:
            grain = load_settings(store, self.resource).grain
            return {self.resource: grain.slices(Window.of(self.start, self.end))}
        due: dict[str, list[Slice]] = {}
        for named in triggering_slices(context):
            if named.dataset != store.uri(named.resource):
                raise SettingsError(
                    f"The event is about the dataset {named.dataset}, but this task reads {store.uri(named.resource)}: "
                    "give it the export's destination."
                )
            due.setdefault(named.resource, []).append(named.slice)
        if not due:
            raise SettingsError(
                "No asset event started this run, so there is nothing that it is about. Give start and end, or let the "
                "asset of an export trigger it."
            )
        return due

    def _load(self, resource: str, slices: Sequence[Slice]) -> dict[str, Any]:
        # What a DAG file need not import to be parsed.
        from airflow_zendesk.destination import open_destination  # noqa: PLC0415
        from airflow_zendesk.warehouse.loading import load_slices, open_warehouse  # noqa: PLC0415

        report = load_slices(
            open_warehouse(self.warehouse, self.schema),
            open_destination(self.destination),
            resource,
            slices,
            on_progress=lambda done: self.log.info("%s %s: %s rows", done.outcome, done.uri, f"{done.rows:,}"),
        )
        for remark in report.warnings():
            self.log.warning(remark)
        return report.to_dict()


def triggering_slices(context: Context | Mapping[str, Any]) -> list[SliceRef]:
    """The slices that the asset events of this run are about, each once, for loads of any kind.

    On Airflow 3.3 a run for a partition is about one slice; older Airflows merge events, so it may be about several.

    Raises:
        SettingsError: an event was not made by an export.
    """
    events = context.get("triggering_asset_events") or {}
    extras = [event.extra for of_asset in events.values() for event in of_asset]
    return slice_refs(extras, context.get("partition_key"))
