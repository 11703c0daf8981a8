"""How long to wait after an error, or that it is no use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.exceptions import (
    AuthenticationError,
    PageTimeoutError,
    RateLimitedError,
    ServerError,
    TransportError,
    ZendeskError,
)
from airflow_zendesk.zendesk.retry import RetryBudget

PATH = "/api/v2/incremental/ticket_events"


def wait(error: ZendeskError, attempt: int = 1, jitter: float = 0.5) -> float | None:
    """The wait that an ordinary patience finds right."""
    return RetryBudget().wait_after(error, attempt, jitter=jitter)


def test_permanent_errors_are_not_retried() -> None:
    """A wrong password does not get better."""
    assert wait(AuthenticationError(401, PATH)) is None


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
def test_wait_is_what_zendesk_asked_for_or_grows(error: ZendeskError, attempt: int, expected: float) -> None:
    """Zendesk's wish wins; a limit without one ends with the minute; other faults wait twice as long each time."""
    assert expected == wait(error, attempt)


def test_page_and_run_have_a_budget_each() -> None:
    """What is left is the smaller of the two, and never less than nothing."""
    patience = RetryBudget(page_seconds=100, run_seconds=300)
    assert 100.0 == patience.left(page_spent=0, run_spent=0)
    assert 60.0 == patience.left(page_spent=40, run_spent=40)
    assert 10.0 == patience.left(page_spent=40, run_spent=290)
    assert 0.0 == patience.left(page_spent=500, run_spent=500)


@given(st.floats(0, 2_000) | st.none(), st.integers(1, 100), st.floats(0, 1))
def test_wait_is_never_below_what_zendesk_asks(wish: float | None, attempt: int, jitter: float) -> None:
    """Law: not below Retry-After, and never none at all: a server that says zero is not hammered."""
    for error in (RateLimitedError(PATH, wish), ServerError(PATH, 503, wish)):
        waited = wait(error, attempt, jitter)
        assert waited is not None
        assert waited >= (wish or 0.5)
