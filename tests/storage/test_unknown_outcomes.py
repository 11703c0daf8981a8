"""A PUT whose outcome is unknown: the stored object decides, and the export ends correctly."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from airflow_zendesk.dataset.layout import slice_key
from airflow_zendesk.dataset.publish import Outcome, publish
from airflow_zendesk.dataset.settings import DatasetSettings, ensure_settings, read_settings
from airflow_zendesk.destination import open_destination
from airflow_zendesk.exceptions import (
    DatasetMismatchError,
    SliceChangedError,
    StorageDeniedError,
    StorageFullError,
    StorageRefusedError,
    StorageUnavailableError,
    ZendeskError,
)
from airflow_zendesk.storage.s3 import S3Store
from airflow_zendesk.storage.store import Store
from airflow_zendesk.window import Grain
from tests.support.slices import DAY, content, event, sealed
from tests.support.stores.proxy import Fault, Proxy, proxy_of
from tests.support.stores.servers import StoreServer, connected

SETTINGS = DatasetSettings(
    resource="ticket_events", account="acme.zendesk.com", grain=Grain.of("1d"), include=(), support_type_scope="all"
)
KEY = slice_key("ticket_events", DAY)
ONE, TWO, THREE = [event(1)], [event(1), event(2)], [event(1), event(2), event(3)]
#: By default botocore retries more often, and waits in between.
RETRYING = {"config_kwargs": {"retries": {"max_attempts": 1}}}
NO_RETRIES = {"config_kwargs": {"retries": {"max_attempts": 0}}}


@contextmanager
def proxied(server: StoreServer, **extra: Any) -> Iterator[tuple[Store, Store, Proxy]]:
    """A folder behind a proxy, the same folder without it, and the proxy."""
    with proxy_of(server.url) as proxy:
        # A connection id of its own, because Airflow caches file systems by connection.
        behind = server.behind(proxy.url, f"proxy_{proxy.url.rpartition(':')[2]}", **extra)
        with connected(behind):
            destination = behind.destination()
            yield (
                open_destination(destination),
                open_destination(destination.replace(behind.conn_id, server.conn_id)),
                proxy,
            )


@pytest.fixture
def moto_proxied(moto: StoreServer) -> Iterator[tuple[Store, Store, Proxy]]:
    """S3, with a client that does not retry."""
    with proxied(moto, **NO_RETRIES) as stores:
        yield stores


def attempt(store: Store, records: list[dict[str, Any]], expected: str | None) -> Outcome:
    """Publish the records over the expected version."""
    with sealed(records) as slice_:
        return publish(store, SETTINGS, slice_, expected, allow_shrink=False).outcome


@pytest.mark.parametrize("fault", ["lost", "answer lost"])
def test_lost_request_or_answer_ends_in_success(server: StoreServer, fault: Fault) -> None:
    """The client's own retry may be refused because its first request succeeded. That is not a failure."""
    with proxied(server, **(RETRYING if server.scheme == "s3" else {})) as (store, direct, proxy):
        proxy.faults = [fault]
        assert "published" == attempt(store, ONE, None)
        assert content(ONE) == direct.read(KEY)
        before = direct.version(KEY)
        proxy.faults = [fault]
        assert "published" == attempt(store, TWO, before)
        assert content(TWO) == direct.read(KEY)
        assert 4 <= len(proxy.uploads)


@pytest.mark.parametrize("fault", ["lost", "answer lost", 503, 409])
def test_unknown_outcome_is_resolved_by_the_stored_object(
    moto_proxied: tuple[Store, Store, Proxy], fault: Fault
) -> None:
    """Equal content is a success, and the previous version means to repeat the PUT.

    botocore does not retry here, but aiohttp does if a reused connection breaks, and can be refused after a success.
    """
    store, direct, proxy = moto_proxied
    proxy.faults = [fault]
    assert "published" == attempt(store, ONE, None)
    proxy.faults = [fault, fault]
    assert "published" == attempt(store, TWO, direct.version(KEY))
    assert content(TWO) == direct.read(KEY)
    assert [] == proxy.faults


def test_rival_that_came_first_is_kept(moto_proxied: tuple[Store, Store, Proxy]) -> None:
    """A rival's other rows are a conflict, and its equal rows a success, whatever became of the request."""
    store, direct, proxy = moto_proxied
    attempt(direct, ONE, None)
    before = direct.version(KEY)
    proxy.faults = [lambda: attempt(direct, TWO, before)]
    with pytest.raises(SliceChangedError):
        attempt(store, THREE, before)
    assert content(TWO) == direct.read(KEY)
    before = direct.version(KEY)
    proxy.faults = [lambda: attempt(direct, THREE, before)]
    assert "published" == attempt(store, THREE, before)
    assert content(THREE) == direct.read(KEY)


