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
            at the earliest. If it named none, after the time since the first wait, from a minute to 15.
        AirflowFailException: the wait would end after the timeout. Airflow does not retry the task.
        RateLimitedError, ServerError: the same, but this start of the task has received pages, so Airflow may retry it;
            or Airflow does not run the task.
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
        wait = _wait_after(error, waited)
        if waited + wait > timeout:
            if has_pages():
                raise  # Airflow knows only when the first wait began. Since then it may have exported for days.
            raise AirflowFailException(f"{error} {_beyond(timeout, waited, wait)}") from None
        log("%s The task leaves its worker and starts again after %s. Published slices remain.", error, _whole(wait))
        raise AirflowRescheduleException(now + wait) from None  # type: ignore[no-untyped-call]


def _wait_after(error: RateLimitedError | ServerError, waited: timedelta) -> timedelta:
    """How long the task stays away: as long as Zendesk requests, or as it has waited so far."""
    if error.retry_after:
        return max(timedelta(seconds=error.retry_after), LONG_WAIT)
    return min(max(waited, LONG_WAIT), _MAX_BACKOFF)


def _beyond(timeout: timedelta, waited: timedelta, wait: timedelta) -> str:
    return (
        f"The task has waited {_whole(waited)}, and {_whole(wait)} more would exceed its wait_timeout of "
        f"{_whole(timeout)}. Published slices remain; run the task again later, or raise wait_timeout."
    )


def _whole(length: timedelta) -> timedelta:
    """In whole seconds, for messages."""
    return timedelta(seconds=round(length.total_seconds()))
