"""Airflow hook for Zendesk's incremental exports."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import msgspec
import requests
from airflow.providers.http.hooks.http import HttpHook
from airflow.sdk.log import mask_secret

from airflow_zendesk.exceptions import SettingsError, ZendeskError
from airflow_zendesk.hooks.client import HEADERS, Client
from airflow_zendesk.hooks.connection import ConnectionSettings
from airflow_zendesk.hooks.connection_lookup import load_connection
from airflow_zendesk.provider_info import CONNECTION_TYPE
from airflow_zendesk.window import Window
from airflow_zendesk.zendesk.cursor_paging import sweep_of
from airflow_zendesk.zendesk.list_paging import ListSweep
from airflow_zendesk.zendesk.page import Page
from airflow_zendesk.zendesk.paging import Sweep
from airflow_zendesk.zendesk.resources import SAMPLE_PATH, SAMPLE_START_TIME, Query, Resource
from airflow_zendesk.zendesk.response_errors import error_for
from airflow_zendesk.zendesk.retry import RetryBudget
from airflow_zendesk.zendesk.settling import DEFAULT_SETTLE
from airflow_zendesk.zendesk.users import CURRENT_USER_PATH, read_user

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)


class ZendeskHook(HttpHook):
    """Airflow hook for the incremental exports of one Zendesk account.

    It takes sessions and their adapters from ``HttpHook``, but does not use ``HttpHook.run``, which opens a session per
    call, has no deadline, sends unknown extras of the connection as headers and logs the bodies of errors.

    :param zendesk_conn_id: the connection of the account, of type ``zendesk_export`` or ``zendesk``.
    :param retry_budget: how long retries may take within a run.
    :param sleep: waits a number of seconds.
    :param clock: seconds of any steady clock.
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
        retry_budget: RetryBudget | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(method="GET", http_conn_id=zendesk_conn_id)
        self.zendesk_conn_id = zendesk_conn_id
        self._retry_budget = retry_budget or RetryBudget()
        self._sleep = sleep
        self._clock = clock

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """The labels of the connection form, for Airflow 3.1; newer ones read the provider's metadata."""
        return {key.replace("-", "_"): value for key, value in CONNECTION_TYPE["ui-field-behaviour"].items()}

    @cached_property
    def connection_settings(self) -> ConnectionSettings:
        """The connection's settings; its secrets are masked in all logs from here on."""
        settings = ConnectionSettings.from_connection(load_connection(self.zendesk_conn_id))
        for secret in settings.secrets():
            mask_secret(secret)
        if settings.deprecation:
            logger.warning(settings.deprecation)
        return settings

    def requests_per_minute(self, query: Query) -> int:
        """How many requests of a query the account allows per minute, as far as responses have reported it."""
        return self._client.rate_limiter(query).limit

    @cached_property
    def _client(self) -> Client:
        return Client(self.connection_settings, self._retry_budget, self._sleep, self._clock)

    def get_conn(
        self,
        headers: dict[Any, Any] | None = None,
        extra_options: dict[str, Any] | None = None,  # noqa: ARG002  HttpHook's signature
    ) -> requests.Session:
        """A session with the account's credentials; ``extra_options`` is HttpHook's and is ignored."""
        session = self._client.open_session()
        session.headers.update(headers or {})
        self.base_url = self.connection_settings.base_url
        # Settings that HttpHook.run reads, in case a user calls it.
        self.merged_extra = {"timeout": self.connection_settings.timeout, "allow_redirects": False}
        return session

    def check_response(self, response: requests.Response) -> None:
        """Raise a named error unless the status is 200; HttpHook's own method logs the body."""
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
        """Export a window page by page, with one page in memory at a time.

        A ``Page`` has ``records``, sorted by time and id, and each event is on one page only. A record has an ``id``,
        a ``timestamp`` in microseconds since 1970, and ``raw``, a dict from each key to its JSON text as
        ``msgspec.Raw``. The page's own times, ``start_time`` and ``complete_until``, are in unix seconds.

        Args:
            resource: any key of ``RESOURCES``. A list like ``groups`` is read as it is now, whatever the window.
            start: start of the window, a UTC day like ``2026-01-31`` or a time with its zone.
            end: first instant after it.
            include: sideloads; ``ticket_events`` offers ``comment_events``, ``tickets`` offers ``metric_sets``.
            support_type_scope: ``all``, ``agent`` or ``ai_agent`` (``ticket_events`` and ``tickets`` only).
            settle: how old an event must be, by Zendesk's clock, to be exported; at least 90 seconds.

        Raises:
            ZendeskError: see ``airflow_zendesk.exceptions``.
        """
        query = Query.of(resource, include, support_type_scope)
        if query.resource.is_list:
            return self.iter_list(query)
        return self.iter_sweep(query, sweep_of(query.resource, [Window.of(start, end)], settle))

    def iter_sweep(self, query: Query, sweep: Sweep | ListSweep) -> Iterator[Page]:
        """Fetch the pages of a sweep until it is done."""
        with self.get_conn() as session:
            while not sweep.done:
                response, stats = self._client.fetch_page(session, query, sweep)
                page = replace(sweep.take(response), stats=stats)
                yield page
                if page.wait:
                    logger.info("Waiting %d s until the last events of the window have settled.", page.wait)
                    self._client.pause(page.wait)

    def iter_list(self, query: Query) -> Iterator[Page]:
        """Read a list page by page; objects get the lists that they embed."""
        resource = query.resource
        for page in self.iter_sweep(query, ListSweep(resource)):
            yield page if resource.embedded is None else self._with_embedded(page, resource, resource.embedded)

    def _with_embedded(self, page: Page, resource: Resource, key: str) -> Page:
        records, stats = [], page.stats
        for record in page.records:
            embedded = replace(resource, name=key, path=f"{resource.path}/{record.id}/{key}", embedded=None)
            pages = list(self.iter_list(Query(embedded)))
            stats = sum((inner.stats for inner in pages), stats)
            members = msgspec.json.encode([member.raw for inner in pages for member in inner.records])
            records.append(record._replace(raw=record.raw | {key: msgspec.Raw(members)}))
        return replace(page, records=records, stats=stats)

    def get_df(
        self,
        resource: str,
        start: datetime | str,
        end: datetime | str,
        *,
        include: Iterable[str] = (),
        support_type_scope: str = "all",
        settle: timedelta = DEFAULT_SETTLE,
        explode: Literal["child_events"] | None = None,
    ) -> "pd.DataFrame":
        """Export a window into a DataFrame with the columns of the Parquet files. It must fit into memory.

        Args:
            resource: as for ``iter_pages``, like the next five.
            start: first instant of the window.
            end: first instant after it.
            include: sideloads.
            support_type_scope: scope of tickets.
            settle: minimum age of an event.
            explode: ``child_events`` for one row per child event, with the columns of ``ChildEvent`` in its place.

        Raises:
            SettingsError: the resource has no such column to explode.
            ZendeskError: see ``airflow_zendesk.exceptions``.
        """
        from airflow_zendesk.hooks import dataframe  # noqa: PLC0415  pandas takes half a second to import

        columns = Query.of(resource, include, support_type_scope).resource.columns
        if explode is not None and (explode != "child_events" or resource != "ticket_events"):
            raise SettingsError(
                f"explode={explode!r} is not possible for {resource}. Use explode='child_events' with ticket_events, "
                "or leave it out."
            )
        pages = self.iter_pages(
            resource, start, end, include=include, support_type_scope=support_type_scope, settle=settle
        )
        frame = dataframe.to_frame((page.records for page in pages), columns, Window.of(start, end).start)
        return dataframe.explode_child_events(frame) if explode else frame

    def test_connection(self) -> tuple[bool, str]:
        """Whether the credentials may export, and a sentence about it for the connection form."""
        host = ""
        try:
            host = self.connection_settings.host
            with self.get_conn() as session:
                user = read_user(self._client.get(session, CURRENT_USER_PATH))
                if user.is_anonymous:
                    return False, (
                        f"{host} does not accept these credentials. Check login and secret; for "
                        "an API token, the login is the e-mail address followed by /token."
                    )
                if user.is_admin:
                    return True, f"Connected to {host} as administrator, user {user.id}."
                # Custom roles: the documentation says administrators only, so let the export itself decide.
                self._client.get(session, SAMPLE_PATH, start_time=SAMPLE_START_TIME)
                return (
                    True,
                    f"Connected to {host} as user {user.id}, who is not an administrator but may export.",
                )
        except ZendeskError as error:
            return False, f"{host}: {error}" if host else str(error)
        except ValueError:
            return False, f"{host} does not respond like Zendesk. Check the connection's host."
