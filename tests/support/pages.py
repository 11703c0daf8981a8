"""What the pages of an export add up to."""

from collections.abc import Iterable

from airflow_zendesk.zendesk.page import Page, RequestStats


def total_stats(pages: Iterable[Page]) -> RequestStats:
    """What the requests for all pages cost."""
    total = RequestStats()
    for page in pages:
        total.requests += page.stats.requests
        total.retries += page.stats.retries
        total.seconds_waited += page.stats.seconds_waited
        total.seconds_limited += page.stats.seconds_limited
    return total
