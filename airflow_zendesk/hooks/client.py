"""HTTP client of one run: authenticated requests within the rate limit, and retries within a budget."""

import logging
import random
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import NoReturn

import requests
from airflow.sdk.log import mask_secret
from tenacity import RetryCallState, Retrying, retry_if_exception

from airflow_zendesk import __version__
from airflow_zendesk.exceptions import (
    AuthenticationError,
    OversizedResponseError,
    RateLimitedError,
    RequestRefusedError,
    ServerError,
    TransientError,
    TransportError,
)
from airflow_zendesk.hooks import transport
from airflow_zendesk.hooks.auth import NoAuth, TokenCache, authentication
from airflow_zendesk.hooks.connection import ConnectionSettings, secret_variants
from airflow_zendesk.hooks.page_request import PageRequest
from airflow_zendesk.wording import counted
from airflow_zendesk.zendesk.list_paging import ListSweep
from airflow_zendesk.zendesk.oauth import TOKEN_PATH, Token, read_token, token_request
from airflow_zendesk.zendesk.page import RequestStats
from airflow_zendesk.zendesk.paging import Sweep
from airflow_zendesk.zendesk.rate_limit import RateLimit, RateLimiter
from airflow_zendesk.zendesk.resources import Query
from airflow_zendesk.zendesk.response import ExportResponse, parse_response
from airflow_zendesk.zendesk.response_errors import error_for
from airflow_zendesk.zendesk.retry import RetryBudget

logger = logging.getLogger(__name__)

#: How Zendesk may refuse a cursor that has expired.
_CURSOR_REFUSED = {HTTPStatus.BAD_REQUEST, HTTPStatus.GONE, HTTPStatus.UNPROCESSABLE_ENTITY}
HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": f"airflow-zendesk/{__version__}",
}


