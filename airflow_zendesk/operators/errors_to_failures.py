"""Turn errors that no retry can resolve into task failures that Airflow does not retry."""

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_zendesk.exceptions import ZendeskError


@contextmanager
def errors_to_failures() -> Iterator[None]:
    """Fail the task at once after an error of this package that a retry cannot resolve.

    Raises:
        AirflowFailException: the error is permanent. Airflow does not retry the task.
        ZendeskError: the error is transient. Airflow retries the task.
    """
    try:
        yield
    except ZendeskError as error:
        if error.retryable:
            raise
        raise AirflowFailException(str(error)) from None
