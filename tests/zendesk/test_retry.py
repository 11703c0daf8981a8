"""Waits before a retry, and the budget for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.exceptions import (
    PageTimeoutError,
    RateLimitedError,
    ServerError,
    TransientError,
    TransportError,
)
from airflow_zendesk.zendesk.retry import RetryBudget

PATH = "/api/v2/incremental/ticket_events"


def wait(error: TransientError, attempt: int = 1, jitter: float = 0.5) -> float:
    """The wait with default settings."""
    return RetryBudget().wait_after(error, attempt, jitter=jitter)


@pytest.mark.parametrize(
    ("error", "attempt", "expected"),
    [
        (RateLimitedError(PATH, 7.0), 1, 7.5),
        (RateLimitedError(PATH, 0.001), 1, 1.5),
        (RateLimitedError(PATH, 86_400.0), 1, 86_400.5),
        (RateLimitedError(PATH, 0.0, next_minute=41.0), 1, 41.5),
        (RateLimitedError(PATH, None, next_minute=41.0), 1, 41.5),
        (ServerError(PATH, 503, 30.0), 3, 30.5),
        (ServerError(PATH, 503, 0.0), 1, 0.75),
        (ServerError(PATH, 500), 1, 0.75),
        (TransportError(PATH, "a reset"), 3, 3.0),
        (TransportError(PATH, "cut"), 20, 45.0),
        (TransportError(PATH, "cut"), 20_000, 45.0),
        (PageTimeoutError(PATH, "504"), 4, 6.0),
    ],
)
def test_retry_after_has_precedence_and_other_waits_double(
    error: TransientError, attempt: int, expected: float
) -> None:
    """A rate limit without Retry-After ends with the minute of Zendesk's clock."""
    assert expected == wait(error, attempt)


def test_page_and_run_have_a_budget_each() -> None:
    """The smaller of the two is left, and never less than zero."""
    budget = RetryBudget(page_seconds=100, run_seconds=300)
    assert 100.0 == budget.left(page_spent=0, run_spent=0)
    assert 60.0 == budget.left(page_spent=40, run_spent=40)
    assert 10.0 == budget.left(page_spent=40, run_spent=290)
    assert 0.0 == budget.left(page_spent=500, run_spent=500)


def test_first_page_and_first_contact_have_smaller_budgets() -> None:
    """They never enlarge that of a page."""
    budget = RetryBudget(first_page_seconds=90)
    assert 1_800.0 == budget.left(page_spent=0, run_spent=0)
    assert 90.0 == budget.left(page_spent=0, run_spent=0, has_page=False)
    assert 50.0 == budget.left(page_spent=10, run_spent=10, has_page=False, has_contact=False)
    assert 20.0 == RetryBudget(page_seconds=20).left(page_spent=0, run_spent=0, has_page=False, has_contact=False)


@given(st.floats(0, 2_000) | st.none(), st.integers(1, 100), st.floats(0, 1))
def test_wait_is_never_shorter_than_retry_after(retry_after: float | None, attempt: int, jitter: float) -> None:
    """Law: also for a Retry-After of zero there is a wait, so that a server is not flooded."""
    for error in (RateLimitedError(PATH, retry_after), ServerError(PATH, 503, retry_after)):
        assert wait(error, attempt, jitter) >= (retry_after or 0.5)
