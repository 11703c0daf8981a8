"""How long to wait after an error before asking again, or that it is no use. Decisions only: nobody sleeps here."""

from dataclasses import dataclass

from airflow_zendesk.exceptions import PageTimeoutError, RateLimitedError, ServerError, TransientError, ZendeskError


@dataclass(frozen=True, slots=True)
class Patience:
    """How much time faults may cost before a run gives up and leaves the rest to Airflow's retries.

    Args:
        page_seconds: from the first attempt at a page to the last; a wait that would go beyond is not begun.
        run_seconds: the same for all pages of a run that met a fault, together.
        first_wait: after the first fault that names no wait; it doubles from fault to fault.
        longest_wait: the longest such wait.
    """

    page_seconds: float = 1_800.0
    run_seconds: float = 7_200.0
    first_wait: float = 1.0
    longest_wait: float = 60.0

    def wait_after(
        self, error: ZendeskError, attempt: int, *, page_spent: float, run_spent: float, jitter: float
    ) -> float | None:
        """Seconds to wait before the next attempt, or None to give up.

        Zendesk's own wish wins. A rate limit without one is over with the minute of Zendesk's clock. A page that is too
        slow is asked for again at once, for it will be a smaller one. Everything else waits longer each time, and by
        chance, so that many workers do not come back together.

        Args:
            error: what the attempt ended in.
            attempt: which one it was, from 1.
            page_spent: seconds since the first attempt at this page.
            run_spent: seconds that faults have cost the run, this page included.
            jitter: a random number from 0 to 1.
        """
        if not isinstance(error, TransientError):
            return None
        wish = error.retry_after if isinstance(error, RateLimitedError | ServerError) else None
        if wish:
            wait = wish + jitter
        elif isinstance(error, RateLimitedError):
            wait = error.next_minute + jitter
        elif isinstance(error, PageTimeoutError):
            wait = self.first_wait
        else:
            wait = min(self.longest_wait, self.first_wait * 2 ** (attempt - 1)) * (0.5 + jitter / 2)
        left = min(self.page_seconds - page_spent, self.run_seconds - run_spent)
        return wait if wait <= left else None
