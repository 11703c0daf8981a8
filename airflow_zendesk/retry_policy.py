"""When a failed export is tried again: a retry policy, for Airflow 3.3 and newer."""

from datetime import timedelta

from airflow.sdk import Context

from airflow_zendesk.exceptions import RateLimitedError, ServerError, ZendeskError

try:
    from airflow.sdk import RetryDecision, RetryPolicy
except ImportError:
    raise ImportError("Retry policies came with Airflow 3.3; before it, a task has retries and retry_delay.") from None


class ZendeskRetryPolicy(RetryPolicy):
    """Wait as long as Zendesk asked for, and do not retry what no retry mends.

    For the argument ``retry_policy`` of a task. Exceptions of other kinds are left to the task's ``retry_delay``; its
    number of retries is the limit here too.
    """

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,  # noqa: ARG002  RetryPolicy's signature
        max_tries: int,  # noqa: ARG002
        context: Context | None = None,  # noqa: ARG002
    ) -> RetryDecision:
        """Decide by what the export ended in."""
        if not isinstance(exception, ZendeskError):
            return RetryDecision.default()
        if not exception.retryable:
            return RetryDecision.fail(str(exception))
        wish: float | None = None
        if isinstance(exception, RateLimitedError):
            wish = exception.retry_after or exception.next_minute
        elif isinstance(exception, ServerError):
            wish = exception.retry_after
        return RetryDecision.retry(timedelta(seconds=wish) if wish else None, str(exception))
