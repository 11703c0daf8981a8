"""Prove a dataset, or fail the run."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import BaseOperator, Context

from airflow_zendesk.exceptions import DatasetIncompleteError, ZendeskError
from airflow_zendesk.operators.data_interval import window_of

if TYPE_CHECKING:
    from airflow_zendesk.verify.findings import Audit, VerificationProgress

#: How many findings and commands the log has; `airflow-zendesk audit --json` has them all.
_LOGGED = 20


class ZendeskVerifyDatasetOperator(BaseOperator):
    """Prove that a dataset is whole in a window: every slice there, undamaged, certified, and every id in it once.

    Reads all slices of the window. If anything is wrong, the task fails, without retries; its log lists what was found
    and the commands that repair it. Otherwise the totals are returned.

    :param destination: where the dataset lies, as for the export. (templated)
    :param resource: ``ticket_events`` or ``ticket_metric_events``. (templated)
    :param zendesk_conn_id: the connection of the account, for ``source``. (templated)
    :param start: first instant of the window, with a time zone. (templated)
    :param end: first instant after the window. The window is the data interval where both are None, or templates that
        come out empty. (templated)
    :param source: compare with Zendesk again, publishing nothing: so many slices spread over the window, or ``all``.
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
        """Audit the window; returns the totals."""
        # What a DAG file need not import to be parsed, which happens every thirty seconds.
        from airflow_zendesk.hooks.zendesk import ZendeskHook  # noqa: PLC0415
        from airflow_zendesk.verify.source_check import verify_window  # noqa: PLC0415

        try:
            audit = verify_window(
                self.destination,
                self.resource,
                window_of(context, self.start, self.end),
                hook=None if self.source is None else ZendeskHook(self.zendesk_conn_id),
                sample=None if self.source == "all" else self.source,
                on_progress=self._tell,
            )
        except ZendeskError as error:
            if error.retryable:
                raise
            raise AirflowFailException(str(error)) from error
        if not audit.whole:
            self._log_findings(audit)
            failure = DatasetIncompleteError(audit.uri, str(audit.window), audit.problems(), str(audit.findings[0]))
            raise AirflowFailException(str(failure)) from failure
        return audit.summary()

    def _tell(self, progress: "VerificationProgress") -> None:
        if progress.done % max(1, progress.total // 20) == 0:
            self.log.info("%s", progress)

    def _log_findings(self, audit: "Audit") -> None:
        from airflow_zendesk.verify.repair import SHIPPED_DAGS, Target, repair  # noqa: PLC0415

        advice = repair(
            audit, Target(self.destination, audit.settings, self.zendesk_conn_id), SHIPPED_DAGS[audit.settings.resource]
        )
        for finding in audit.findings[:_LOGGED]:
            self.log.error("%s", finding)
        for uri in advice.move_away[:_LOGGED]:
            self.log.error("To repair it, move away: %s", uri)
        for command in (*advice.exports[:_LOGGED], *advice.crawls[:_LOGGED]):
            self.log.error("To repair it, run: %s", command)
