"""Waits before retries, and the time that retries may take."""

from dataclasses import dataclass

from airflow_zendesk.exceptions import RateLimitedError, ServerError, TransientError


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryBudget:
    """How many seconds retries may take within a task; after that, Airflow's own retries take over.

    Args:
        page_seconds: from the first attempt at a page to the last; a wait that would end later is not started.
        first_page_seconds: the same for a rate limit or a failing server before the first page of a run, which has
            nothing to lose yet.
        first_contact_seconds: the same for a run that has received no response at all: its host may be wrong.
        run_seconds: the same for all pages of a run that needed a retry, together.
        first_wait: after the first failure without a ``Retry-After``; it doubles with each further one. A
            ``Retry-After`` is never shortened.
        max_wait: the longest wait after doubling.
    """

    page_seconds: float = 1_800.0
    first_page_seconds: float = 1_800.0
    first_contact_seconds: float = 60.0
    run_seconds: float = 7_200.0
    first_wait: float = 1.0
    max_wait: float = 60.0

    def wait_after(self, error: TransientError, attempt: int, *, jitter: float) -> float:
        """Seconds to wait before the next attempt.

        ``Retry-After`` has precedence. A rate limit without one ends with the minute of Zendesk's clock. After other
        failures each wait is longer than the one before, and random, so that workers do not retry at the same moment.

        Args:
            error: the error of the attempt.
            attempt: its number, from 1.
            jitter: a random number from 0 to 1.
        """
        retry_after = error.retry_after if isinstance(error, RateLimitedError | ServerError) else None
        if retry_after:
            return max(retry_after, self.first_wait) + jitter
        if isinstance(error, RateLimitedError):
            return error.next_minute + jitter
        doublings = min(attempt - 1, 32)
        return min(self.max_wait, self.first_wait * 2.0**doublings) * (0.5 + jitter / 2)

    def left(self, *, page_spent: float, run_spent: float, has_page: bool = True, has_contact: bool = True) -> float:
        """Seconds that waits may still take.

        Args:
            page_spent: seconds since the first attempt at this page.
            run_spent: seconds that retries have cost the run, including this page.
            has_page: whether the run has received a page, or failed in a way that has the budget of a later page.
            has_contact: whether the run has received any response.
        """
        limits = [self.page_seconds]
        if not has_page:
            limits.append(self.first_page_seconds)
        if not has_contact:
            limits.append(self.first_contact_seconds)
        return max(0.0, min(min(limits) - page_spent, self.run_seconds - run_spent))
