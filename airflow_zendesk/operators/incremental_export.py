"""Export one window of a Zendesk account."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from airflow.sdk import Asset, BaseOperator, Context

from airflow_zendesk.compat import add_partition_key
from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.operators.data_interval import window_of
from airflow_zendesk.operators.errors_to_failures import errors_to_failures
from airflow_zendesk.operators.links import CoverageLink, ObjectsLink
from airflow_zendesk.operators.long_waits import LONG_WAIT, wait_until, zendesk_waits
from airflow_zendesk.window import Grain, Window, to_timedelta
from airflow_zendesk.zendesk.resources import RESOURCES, Query
from airflow_zendesk.zendesk.settling import DEFAULT_SETTLE, settle_seconds

if TYPE_CHECKING:
    from airflow_zendesk.export.report import ExportReport
    from airflow_zendesk.hooks.zendesk import ZendeskHook

#: The form of a time that the mappers of Airflow's partitioned timetables expect.
_PARTITION_TIME = "%Y-%m-%dT%H:%M:%S"


class ZendeskIncrementalExportOperator(BaseOperator):
    """Export a resource in one window as partitioned Parquet, complete and exactly once.

    The window is made of whole slices of the dataset's grain. Each slice is one object, published when it is proven
    complete. A rerun writes the same keys, and writes nothing if the rows are the same.

    Of tickets, users and organizations a slice has the objects that last changed in it. Small lists like groups have no
    window: each run exports the whole list, as it is now, into the slice of the day.

    The operator returns a report, and adds it to the event of each asset among ``outlets``. Above a hundred slices, the
    report has only totals. On Airflow 3.3 and newer, the event has a partition key: the start of the window, like
    ``2026-01-31T00:00:00``, or if it has several slices, its start and its end with ``--`` between them.

    :param destination: where the dataset is: any URL of Airflow's object storage, like
        ``s3://conn_id@bucket/zendesk`` or ``file:///data/zendesk``. (templated)
    :param resource: ``ticket_events``, ``ticket_metric_events``, ``tickets``, ``users``, ``organizations``, or a list
        like ``groups``; docs/objects.md names all. (templated)
    :param zendesk_conn_id: the connection of the account. (templated)
    :param start: start of the window, a UTC day like ``2026-01-31`` or a time with its zone. (templated)
    :param end: first instant after the window. Defaults to the run's data interval if both are None or render to an
        empty string. (templated)
    :param grain: length of a slice, like ``1d``, ``1h``, ``15m`` or a ``timedelta``; None for the dataset's own, or a
        day for a new dataset.
    :param include: sideloads; ``ticket_events`` offers ``comment_events``, the texts of comments, and ``tickets``
        offers ``metric_sets``.
    :param private_comments: whether private comments keep their texts.
    :param drop_fields: fields that are left out, like ``system.location`` or ``child_events.body``.
    :param hash_fields: fields that are replaced by a keyed hash; the key is the extra ``hash_key`` of the connection.
    :param support_type_scope: ``all``, ``agent`` or ``ai_agent``; Zendesk's own default is ``agent``.
    :param settle: how old an event must be, by Zendesk's clock, to be exported. Less than 90 seconds means 90 seconds.
    :param if_exists: ``replace`` exports existing slices again; ``skip`` keeps them unchanged.
    :param allow_shrink: whether a slice may lose events that are stored, to erase events that Zendesk has redacted.
    :param wait_timeout: how long each try of the task may wait outside of its worker in all, while Zendesk fails or its
        rate limit refuses requests. Such waits need no retry: the task is ``up_for_reschedule``. So is a task whose
        window has not settled; this does not count.
    """

    template_fields: Sequence[str] = ("resource", "destination", "zendesk_conn_id", "start", "end")
    ui_color = "#e8f4ea"
    operator_extra_links = (CoverageLink(), ObjectsLink())
    _report: "ExportReport | None" = None

    def __init__(  # noqa: PLR0913  one keyword for each option
        self,
        *,
        destination: str,
        resource: str = "ticket_events",
        zendesk_conn_id: str = "zendesk_default",
        start: datetime | str | None = None,
        end: datetime | str | None = None,
        grain: timedelta | str | None = None,
        include: Sequence[str] = (),
        private_comments: bool = False,
        drop_fields: Sequence[str] = (),
        hash_fields: Sequence[str] = (),
        support_type_scope: str = "all",
        settle: timedelta | str = DEFAULT_SETTLE,
        if_exists: Literal["replace", "skip"] = "replace",
        allow_shrink: bool = False,
        wait_timeout: timedelta | str = "1d",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.destination = destination
        self.resource = resource
        self.zendesk_conn_id = zendesk_conn_id
        self.start = start
        self.end = end
        self.grain = grain
        self.include = include
        self.private_comments = private_comments
        self.drop_fields = drop_fields
        self.hash_fields = hash_fields
        self.support_type_scope = support_type_scope
        self.settle = settle
        self.if_exists = if_exists
        self.allow_shrink = allow_shrink
        self.wait_timeout = wait_timeout

    @cached_property
    def hook(self) -> "ZendeskHook":
        """The hook of the account."""
        # Imported here and below, because Airflow parses DAG files every 30 seconds.
        from airflow_zendesk.hooks.zendesk import ZendeskHook  # noqa: PLC0415
        from airflow_zendesk.zendesk.retry import RetryBudget  # noqa: PLC0415

        # A longer wait before the first page needs no worker. Later ones stay in it and keep the pages that a slice has
        # so far: otherwise a limit that is reached again and again could keep a slice from ever being complete.
        budget = RetryBudget(first_page_seconds=LONG_WAIT.total_seconds())
        return ZendeskHook(self.zendesk_conn_id, retry_budget=budget)

    def execute(self, context: Context) -> dict[str, Any]:
        """Export the window. Returns the report."""
        from airflow_zendesk.export.run import export_window  # noqa: PLC0415
        from airflow_zendesk.export.telemetry import Telemetry  # noqa: PLC0415

        with errors_to_failures():
            window = self._window(context)
            settle = timedelta(seconds=settle_seconds(self._settle()))
            timeout = to_timedelta(self.wait_timeout, "wait_timeout")
            tags = {"dag_id": self.dag_id, "task_id": self.task_id, "account": self.hook.connection_settings.host}
        settled = window.end + settle if window else None
        # This only saves a worker or a request: Zendesk's clock decides, and it refuses a window that is not over.
        if window and settled and window.end <= datetime.now(UTC):
            wait_until(settled, self.log.info)
        telemetry = Telemetry(self.log.info, tags, is_scheduled=_is_scheduled(context))
        waits = zendesk_waits(context, timeout, self.log.warning, settled=settled, has_pages=telemetry.has_pages)
        with errors_to_failures(), waits:
            report = export_window(
                self.hook,
                self.destination,
                self._query(),
                window,
                grain=None if self.grain is None else Grain.of(self.grain),
                settle=self._settle(),
                if_exists=self.if_exists,
                allow_shrink=self.allow_shrink,
                on_progress=telemetry,
            )
        for line in report.lines():
            self.log.info(line)
        for warning in report.warnings():
            self.log.warning(warning)
        self._update_assets(context, report)
        self._report = report
        return report.to_event()

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:  # noqa: ARG002  Airflow's signature
        """The lineage of the run, for Airflow's OpenLineage provider."""
        from airflow_zendesk.operators.lineage import lineage_of_export  # noqa: PLC0415

        return lineage_of_export(self._report.to_dict()) if self._report else None

    def _update_assets(self, context: Context, report: "ExportReport") -> None:
        for outlet in self.outlets:
            if isinstance(outlet, Asset):
                event = context["outlet_events"][outlet]
                # Also if no slice has changed: an attempt that was killed after it had published some did not report
                # them, and the next one finds them unchanged. A load skips slices that it has loaded.
                event.extra = report.to_event()
                add_partition_key(event, _partition_key(report))

    def _window(self, context: Context) -> Window | None:
        """The window; None for a list, which is exported as it is now."""
        if self.resource in RESOURCES and RESOURCES[self.resource].is_list:
            if self.start or self.end:
                raise SettingsError(f"{self.resource} is a list, which has no window. Leave out start and end.")
            return None
        return window_of(context, self.start, self.end)

    def _query(self) -> Query:
        return Query.of(
            self.resource,
            self.include,
            self.support_type_scope,
            private_comments=self.private_comments,
            drop_fields=self.drop_fields,
            hash_fields=self.hash_fields,
        )

    def _settle(self) -> timedelta:
        return to_timedelta(self.settle, "settle")


def _partition_key(report: "ExportReport") -> str:
    """The key of the window. No two windows of a dataset share one, because Airflow may give a single run to both."""
    start, end = (instant.strftime(_PARTITION_TIME) for instant in (report.window.start, report.window.end))
    return start if len(report.slices) == 1 else f"{start}--{end}"


def _is_scheduled(context: Context) -> bool:
    dag_run = context.get("dag_run")
    return dag_run is not None and dag_run.run_type == "scheduled"
