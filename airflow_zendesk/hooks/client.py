"""One run's conversation with an account: authenticated, paced, patient, and counted."""

import itertools
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

import requests
from airflow.sdk.log import mask_secret

from airflow_zendesk import __version__
from airflow_zendesk.exceptions import (
    AuthenticationError,
    OversizedResponseError,
    PageTimeoutError,
    RateLimitedError,
    TransientError,
    ZendeskError,
)
from airflow_zendesk.hooks import transport
from airflow_zendesk.hooks.auth import NoAuth, TokenCache, authentication
from airflow_zendesk.hooks.connection import ConnectionSettings, secret_variants
from airflow_zendesk.zendesk.oauth import TOKEN_PATH, Token, read_token, token_request
from airflow_zendesk.zendesk.paging import Sweep
from airflow_zendesk.zendesk.rate_limit import RateLimiter
from airflow_zendesk.zendesk.resources import Query
from airflow_zendesk.zendesk.response import Answer, error_for, parse_response
from airflow_zendesk.zendesk.retry import RetryBudget

logger = logging.getLogger(__name__)

HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": f"airflow-zendesk/{__version__}",
}


@dataclass(slots=True)
class RequestStats:
    """What a run has cost the account so far: requests, those of them that were repeats, and the time spent waiting.

    ``seconds_limited`` are those of the seconds waited that the limits of requests have cost.
    """

    requests: int = 0
    retries: int = 0
    seconds_waited: float = 0.0
    seconds_limited: float = 0.0


class Client:
    """Asks an account, for one run.

    Args:
        account: who asks whom.
        patience: how much time faults may cost.
        sleep: how to wait.
        clock: seconds of any steady clock.
    """

    def __init__(
        self,
        account: ConnectionSettings,
        patience: RetryBudget,
        sleep: Callable[[float], None],
        clock: Callable[[], float],
    ) -> None:
        self.traffic = RequestStats()
        self._account = account
        self._patience = patience
        self._sleep = sleep
        self._clock = clock
        self._pace = RateLimiter(account.requests_per_minute)
        self._token_cache = TokenCache(self._mint, clock)
        self._spent_on_faults = 0.0

    def open_session(self) -> requests.Session:
        """A session with the account's credentials: one serves a whole run."""
        session = self._plain_session()
        session.auth = authentication(self._account, self._token_cache)
        return session

    def ask(self, session: requests.Session, query: Query, sweep: Sweep) -> Answer:
        """The page that the sweep wants, asked for as often as the patience allows.

        Raises:
            ZendeskError: what the last attempt ended in.
        """
        self.pause(self._pace.wait(self._clock()), limited=True)
        started = self._clock()
        renewed = False
        for attempt in itertools.count(1):
            try:
                answer = self._ask_once(session, query, sweep)
            except AuthenticationError:
                if renewed or not self._token_cache.invalidate():
                    raise
                renewed, wait, limited = True, 0.0, False
                logger.info("Zendesk takes the access token no more: asking for another one.")
            except ZendeskError as error:
                wait, limited = (
                    self._wait_after(error, attempt, started, query, sweep),
                    isinstance(error, RateLimitedError),
                )
                logger.warning("%s Asking again in %.1f s, with per_page=%d.", error, wait, sweep.per_page)
            else:
                self._spent_on_faults += self._clock() - started if attempt > 1 else 0.0
                return answer
            self.traffic.retries += 1
            self.pause(wait, limited=limited)
            self.pause(self._pace.wait(self._clock()), limited=True)
        raise AssertionError("unreachable")

    def get(self, session: requests.Session, path: str, **params: str | int) -> bytes:
        """The body of something else than an export, asked for once.

        Raises:
            ZendeskError: there was no answer with status 200.
        """
        response = self._send(session, "GET", path, params=params)
        if response.status != HTTPStatus.OK:
            raise error_for(path, response.status, response.headers, response.body)
        return response.body

    @property
    def requests_per_minute(self) -> int:
        """The limit that the answers so far have told, or the connection's own if that is lower."""
        return self._pace.limit

    def pause(self, seconds: float, *, limited: bool = False) -> None:
        """Wait, and count it; ``limited`` says that a limit of requests is the reason."""
        if seconds > 0:
            self.traffic.seconds_waited += seconds
            self.traffic.seconds_limited += seconds * limited
            self._sleep(seconds)

    def _ask_once(self, session: requests.Session, query: Query, sweep: Sweep) -> Answer:
        self.traffic.requests += 1
        params = query.params(sweep.start_time, sweep.per_page)
        asked = self._clock()
        response = self._send(session, "GET", query.resource.path, params=params)
        self._pace.update(response.headers, asked, self._clock())
        return parse_response(query.resource, sweep.start_time, response.status, response.headers, response.body)

    def _wait_after(self, error: ZendeskError, attempt: int, started: float, query: Query, sweep: Sweep) -> float:
        """Seconds to wait before the next attempt; gives up by raising."""
        # Where the token comes from, nothing gets faster by smaller pages.
        too_much = isinstance(error, PageTimeoutError | OversizedResponseError) and error.path == query.resource.path
        smaller = too_much and sweep.ask_for_less()
        spent = self._clock() - started
        if smaller:
            wait: float | None = 0.0 if isinstance(error, OversizedResponseError) else self._patience.first_wait
        else:
            wait = self._patience.wait_after(error, attempt, jitter=random.random())  # noqa: S311  no secret
        left = self._patience.left(page_spent=spent, run_spent=self._spent_on_faults + spent)
        if wait is not None and wait <= left:
            return wait
        if isinstance(error, TransientError):
            error.retry_summary = (
                f"Given up after {attempt} attempt{'s' * (attempt > 1)} in {spent:.0f} s: "
                f"the next wait would be {wait:.0f} s, and {left:.0f} s of patience are left."
            )
        if too_much and not smaller:
            raise sweep.too_heavy(str(error)) from error
        raise error

    def _mint(self) -> Token:
        """Ask for an access token; it is masked in all logs from now on."""
        with self._plain_session() as session:
            request = token_request(self._account.login, self._account.secret)
            response = self._send(session, "POST", TOKEN_PATH, json=request)
        token = read_token(response.status, response.headers, response.body)
        for form in secret_variants(token.access_token):
            mask_secret(form)
        return token

    def _plain_session(self) -> requests.Session:
        session = transport.Session()
        session.auth = NoAuth()
        session.mount(self._account.base_url, transport.DeadlineAdapter())
        session.verify = self._account.verify
        session.proxies.update(self._account.proxies)
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
            self._account.base_url + path,
            params=params,
            json=json,
            timeout=self._account.timeout,
            max_bytes=self._account.max_page_bytes,
        )
