"""The request for one page of an export, over all its attempts."""

from dataclasses import dataclass
from datetime import UTC, datetime

import requests

from airflow_zendesk.exceptions import OversizedResponseError, PageNotRetrievableError, PageTimeoutError
from airflow_zendesk.zendesk.list_paging import ListSweep
from airflow_zendesk.zendesk.paging import Sweep
from airflow_zendesk.zendesk.resources import Query


@dataclass(slots=True, kw_only=True)
class PageRequest:
    """The request for one page, over all its attempts.

    ``token_renewed`` says that the access token was renewed for it, ``reduced`` that its last failure made the page
    smaller.
    """

    session: requests.Session
    query: Query
    sweep: Sweep | ListSweep
    started: float
    token_renewed: bool = False
    reduced: bool = False

    def is_too_heavy(self, error: BaseException) -> bool:
        """Whether a smaller page may help; it does not help a request for an access token."""
        return isinstance(error, PageTimeoutError | OversizedResponseError) and error.path == self.query.resource.path

    @property
    def page(self) -> str:
        """The page of the next attempt, for messages."""
        at = datetime.fromtimestamp(self.sweep.start_time, UTC)
        return f"{at:%Y-%m-%dT%H:%M:%SZ} with per_page={self.sweep.page_size.per_page}"

    def not_retrievable(self, error: OversizedResponseError) -> PageNotRetrievableError:
        """The error of a page that is too large even with a single record."""
        return PageNotRetrievableError(self.query.resource.path, self.page, str(error))
