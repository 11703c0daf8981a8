"""From a destination to a store, or an error that says what is missing."""

import json
import re
import sys
from pathlib import Path

import pytest

from airflow_zendesk.destination import open_destination
from airflow_zendesk.exceptions import SettingsError, StorageDeniedError, StorageUnavailableError
from airflow_zendesk.storage.azure import AzureStore
from airflow_zendesk.storage.gcs import GcsStore
from airflow_zendesk.storage.local import LocalStore
from airflow_zendesk.storage.s3 import S3Store
from tests.support.commands import ROOT
from tests.support.stores.servers import StoreServer, azure_server, connected, gcs_server, s3_server


def test_each_scheme_has_its_store(tmp_path: Path) -> None:
    """Nothing is asked of it yet."""
    with (
        connected(s3_server("http://127.0.0.1:1", "s3_of_test")),
        connected(azure_server("http://127.0.0.1:1", "azure_of_test")),
        connected(gcs_server("http://127.0.0.1:1", "gcs_of_test")),
    ):
        assert LocalStore is type(open_destination(tmp_path.as_uri()))
        assert S3Store is type(open_destination("s3://s3_of_test@bucket/zendesk"))
        assert S3Store is type(open_destination("s3a://s3_of_test@bucket/zendesk"))
        assert AzureStore is type(open_destination("abfs://azure_of_test@container/zendesk"))
        assert AzureStore is type(open_destination("abfss://azure_of_test@container/zendesk"))
        assert GcsStore is type(open_destination("gs://gcs_of_test@bucket/zendesk"))


@pytest.mark.parametrize(
    ("destination", "told"),
    [
        ("", "is no URL"),
        ("/data/zendesk", "is no URL"),
        ("ftp://host/zendesk", "Nothing is installed that reaches ftp://"),
        ("nonsense://bucket/zendesk", "Nothing is installed that reaches nonsense://"),
        (
            "gs://no_such_connection@bucket/zendesk",
            "gs://bucket/zendesk names an Airflow connection that does not exist",
        ),
    ],
)
def test_destination_that_cannot_be_opened_is_told(destination: str, told: str) -> None:
    """Without the id of the connection."""
    with pytest.raises(SettingsError, match=told) as caught:
        open_destination(destination)
    assert "no_such_connection" not in str(caught.value)


@pytest.mark.parametrize(
    ("scheme", "module", "extra"), [("s3", "s3fs", "s3"), ("gs", "gcsfs", "gcs"), ("abfs", "adlfs", "azure")]
)
def test_missing_package_is_told_with_the_extra_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, scheme: str, module: str, extra: str
) -> None:
    """As if it could not be imported."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SettingsError, match=rf"Install it: pip install 'airflow-zendesk\[{extra}\]'\."):
        open_destination(f"{scheme}://bucket/zendesk")


def test_connection_that_cannot_be_used_is_told_without_what_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Providers put parts of it into their errors."""
    extra = {"keyfile_dict": json.dumps({"type": "service_account", "private_key": "very-secret"})}
    connection = json.dumps({"conn_type": "google_cloud_platform", "extra": extra})
    monkeypatch.setenv("AIRFLOW_CONN_BROKEN_GCS", connection)
    with pytest.raises((SettingsError, StorageDeniedError), match="gs://bucket/zendesk") as caught:
        open_destination("gs://broken_gcs@bucket/zendesk")
    assert caught.value.__suppress_context__
    assert "secret" not in str(caught.value)


def test_wrong_key_is_denied(azurite: StoreServer) -> None:
    """By a server that checks signatures, without what was signed."""
    extra = azurite.connection["extra"]
    assert isinstance(extra, dict)
    wrong = extra["connection_string"].replace("aW52ZW50ZWQt", "d3Jvbmcta2V5")
    with connected(azurite.behind(azurite.url, "azure_wrong_key", connection_string=wrong)) as server:
        store = open_destination(server.destination())
        with pytest.raises(StorageDeniedError, match=r"is denied \(AuthorizationFailure\)") as caught:
            store.check_access()
    assert "d3Jvbmcta2V5" not in str(caught.value)


def test_storage_that_is_not_there_may_come_back() -> None:
    """Nobody listens: to be tried again."""
    quick = {"config_kwargs": {"retries": {"max_attempts": 0}}}
    with connected(s3_server("http://127.0.0.1:1").behind("http://127.0.0.1:1", "s3_gone", **quick)) as server:
        store = open_destination(server.destination())
        with pytest.raises(StorageUnavailableError, match="EndpointConnectionError"):
            store.check_access()


def test_connections_of_the_documentation_lead_to_their_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    """As they stand in docs/storage.md, with the destinations given for them."""
    text = (ROOT / "docs" / "storage.md").read_text()
    for name, value in re.findall(r"export (AIRFLOW_CONN_\w+)='(.*?)'", text, re.DOTALL):
        monkeypatch.setenv(name, value)
    destinations = re.findall(r"`(\w+://(?!conn_id)\w+@\w+/zendesk)`", text)
    assert [S3Store, S3Store, AzureStore, GcsStore] == [type(open_destination(each)) for each in destinations]
