"""Airflow operator that verifies a dataset and fails if it is not complete."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from airflow.sdk import BaseOperator, Context

from airflow_zendesk.exceptions import DatasetIncompleteError
from airflow_zendesk.operators.data_interval import window_of
from airflow_zendesk.operators.errors_to_failures import errors_to_failures

if TYPE_CHECKING:
    from airflow_zendesk.verify.findings import VerificationProgress, VerificationReport

#: How many findings and commands are logged; `airflow-zendesk verify --json` prints all.
_MAX_LOGGED = 20


class ZendeskVerifyDatasetOperator(BaseOperator):
    """Verify that a dataset is complete in a window: every slice is stored, undamaged and certified; ids are unique.

    Reads all slices of the window. If there is a finding, the task fails without retries and logs the findings and the
    commands that repair them. Otherwise it returns the totals.

    :param destination: the destination of the exports. (templated)
    :param resource: the resource of the dataset, like ``ticket_events``. (templated)
    :param zendesk_conn_id: the connection of the account; used only with ``source``. (templated)
    :param start: start of the window, a UTC day like ``2026-01-31`` or a time with its zone. (templated)
    :param end: end of the window, exclusive. Defaults to the run's data interval if both are None or render to an empty
        string. (templated)
    :param source: how many slices, spread over the window, are extracted from Zendesk again and compared; ``"all"`` for
        every slice, None for no comparison. Nothing is published.
    """

    template_fields: Sequence[str] = ("resource", "destination", "zendesk_conn_id", "start", "end")
    ui_color = "#e8f4ea"

    def __init__(
        self,
        *,
        destination: str,
        resource: str = "ticket_events",
        zendesk_conn_id: str = "zendesk_default",
        start: datetime | str | None = None,
        end: datetime | str | None = None,
        source: int | Literal["all"] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.destination = destination
        self.resource = resource
        self.zendesk_conn_id = zendesk_conn_id
        self.start = start
        self.end = end
        self.source = source

    def execute(self, context: Context) -> dict[str, Any]:
        """Verify the window and return the totals."""
        # Imported here because a DAG file is parsed every thirty seconds, and parsing does not need it.
        from airflow_zendesk.verify.source_check import verify_window  # noqa: PLC0415

        with errors_to_failures():
            report = verify_window(
                self.destination,
                self.resource,
                window_of(context, self.start, self.end),
                source=self.source,
                zendesk_conn_id=self.zendesk_conn_id,
                on_progress=self._log_progress,
            )
            if not report.complete:
                self._log_findings(report)
                raise DatasetIncompleteError(report.uri, str(report.window), report.problems(), str(report.findings[0]))
        return report.summary()

    def _log_progress(self, progress: "VerificationProgress") -> None:
        if progress.done % max(1, progress.total // 20) == 0:
            self.log.info("%s", progress)

    def _log_findings(self, report: "VerificationReport") -> None:
        from airflow_zendesk.verify.repair import Target, repair, shell_word  # noqa: PLC0415

        advice = repair(report, Target(self.destination, report.settings, self.zendesk_conn_id))
        for finding in report.findings[:_MAX_LOGGED]:
            self.log.error("%s", finding)
        for uri in advice.move_away[:_MAX_LOGGED]:
            self.log.error("To repair it, move this object out of the dataset's folder: %s", shell_word(uri))
        for command in advice.exports[:_MAX_LOGGED]:
            self.log.error("To repair it, run: %s", command)
        for command in advice.one_pass_exports[:_MAX_LOGGED]:
            self.log.error(
                "To remove duplicate ids, run this, and add --allow-shrink if its count is right: %s", command
            )
