"""Airflow retry policy for tasks that request Zendesk (Airflow 3.3 and newer)."""

from datetime import timedelta

from airflow.sdk import Context

from airflow_zendesk.exceptions import RateLimitedError, ServerError, ZendeskError

try:
    from airflow.sdk import RetryDecision, RetryPolicy
except ImportError:
    raise ImportError("Retry policies need Airflow 3.3. On older versions, use retries and retry_delay.") from None


class ZendeskRetryPolicy(RetryPolicy):
    """Wait as long as Zendesk's response requires, and do not retry errors that a retry cannot resolve.

    Use it as the argument ``retry_policy`` of a verification with ``source``, or of a task that uses the hook. An
    export needs no policy, because it is rescheduled for long waits. For exceptions of other packages, the task's
    ``retry_delay`` applies. The task's number of ``retries`` limits this policy too.
    """

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,  # noqa: ARG002  RetryPolicy's signature
        max_tries: int,  # noqa: ARG002
        context: Context | None = None,  # noqa: ARG002
    ) -> RetryDecision:
        """Decide whether and when to retry after the exception of a failed try."""
        if not isinstance(exception, ZendeskError):
            return RetryDecision.default()
        if not exception.retryable:
            return RetryDecision.fail(str(exception))
        delay: float | None = None
        if isinstance(exception, RateLimitedError):
            delay = exception.retry_after or exception.next_minute
        elif isinstance(exception, ServerError):
            delay = exception.retry_after
        return RetryDecision.retry(timedelta(seconds=delay) if delay else None, str(exception))
