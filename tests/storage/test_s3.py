"""S3-compatible storages that do not accept everything that botocore sends."""

import io
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_zendesk.destination import open_destination
from airflow_zendesk.exceptions import SliceChangedError, StorageDeniedError, StorageError, StorageRefusedError
from airflow_zendesk.storage.check import check_storage, is_safe
from airflow_zendesk.storage.store import Store
from tests.support.stores.proxy import Proxy, proxy_of
from tests.support.stores.servers import StoreServer, connected

CHECKSUM = ("x-amz-checksum-crc32", "")
NO_RETRIES = {"retries": {"max_attempts": 0}}
NO_CHECKSUMS = {"request_checksum_calculation": "when_required"}


@pytest.fixture(params=[NO_RETRIES])
def stores(moto: StoreServer, request: pytest.FixtureRequest) -> Iterator[tuple[Store, Store, Proxy]]:
    """A folder behind a proxy, the same folder without it, and the proxy."""
    with proxy_of(moto.url) as proxy:
        behind = moto.behind(proxy.url, f"s3_{proxy.url.rpartition(':')[2]}", config_kwargs=request.param)
        proxy.watched = "/exports/"
        with connected(behind):
            destination = behind.destination()
            yield (
                open_destination(destination),
                open_destination(destination.replace(behind.conn_id, moto.conn_id)),
                proxy,
            )


def put(store: Store, content: bytes, expected: str | None) -> None:
    """Write the object of these tests."""
    store.put("key", io.BytesIO(content), expected)


@pytest.mark.parametrize(
    ("status", "error"), [(501, StorageRefusedError), (400, StorageRefusedError), (403, StorageDeniedError)]
)
def test_refused_checksum_never_costs_the_condition(
    stores: tuple[Store, Store, Proxy], status: int, error: type[StorageError]
) -> None:
    """Services answer with different statuses; none of them says that conditions are not implemented."""
    store, direct, proxy = stores
    put(direct, b"one", None)
    proxy.refused[CHECKSUM] = status
    with pytest.raises(error):
        put(store, b"two", direct.version("key"))
    with pytest.raises((error, SliceChangedError)):
        put(store, b"two", None)
    assert (b"one", True) == (direct.read("key"), store.conditional_writes)


@pytest.mark.parametrize("status", [501, 400, 403])
def test_check_names_the_setting_that_switches_checksums_off(stores: tuple[Store, Store, Proxy], status: int) -> None:
    """It has tried the setting; the objects that this wrote are deleted."""
    store, direct, proxy = stores
    proxy.refused[CHECKSUM] = status
    results = list(check_storage(store))
    assert ["access", "write", "delete"] == [result.check for result in results]
    assert '"extra": {"config_kwargs": {"request_checksum_calculation": "when_required"}}' in results[1].message
    assert not is_safe(results)
    assert {} == direct.walk("_check_storage")


def test_check_names_no_setting_that_does_not_help(stores: tuple[Store, Store, Proxy]) -> None:
    """An upload that is refused for another reason is refused without checksums too."""
    store, _, proxy = stores
    proxy.refused[("Host", "")] = 400
    results = list(check_storage(store))
    assert ["write"] == [result.check for result in results if not result.passed]
    assert "config_kwargs" not in results[1].message


@pytest.mark.parametrize("stores", [NO_RETRIES | NO_CHECKSUMS], indirect=True)
def test_storage_without_checksums_is_safe_with_the_setting(stores: tuple[Store, Store, Proxy]) -> None:
    """With the connection that the check prints, conditions are sent and kept."""
    store, _, proxy = stores
    proxy.refused[CHECKSUM] = 501
    results = list(check_storage(store))
    assert [] == [result.check for result in results if not result.passed]
    assert store.conditional_writes


def test_storage_without_conditions_gets_a_comparison_before_each_write(
    stores: tuple[Store, Store, Proxy], caplog: pytest.LogCaptureFixture
) -> None:
    """It answers 501 to conditions. A stale version is refused all the same, and a warning says what is missing."""
    store, direct, proxy = stores
    proxy.refused[("If-None-Match", "*")] = proxy.refused[("If-Match", "")] = 501
    put(direct, b"one", None)
    stale = direct.version("key")
    put(direct, b"two", stale)
    for _ in range(2):
        for expected in (None, stale):
            with pytest.raises(SliceChangedError, match="/key "):
                put(store, b"three", expected)
        put(store, b"two", direct.version("key"))
    assert (b"two", False) == (direct.read("key"), store.conditional_writes)
    assert 1 == sum("does not implement conditional writes" in message for message in caplog.messages)


def test_server_error_never_costs_the_condition(stores: tuple[Store, Store, Proxy]) -> None:
    """Only 501 says that something is not implemented."""
    store, direct, proxy = stores
    put(direct, b"one", None)
    faults: list[Any] = [500, 503]
    proxy.faults = faults
    for _ in range(2):
        with pytest.raises(StorageError):
            put(store, b"two", direct.version("key"))
    assert (b"one", True) == (direct.read("key"), store.conditional_writes)
