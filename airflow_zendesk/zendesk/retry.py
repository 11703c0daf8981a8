"""How long to wait after an error before asking again, or that it is no use. Decisions only: nobody sleeps here."""

from dataclasses import dataclass

from airflow_zendesk.exceptions import RateLimitedError, ServerError, TransientError, ZendeskError


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """How much time faults may cost before a run gives up and leaves the rest to Airflow's retries.

    Args:
        page_seconds: from the first attempt at a page to the last; a wait that would go beyond is not begun.
        run_seconds: the same for all pages of a run that met a fault, together.
        first_wait: after the first fault that names no wait; it doubles from fault to fault. No wait that Zendesk
            names is kept shorter.
        longest_wait: the longest that doubling leads to.
    """

    page_seconds: float = 1_800.0
    run_seconds: float = 7_200.0
    first_wait: float = 1.0
    longest_wait: float = 60.0

    def wait_after(self, error: ZendeskError, attempt: int, *, jitter: float) -> float | None:
        """Seconds to wait before the next attempt, or None because none is of use.

        Zendesk's own wish wins. A rate limit without one is over with the minute of Zendesk's clock. Everything else
        waits longer each time, and by chance, so that many workers do not come back together.

        Args:
            error: what the attempt ended in.
            attempt: which one it was, from 1.
            jitter: a random number from 0 to 1.
        """
        if not isinstance(error, TransientError):
            return None
        wish = error.retry_after if isinstance(error, RateLimitedError | ServerError) else None
        if wish:
            return max(wish, self.first_wait) + jitter
        if isinstance(error, RateLimitedError):
            return error.next_minute + jitter
        doublings = min(attempt - 1, 32)
        return min(self.longest_wait, self.first_wait * 2.0**doublings) * (0.5 + jitter / 2)

    def left(self, *, page_spent: float, run_spent: float) -> float:
        """Seconds that waits may still take.

        Args:
            page_spent: seconds since the first attempt at this page.
            run_spent: seconds that faults have cost the run, this page included.
        """
        return max(0.0, min(self.page_seconds - page_spent, self.run_seconds - run_spent))
