"""The retry policy: when a failed export is retried."""

from datetime import UTC, datetime, timedelta

import pytest
from airflow.sdk import DAG, BaseOperator

from airflow_zendesk.exceptions import (
    AuthenticationError,
    RateLimitedError,
    ServerError,
    SliceChangedError,
    TransportError,
)

sdk = pytest.importorskip("airflow.sdk.definitions.retry_policy", reason="retry policies need Airflow 3.3")
PATH = "/api/v2/incremental/ticket_events"


@pytest.mark.parametrize(
    ("error", "action", "seconds"),
    [
        (RateLimitedError(PATH, 90.0), "retry", 90),
        (RateLimitedError(PATH, None, 41.0), "retry", 41),
        (RateLimitedError(PATH, 0.0, 41.0), "retry", 41),
        (ServerError(PATH, 503, 300.0), "retry", 300),
        (ServerError(PATH, 500), "retry", None),
        (TransportError(PATH, "a reset"), "retry", None),
        (SliceChangedError("s3://bucket/key"), "retry", None),
        (AuthenticationError(401, PATH), "fail", None),
        (OSError("disk full"), "default", None),
    ],
)
def test_policy_waits_as_long_as_zendesk_asked(error: BaseException, action: str, seconds: int | None) -> None:
    """Permanent errors are not retried; for other exceptions the task's own settings apply."""
    from airflow_zendesk.retry_policy import ZendeskRetryPolicy  # noqa: PLC0415  only where Airflow has policies

    decision = ZendeskRetryPolicy().evaluate(error, 1, 3)
    assert (sdk.RetryAction(action), None if seconds is None else timedelta(seconds=seconds)) == (
        decision.action, decision.retry_delay,
    )  # fmt: skip
    assert (decision.reason or str(error)) == str(error)


def test_policy_can_be_serialized_in_a_dag() -> None:
    """Airflow stores each DAG serialized; a policy that it cannot serialize would make the whole DAG fail."""
    from airflow.serialization.serialized_objects import DagSerialization  # noqa: PLC0415

    from airflow_zendesk.retry_policy import ZendeskRetryPolicy  # noqa: PLC0415

    with DAG("exports", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
        BaseOperator(task_id="export", retries=3, retry_policy=ZendeskRetryPolicy())
    (task,) = DagSerialization.to_dict(dag)["dag"]["tasks"]
    assert task["__var"]["has_retry_policy"]
