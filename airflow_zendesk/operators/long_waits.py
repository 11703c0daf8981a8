"""Long waits without a worker: the task ends, and Airflow starts it again at a given time.

Such a task is ``up_for_reschedule``, like a sensor of that mode. It holds neither a worker nor a pool slot, uses no
retry, and needs no triggerer.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import Context

from airflow_zendesk.compat import AirflowRescheduleException
from airflow_zendesk.exceptions import RateLimitedError, ServerError

#: Shorter waits stay in the worker, because another start of the task takes seconds too.
LONG_WAIT = timedelta(minutes=1)
#: The longest wait after a failure for which Zendesk names no time.
_MAX_BACKOFF = timedelta(minutes=15)


def wait_until(moment: datetime, log: Callable[..., object]) -> None:
    """Leave the worker until the window has settled; return at once if that is near.

    Args:
        moment: when it has settled.
        log: writes a line to the log, with arguments to fill in.

    Raises:
        AirflowRescheduleException: Airflow starts the task again at that time.
    """
    if moment - datetime.now(UTC) > LONG_WAIT:
        log("The window has not settled yet. The task leaves its worker and starts again at %s.", moment.isoformat())
        raise AirflowRescheduleException(moment)  # type: ignore[no-untyped-call]


@contextmanager
def zendesk_waits(
    context: Context,
    timeout: timedelta,
    log: Callable[..., object],
    *,
    settled: datetime | None,
    has_pages: Callable[[], bool],
) -> Iterator[None]:
    """Leave the worker when Zendesk refuses or fails for longer than the task should wait in it.

    Args:
        context: the context of the task.
        timeout: how long such waits may take in all, from the first of them in this try.
        log: writes a line to the log, with arguments to fill in.
        settled: when the window has settled, None for a list. The wait until then does not count.
        has_pages: whether this start of the task has received pages.

    Raises:
        AirflowRescheduleException: Airflow starts the task again, at the time that Zendesk named, and after a minute
            at the earliest. If it named none, each wait is as long as the time since the first one, and at most 15
            minutes.
        AirflowFailException: the wait would end after the timeout. Airflow does not retry the task.
        RateLimitedError, ServerError: the same after this start of the task has received pages, so that Airflow retries
            it; or Airflow does not run the task.
    """
    try:
        yield
    except (RateLimitedError, ServerError) as error:
        if "ti" not in context:
            # A call of `execute` in a test or a notebook: no scheduler could start it again.
            raise
        now = datetime.now(UTC)
        first = context["ti"].get_first_reschedule_date(context) or now
        waited = max(now - max(first, settled or first), timedelta())
        backoff = min(max(waited, LONG_WAIT), _MAX_BACKOFF)
        wait = max(timedelta(seconds=error.retry_after), LONG_WAIT) if error.retry_after else backoff
        if waited + wait > timeout and has_pages():
            # Airflow knows only when the try left its worker first. Since then it may have exported for days.
            raise
        if waited + wait > timeout:
            raise AirflowFailException(
                f"{error} The task has waited {_whole(waited)}, and {_whole(wait)} more would exceed its wait_timeout "
                f"of {_whole(timeout)}. Published slices remain; run the task again later, or raise wait_timeout."
            ) from None
        log("%s The task leaves its worker and starts again after %s. Published slices remain.", error, _whole(wait))
        raise AirflowRescheduleException(now + wait) from None  # type: ignore[no-untyped-call]


def _whole(length: timedelta) -> timedelta:
    """In whole seconds, for messages."""
    return timedelta(seconds=round(length.total_seconds()))