class Client:
    """Requests of one run to one account.

    Args:
        connection: where the account is, and its credentials.
        retry_budget: how long retries may take.
        sleep: waits a number of seconds.
        clock: seconds of any steady clock.
    """

    def __init__(
        self,
        connection: ConnectionSettings,
        retry_budget: RetryBudget,
        sleep: Callable[[float], None],
        clock: Callable[[], float],
    ) -> None:
        self._connection = connection
        self._retry_budget = retry_budget
        self._sleep = sleep
        self._clock = clock
        self._rate_limiters: dict[RateLimit, RateLimiter] = {}
        self._token_cache = TokenCache(self._request_token, clock)
        self._stats = RequestStats()
        self._seconds_retried = 0.0
        self._has_contact = False
        self._has_page = False

    def open_session(self) -> requests.Session:
        """A session with the account's credentials, for a whole run."""
        session = self._plain_session()
        session.auth = authentication(self._connection, self._token_cache)
        return session

    def fetch_page(
        self, session: requests.Session, query: Query, sweep: Sweep | ListSweep
    ) -> tuple[ExportResponse, RequestStats]:
        """Fetch the page that the sweep needs next; also returns its cost, with waits since the previous page.

        Raises:
            ZendeskError: the error of the last attempt.
        """
        self._wait_for_rate_limit(query)
        request = PageRequest(session=session, query=query, sweep=sweep, started=self._clock())
        retrying = Retrying(
            retry=retry_if_exception(lambda error: self._can_retry(request, error)),
            wait=lambda state: self._retry_wait(request, _error(state), state.attempt_number),
            stop=lambda state: state.upcoming_sleep > self._budget_left(request, _error(state)),
            before_sleep=lambda state: self._wait_after(request, _error(state), state),
            # The limiter's wait, which counts from the end of the failure's own wait.
            sleep=lambda _: self._wait_for_rate_limit(query),
            retry_error_callback=lambda state: self._give_up(request, _error(state), state),
        )
        response: ExportResponse = retrying(self._request_page, request)
        self._has_page = True
        if retrying.statistics["attempt_number"] > 1:
            self._seconds_retried += self._clock() - request.started
        stats, self._stats = self._stats, RequestStats()
        return response, stats

    def get(self, session: requests.Session, path: str, **params: str | int) -> bytes:
        """The body of a single request that is not an export; it is not retried.

        Raises:
            ZendeskError: the status is not 200.
        """
        response = self._send(session, "GET", path, params=params)
        if response.status != HTTPStatus.OK:
            raise error_for(path, response.status, response.headers, response.body)
        return response.body

    def rate_limiter(self, query: Query) -> RateLimiter:
        """The limiter of the requests of a query."""
        limit = query.resource.rate_limit
        return self._rate_limiters.setdefault(limit, RateLimiter(self._connection.requests_per_minute, limit))

    def pause(self, seconds: float, *, limited: bool = False) -> None:
        """Wait, and count the seconds; ``limited`` says that a rate limit is the reason."""
        if seconds > 0:
            self._stats.seconds_waited += seconds
            self._stats.seconds_limited += seconds * limited
            self._sleep(seconds)

    def _wait_for_rate_limit(self, query: Query) -> None:
        self.pause(self.rate_limiter(query).wait(self._clock()), limited=True)

    def _request_page(self, request: PageRequest) -> ExportResponse:
        self._stats.requests += 1
        query, sweep = request.query, request.sweep
        requested_at = self._clock()
        response = self._send(request.session, "GET", query.resource.path, params=sweep.params(query))
        self._has_contact = True
        self.rate_limiter(query).update(response.headers, requested_at, self._clock())
        return parse_response(query.resource, sweep.start_time, response.status, response.headers, response.body)

    def _can_retry(self, request: PageRequest, error: BaseException) -> bool:
        """Whether another attempt can succeed; first renews the token, or the cursor, or reduces the page."""
        if isinstance(error, RequestRefusedError) and error.status in _CURSOR_REFUSED and request.sweep.restart():
            return True
        if isinstance(error, AuthenticationError) and not request.token_renewed:
            request.token_renewed = self._token_cache.invalidate()
            return request.token_renewed
        request.reduced = request.is_too_heavy(error) and request.sweep.page_size.reduce(request.sweep.start_time)
        if isinstance(error, OversizedResponseError) and request.is_too_heavy(error) and not request.reduced:
            raise request.not_retrievable(error) from error
        return request.reduced or isinstance(error, TransientError)

    def _retry_wait(self, request: PageRequest, error: BaseException, attempt: int) -> float:
        """Seconds to wait before the next attempt."""
        if isinstance(error, RequestRefusedError | OversizedResponseError):
            return 0.0
        if request.reduced:
            return self._retry_budget.first_wait
        assert isinstance(error, TransientError)
        return self._retry_budget.wait_after(error, attempt, jitter=random.random())  # noqa: S311  no secret

    def _budget_left(self, request: PageRequest, error: BaseException) -> float:
        spent = self._clock() - request.started
        has_contact = self._has_contact or not isinstance(error, TransportError)
        # A page that timed out may be too large. Only this run can reduce it: another one starts with the largest size.
        has_page = self._has_page or not isinstance(error, RateLimitedError | ServerError)
        return self._retry_budget.left(
            page_spent=spent,
            run_spent=self._seconds_retried + spent,
            has_page=has_page,
            has_contact=has_contact,
        )

    def _wait_after(self, request: PageRequest, error: BaseException, state: RetryCallState) -> None:
        """Log the failure, and wait before the next attempt."""
        self._stats.retries += 1
        if isinstance(error, AuthenticationError):
            logger.info("Zendesk no longer accepts the access token. Requesting a new one.")
        else:
            logger.warning(
                "Attempt %d at %s failed, %.0f s left. Retrying in %.1f s with per_page=%d. %s",
                state.attempt_number,
                self._connection.host,
                self._budget_left(request, error),
                state.upcoming_sleep,
                request.sweep.page_size.per_page,
                error,
            )
        self.pause(state.upcoming_sleep, limited=isinstance(error, RateLimitedError))

    def _give_up(self, request: PageRequest, error: BaseException, state: RetryCallState) -> NoReturn:
        """Raise the last error, with the reason why it is the last."""
        if isinstance(error, TransientError):
            spent, left = self._clock() - request.started, self._budget_left(request, error)
            page = f", at last for {request.page}" if request.is_too_heavy(error) else ""
            error.retry_summary = (
                f"Gave up on {self._connection.host} after {counted(state.attempt_number, 'attempt')} in {spent:.0f} s"
                f"{page}: the next wait would be {state.upcoming_sleep:.0f} s, "
                f"and {left:.0f} s of the retry budget are left."
            )
        raise error

    def _request_token(self) -> Token:
        """Request an access token, and mask it in all logs."""
        with self._plain_session() as session:
            body = token_request(self._connection.login, self._connection.secret)
            response = self._send(session, "POST", TOKEN_PATH, json=body)
        token = read_token(response.status, response.headers, response.body)
        for variant in secret_variants(token.access_token):
            mask_secret(variant)
        return token

    def _plain_session(self) -> requests.Session:
        session = transport.Session()
        session.auth = NoAuth()
        session.mount(self._connection.base_url, transport.DeadlineAdapter())
        session.verify = self._connection.verify
        session.proxies.update(self._connection.proxies)
        session.headers.update(HEADERS)
        return session

    def _send(
        self,
        session: requests.Session,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        json: Mapping[str, str] | None = None,
    ) -> transport.Response:
        return transport.exchange(
            session,
            method,
            self._connection.base_url + path,
            params=params,
            json=json,
            timeout=self._connection.timeout,
            max_bytes=self._connection.max_page_bytes,
        )


def _error(state: RetryCallState) -> BaseException:
    """The exception of the failed attempt."""
    assert state.outcome is not None
    error = state.outcome.exception()
    assert error is not None
    return error
