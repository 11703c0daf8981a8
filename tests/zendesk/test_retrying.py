"""How long to wait after an error, or that it is no use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.exceptions import (
    AuthenticationError,
    DamagedAnswerError,
    PageTimeoutError,
    RateLimitedError,
    ServerError,
    TransportError,
    ZendeskError,
)
from airflow_zendesk.zendesk.retrying import Patience

PATH = "/api/v2/incremental/ticket_events"


def wait(
    error: ZendeskError,
    attempt: int = 1,
    page_spent: float = 0,
    run_spent: float = 0,
    jitter: float = 0.5,
    **budget: float,
) -> float | None:
    """The wait that a patience of that budget finds right."""
    patience = Patience(**budget)
    return patience.wait_after(error, attempt, page_spent=page_spent, run_spent=run_spent, jitter=jitter)


def test_permanent_errors_are_not_retried() -> None:
    """A wrong password does not get better."""
    assert wait(AuthenticationError(401, PATH)) is None


@pytest.mark.parametrize(
    ("error", "attempt", "expected"),
    [
        (RateLimitedError(PATH, 7.0), 1, 7.5),
        (RateLimitedError(PATH, 0.0, next_minute=41.0), 1, 41.5),
        (RateLimitedError(PATH, None, next_minute=41.0), 1, 41.5),
        (ServerError(PATH, 503, 30.0), 3, 30.5),
        (ServerError(PATH, 503, 0.0), 1, 0.75),
        (ServerError(PATH, 500), 1, 0.75),
        (TransportError(PATH, "a reset"), 3, 3.0),
        (DamagedAnswerError(PATH, 5, "cut"), 20, 45.0),
        (PageTimeoutError(PATH, "504"), 9, 1.0),
    ],
)
def test_wait_is_what_zendesk_asked_for_or_grows(error: ZendeskError, attempt: int, expected: float) -> None:
    """Zendesk's wish wins; a limit without one ends with the minute; other faults wait twice as long each time."""
    assert expected == wait(error, attempt)


def test_wait_beyond_a_budget_is_not_begun() -> None:
    """An absurd Retry-After ends the run instead of sleeping through the night; page and run have a budget each."""
    minute = RateLimitedError(PATH, 60.0)
    assert wait(RateLimitedError(PATH, 86_400.0)) is None
    assert 60.0 == wait(minute, page_spent=40, jitter=0, page_seconds=100)
    assert wait(minute, page_spent=41, jitter=0, page_seconds=100) is None
    assert 60.0 == wait(minute, run_spent=40, jitter=0, run_seconds=100)
    assert wait(minute, run_spent=41, jitter=0, run_seconds=100) is None


@given(st.lists(st.floats(0, 2_000) | st.none(), min_size=1, max_size=50), st.floats(0, 1), st.floats(1, 5_000))
def test_waits_respect_zendesk_and_the_budget(wishes: list[float | None], jitter: float, budget: float) -> None:
    """Law: no wait is below Retry-After, and all of them together are within the budget."""
    spent = 0.0
    for attempt, wish in enumerate(wishes, start=1):
        waited = wait(RateLimitedError(PATH, wish), attempt, spent, spent, jitter, page_seconds=budget)
        if waited is None:
            break
        assert waited >= (wish or 0.0)
        spent += waited
    assert spent <= budget
