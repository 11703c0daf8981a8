"""A PUT of which nobody knows what became of it: what is there decides, and the export ends as it should."""

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
#: botocore as it is tries again by itself, and waits in between.
RETRYING = {"config_kwargs": {"retries": {"max_attempts": 1}}}
NO_RETRIES = {"config_kwargs": {"retries": {"max_attempts": 0}}}


@contextmanager
def proxied(server: StoreServer, **extra: Any) -> Iterator[tuple[Store, Store, Proxy]]:
    """A folder as an export sees it through a proxy, the same as it is, and the proxy."""
    with proxy_of(server.url) as proxy:
        # A name that no other test has: Airflow keeps what a connection led to.
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
    """S3, with a client that does not try again."""
    with proxied(moto, **NO_RETRIES) as stores:
        yield stores


def attempt(store: Store, records: list[dict[str, Any]], expected: str | None) -> Outcome:
    """Publish the records over the expected version."""
    with sealed(records) as slice_:
        return publish(store, SETTINGS, slice_, expected, allow_shrink=False).outcome


@pytest.mark.parametrize("fault", ["lost", "answer lost"])
def test_lost_request_or_answer_ends_in_success(server: StoreServer, fault: Fault) -> None:
    """With the clients' own retries, of which one is refused because of the success of the first: never a failure."""
    with proxied(server, **(RETRYING if server.scheme == "s3" else {})) as (store, truth, proxy):
        proxy.faults = [fault]
        assert "published" == attempt(store, ONE, None)
        assert content(ONE) == truth.read(KEY)
        before = truth.version(KEY)
        proxy.faults = [fault]
        assert "published" == attempt(store, TWO, before)
        assert content(TWO) == truth.read(KEY)
        assert 4 <= len(proxy.uploads)


@pytest.mark.parametrize("fault", ["lost", "answer lost", 503, 409])
def test_unknown_outcome_is_looked_at(moto_proxied: tuple[Store, Store, Proxy], fault: Fault) -> None:
    """Where botocore does not try again: equal is success, and the same version as before means to repeat.

    aiohttp does, if a connection that has been used before breaks off: another way to be refused for a success.
    """
    store, truth, proxy = moto_proxied
    proxy.faults = [fault]
    assert "published" == attempt(store, ONE, None)
    proxy.faults = [fault, fault]
    assert "published" == attempt(store, TWO, truth.version(KEY))
    assert content(TWO) == truth.read(KEY)
    assert [] == proxy.faults


def test_rival_that_came_first_is_kept(moto_proxied: tuple[Store, Store, Proxy]) -> None:
    """Other rows are a conflict, whatever became of our request; the same rows are the same success."""
    store, truth, proxy = moto_proxied
    attempt(truth, ONE, None)
    before = truth.version(KEY)
    proxy.faults = [lambda: attempt(truth, TWO, before)]
    with pytest.raises(SliceChangedError):
        attempt(store, THREE, before)
    assert content(TWO) == truth.read(KEY)
    before = truth.version(KEY)
    proxy.faults = [lambda: attempt(truth, THREE, before)]
    assert "published" == attempt(store, THREE, before)
    assert content(THREE) == truth.read(KEY)


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
def test_lasting_fault_is_named_and_changes_nothing(
    moto_proxied: tuple[Store, Store, Proxy], status: int, error: type[ZendeskError], uploads: int
) -> None:
    """What may pass is tried three times, what lasts is not tried again."""
    store, truth, proxy = moto_proxied
    attempt(truth, ONE, None)
    proxy.faults = [status] * 9
    with pytest.raises(error, match=rf"{truth.uri(KEY)}"):
        attempt(store, TWO, truth.version(KEY))
    assert content(ONE) == truth.read(KEY)
    assert uploads == len(proxy.uploads)


def test_record_is_made_once_whatever_becomes_of_the_answer(moto_proxied: tuple[Store, Store, Proxy]) -> None:
    """By the same means as a slice."""
    store, truth, proxy = moto_proxied
    proxy.watched = ".json"
    proxy.faults = ["answer lost"]
    assert "published" == attempt(store, ONE, None)
    assert (SETTINGS, []) == (read_settings(truth, "ticket_events"), proxy.faults)
    with pytest.raises(DatasetMismatchError):
        ensure_settings(store, msgspec.structs.replace(SETTINGS, grain=Grain.of("1h")))
    assert SETTINGS == read_settings(truth, "ticket_events")


def test_record_of_a_rival_counts(moto_proxied: tuple[Store, Store, Proxy]) -> None:
    """Of two first runs with different grains one makes the record, and the other is refused before it writes rows."""
    store, truth, proxy = moto_proxied
    hourly = msgspec.structs.replace(SETTINGS, grain=Grain.of("1h"))
    proxy.watched = ".json"
    proxy.faults = [lambda: ensure_settings(truth, hourly)]
    with pytest.raises(DatasetMismatchError, match="grain is '1h', requested '1d'"):
        attempt(store, ONE, None)
    assert (hourly, None) == (read_settings(truth, "ticket_events"), truth.version(KEY))


def test_silence_is_given_up_and_the_put_repeated(moto: StoreServer) -> None:
    """By the client, after its own timeout."""
    with proxied(moto, config_kwargs={"retries": {"max_attempts": 0}, "read_timeout": 1}) as (store, truth, proxy):
        proxy.faults = ["hangs"]
        assert "published" == attempt(store, ONE, None)
        assert (content(ONE), []) == (truth.read(KEY), proxy.faults)


def test_put_has_a_deadline(moto: StoreServer) -> None:
    """Of its own, beyond the timeouts of the client, which know no whole."""
    with proxied(moto) as (store, truth, proxy):
        hasty = S3Store(store._fs, store._root, truth.uri(""), timeout_seconds=0.3)
        proxy.faults = ["hangs"] * 3
        with pytest.raises(StorageUnavailableError, match="TimeoutError"):
            attempt(hasty, ONE, None)
        assert truth.version(KEY) is None


def test_etag_without_quotes_is_tried_where_the_quoted_one_is_refused(
    moto_proxied: tuple[Store, Store, Proxy],
) -> None:
    """As by Ceph's gateway."""
    store, truth, proxy = moto_proxied
    attempt(truth, ONE, None)
    proxy.refused[("If-Match", '"')] = 412
    assert "published" == attempt(store, TWO, truth.version(KEY))
    assert content(TWO) == truth.read(KEY)


def test_store_that_knows_no_conditions_is_written_without(moto_proxied: tuple[Store, Store, Proxy]) -> None:
    """It answers 501; the store says from then on that it is not conditional_writes."""
    store, truth, proxy = moto_proxied
    proxy.refused[("If-None-Match", "*")] = proxy.refused[("If-Match", "")] = 501
    assert store.conditional_writes
    attempt(store, ONE, None)
    assert not store.conditional_writes
    attempt(store, TWO, truth.version(KEY))
    assert content(TWO) == truth.read(KEY)
