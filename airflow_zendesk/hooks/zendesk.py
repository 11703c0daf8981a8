"""The only door to Zendesk."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import requests
from airflow.providers.http.hooks.http import HttpHook
from airflow.sdk.log import mask_secret

from airflow_zendesk.exceptions import ZendeskError
from airflow_zendesk.hooks.client import HEADERS, Client, RequestStats
from airflow_zendesk.hooks.connection import ConnectionSettings
from airflow_zendesk.hooks.connection_lookup import load_connection
from airflow_zendesk.window import Window
from airflow_zendesk.zendesk.paging import Page, Sweep
from airflow_zendesk.zendesk.resources import SAMPLE_PATH, SAMPLE_START_TIME, Query
from airflow_zendesk.zendesk.response import error_for
from airflow_zendesk.zendesk.retry import RetryBudget
from airflow_zendesk.zendesk.settling import DEFAULT_SETTLE
from airflow_zendesk.zendesk.users import CURRENT_USER_PATH, read_user

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)


class ZendeskHook(HttpHook):
    """Exports of one Zendesk account.

    Of ``HttpHook`` it keeps the session and its adapters. It pages on its own: ``HttpHook.run`` makes a session per
    call, has no deadline, sends unknown extras of the connection as headers and prints the bodies of errors.

    :param zendesk_conn_id: the connection of the account, of type ``zendesk_export`` or ``zendesk``.
    :param patience: how much time faults of the moment may cost.
    :param sleep: how to wait, and
    :param clock: how to tell the time that passes; tests pass their own.
    """

    conn_name_attr = "zendesk_conn_id"
    default_conn_name = "zendesk_default"
    conn_type = "zendesk_export"
    hook_name = "Zendesk incremental export"
    default_headers = HEADERS

    def __init__(
        self,
        zendesk_conn_id: str = default_conn_name,
        *,
        patience: RetryBudget | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(method="GET", http_conn_id=zendesk_conn_id)
        self.zendesk_conn_id = zendesk_conn_id
        self._patience = patience or RetryBudget()
        self._sleep = sleep
        self._clock = clock

    @cached_property
    def account(self) -> ConnectionSettings:
        """The account that the connection names; its secrets are masked in all logs from now on."""
        account = ConnectionSettings.from_connection(load_connection(self.zendesk_conn_id))
        for secret in account.secrets():
            mask_secret(secret)
        if account.deprecation:
            logger.warning(account.deprecation)
        return account

    @property
    def traffic(self) -> RequestStats:
        """What this hook has cost the account so far."""
        return self._client.traffic

    @property
    def requests_per_minute(self) -> int:
        """How many exports a minute the account allows this hook, as far as its answers have told."""
        return self._client.requests_per_minute

    @cached_property
    def _client(self) -> Client:
        return Client(self.account, self._patience, self._sleep, self._clock)

    def get_conn(
        self,
        headers: dict[Any, Any] | None = None,
        extra_options: dict[str, Any] | None = None,  # noqa: ARG002  HttpHook's signature
    ) -> requests.Session:
        """A session with the account's credentials; ``extra_options`` is HttpHook's and has no effect here."""
        session = self._client.open_session()
        session.headers.update(headers or {})
        self.base_url = self.account.base_url
        # What HttpHook.run goes by, should somebody call it.
        self.merged_extra = {"timeout": self.account.timeout, "allow_redirects": False}
        return session

    def check_response(self, response: requests.Response) -> None:
        """Raise a named error unless the status is 200; HttpHook's own prints the body to the log."""
        if response.status_code != HTTPStatus.OK:
            raise error_for(urlsplit(response.url).path, response.status_code, response.headers, response.content)

    def iter_pages(
        self,
        resource: str,
        start: datetime | str,
        end: datetime | str,
        *,
        include: Iterable[str] = (),
        support_type_scope: str = "all",
        settle: timedelta = DEFAULT_SETTLE,
    ) -> Iterator[Page]:
        """Export a window page by page, match one page at a time; each event comes once.

        Args:
            resource: ``ticket_events`` or ``ticket_metric_events``.
            start: first instant of the window, inclusive; with a time zone.
            end: first instant after it.
            include: sideloads; ``ticket_events`` knows ``comment_events``.
            support_type_scope: ``all``, ``agent`` or ``ai_agent`` (``ticket_events`` only).
            settle: how old an event must be, by Zendesk's clock, to be exported; at least 90 seconds.

        Raises:
            ZendeskError: see ``airflow_zendesk.exceptions``.
        """
        query = Query.of(resource, include, support_type_scope)
        return self.iter_sweep(query, Sweep(query.resource, Window.of(start, end), settle))

    def iter_sweep(self, query: Query, sweep: Sweep) -> Iterator[Page]:
        """Ask what the sweep wants to know, until it is done."""
        with self.get_conn() as session:
            while not sweep.done:
                page = sweep.take(self._client.ask(session, query, sweep))
                yield page
                if page.wait:
                    logger.info("Waiting %d s until the last events of the window have settled.", page.wait)
                    self._client.pause(page.wait)

    def get_df(
        self,
        resource: str,
        start: datetime | str,
        end: datetime | str,
        *,
        include: Iterable[str] = (),
        explode: Literal["child_events"] | None = None,
    ) -> "pd.DataFrame":
        """Export a window into a DataFrame: for notebooks and TaskFlow, since all of it is held in memory.

        Columns and types are those of the Parquet files. ``explode="child_events"`` gives a row per child event
        instead, with the columns ``child_id``, ``child_event_type``, ``field_name``, ``value``, ``previous_value`` and
        ``child_event``, the last three as JSON text.

        Args:
            resource: ``ticket_events`` or ``ticket_metric_events``.
            start: first instant of the window, inclusive; with a time zone.
            end: first instant after it.
            include: sideloads; ``ticket_events`` knows ``comment_events``.
            explode: the column whose members become rows.

        Raises:
            ZendeskError: see ``airflow_zendesk.exceptions``.
        """
        from airflow_zendesk.hooks import dataframe  # noqa: PLC0415  pandas takes half a second and is needed here alone

        columns = Query.of(resource, include).resource.columns
        pages = self.iter_pages(resource, start, end, include=include)
        frame = dataframe.to_frame((page.records for page in pages), columns, Window.of(start, end).start)
        return dataframe.explode_child_events(frame) if explode else frame

    def test_connection(self) -> tuple[bool, str]:
        """Whether these credentials may export, and a sentence that says so, for the connection form."""
        try:
            with self.get_conn() as session:
                user = read_user(self._client.get(session, CURRENT_USER_PATH))
                if user.is_anonymous:
                    return False, (
                        f"{self.account.host} does not know these credentials: it takes them for anonymous. Check "
                        "login and secret; for an API token, the login is the e-mail address with /token behind it."
                    )
                if user.is_admin:
                    return True, f"Connected to {self.account.host} as administrator, user {user.id}."
                # Custom roles: the documentation says administrators only, so let the export itself decide.
                self._client.get(session, SAMPLE_PATH, start_time=SAMPLE_START_TIME)
                return True, f"Connected to {self.account.host} as user {user.id}, no administrator, who may export."
        except ZendeskError as error:
            return False, str(error)
        except ValueError:
            return False, f"{self.account.host} does not answer like Zendesk. Check the host of the connection."