@pytest.mark.parametrize(
    ("status", "error", "uploads"),
    [
        (503, StorageUnavailableError, 3),
        (412, StorageUnavailableError, 6),
        (403, StorageDeniedError, 1),
        (400, StorageRefusedError, 1),
        (507, StorageFullError, 1),
    ],
)
def test_permanent_error_is_named_and_changes_nothing(
    moto_proxied: tuple[Store, Store, Proxy], status: int, error: type[ZendeskError], uploads: int
) -> None:
    """Transient errors are tried three times, and permanent ones once."""
    store, direct, proxy = moto_proxied
    attempt(direct, ONE, None)
    proxy.faults = [status] * 9
    with pytest.raises(error, match=rf"{direct.uri(KEY)}"):
        attempt(store, TWO, direct.version(KEY))
    assert content(ONE) == direct.read(KEY)
    assert uploads == len(proxy.uploads)


def test_settings_are_created_once_if_the_response_is_lost(moto_proxied: tuple[Store, Store, Proxy]) -> None:
    """They are written like a slice."""
    store, direct, proxy = moto_proxied
    proxy.watched = ".json"
    proxy.faults = ["answer lost"]
    assert "published" == attempt(store, ONE, None)
    assert (SETTINGS, []) == (read_settings(direct, "ticket_events"), proxy.faults)
    with pytest.raises(DatasetMismatchError):
        ensure_settings(store, msgspec.structs.replace(SETTINGS, grain=Grain.of("1h")))
    assert SETTINGS == read_settings(direct, "ticket_events")


def test_settings_of_a_rival_apply(moto_proxied: tuple[Store, Store, Proxy]) -> None:
    """Of two first runs with different grains, one creates the settings and the other is refused before it writes."""
    store, direct, proxy = moto_proxied
    hourly = msgspec.structs.replace(SETTINGS, grain=Grain.of("1h"))
    proxy.watched = ".json"
    proxy.faults = [lambda: ensure_settings(direct, hourly)]
    with pytest.raises(DatasetMismatchError, match="grain is '1h', requested '1d'"):
        attempt(store, ONE, None)
    assert (hourly, None) == (read_settings(direct, "ticket_events"), direct.version(KEY))


def test_put_is_repeated_after_a_read_timeout(moto: StoreServer) -> None:
    """The timeout is that of the client."""
    with proxied(moto, config_kwargs={"retries": {"max_attempts": 0}, "read_timeout": 1}) as (store, direct, proxy):
        proxy.faults = ["hangs"]
        assert "published" == attempt(store, ONE, None)
        assert (content(ONE), []) == (direct.read(KEY), proxy.faults)


def test_put_has_a_deadline(moto: StoreServer) -> None:
    """The client's own timeouts do not limit the whole request."""
    with proxied(moto) as (store, direct, proxy):
        impatient = S3Store(store._fs, store._root, direct.uri(""))
        impatient.timeout_seconds = 0.3
        proxy.faults = ["hangs"] * 3
        with pytest.raises(StorageUnavailableError, match="TimeoutError"):
            attempt(impatient, ONE, None)
        assert direct.version(KEY) is None


def test_etag_is_sent_without_quotes_if_the_quoted_one_is_refused(
    moto_proxied: tuple[Store, Store, Proxy],
) -> None:
    """Ceph's gateway needs it."""
    store, direct, proxy = moto_proxied
    attempt(direct, ONE, None)
    proxy.refused[("If-Match", '"')] = 412
    assert "published" == attempt(store, TWO, direct.version(KEY))
    assert content(TWO) == direct.read(KEY)


def test_storage_without_conditions_is_written_without_them(moto_proxied: tuple[Store, Store, Proxy]) -> None:
    """It answers 501, and the store reports from then on that conditional writes are not supported."""
    store, direct, proxy = moto_proxied
    proxy.refused[("If-None-Match", "*")] = proxy.refused[("If-Match", "")] = 501
    assert store.conditional_writes
    attempt(store, ONE, None)
    assert not store.conditional_writes
    attempt(store, TWO, direct.version(KEY))
    assert content(TWO) == direct.read(KEY)
