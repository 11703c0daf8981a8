"""Opening a destination, or an error that says what to change."""

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from airflow.sdk import ObjectStoragePath

from airflow_zendesk.destination import open_destination
from airflow_zendesk.exceptions import (
    SettingsError,
    StorageDeniedError,
    StorageRefusedError,
    StorageUnavailableError,
    ZendeskError,
)
from airflow_zendesk.storage.azure import AzureStore
from airflow_zendesk.storage.gcs import GcsStore
from airflow_zendesk.storage.local import LocalStore
from airflow_zendesk.storage.s3 import S3Store
from tests.support.commands import ROOT
from tests.support.stores.servers import StoreServer, azure_server, connected, gcs_server, s3_server


def test_each_scheme_has_its_store(tmp_path: Path) -> None:
    """Opening sends no request."""
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
    ("destination", "message"),
    [
        ("", "The destination is empty. Set it to a URL like s3://conn_id@bucket/zendesk; the DAGs of this package"),
        ("/data/zendesk", "The destination '/data/zendesk' is not a URL"),
        ("file://data/zendesk", "The destination 'file://data/zendesk' is not an absolute path. Use three slashes"),
        ("FILE://conn@data/zendesk", "is not an absolute path. Use three slashes, like file:///data/zendesk"),
        (None, "The destination of the type NoneType is not a URL"),
        (7, "The destination of the type int is not a URL"),
        ("ftp://host/zendesk", "No client is installed for ftp://"),
        ("nonsense://bucket/zendesk", "No client is installed for nonsense://"),
        ("gs://no_such_connection@bucket/zendesk", "There is no connection 'no_such_connection'. Add it under Admin"),
        ("s3://no_such_connection@bucket/zendesk", "There is no connection 'no_such_connection'. Add it under Admin"),
        ("abfs://no_such_connection@bucket/zendesk", "There is no connection 'no_such_connection'. Add it under Admin"),
        ("s3://[bucket/zendesk", r"The destination 's3://\[bucket/zendesk' is not a URL"),
    ],
)
def test_destination_that_cannot_be_opened_is_a_named_error(destination: Any, message: str) -> None:
    """No destination ends in the traceback of a library."""
    with pytest.raises(SettingsError, match=message):
        open_destination(destination)


def test_destination_may_be_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path of pathlib or of Airflow names the same folder as its URL."""
    monkeypatch.chdir(tmp_path)
    for destination in (tmp_path / "data", Path("data"), ObjectStoragePath(f"file://{tmp_path}/data")):
        assert f"file://{tmp_path}/data" == open_destination(destination).uri("")
    with connected(s3_server("http://127.0.0.1:1", "s3_path")):
        assert "s3://bucket/data" == open_destination(ObjectStoragePath("s3://s3_path@bucket/data")).uri("")


@pytest.mark.parametrize(
    ("inner", "refused"),
    [
        ("ticket_events", True),
        ("ticket_events/backup", True),
        ("ticket_events/event_date=2026-01-31", True),
        ("other/event_date=2026-01-31/x", True),
        ("_datasets", True),
        ("_verified", True),
        ("_datasets/x", True),
        ("ticket_metric_events", False),
        ("ticket_events_2", False),
        ("other", False),
        ("other/ticket_events", False),
    ],
)
@pytest.mark.parametrize("kind", ["file", "s3"])
def test_destination_inside_a_dataset_is_refused(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, inner: str, refused: bool
) -> None:
    """Its files would be read as part of the outer dataset."""
    outer = tmp_path.as_uri() if kind == "file" else request.getfixturevalue("moto").destination()
    open_destination(outer).put("_datasets/ticket_events.json", io.BytesIO(b"{}"), None)
    if refused:
        with pytest.raises(SettingsError, match=r"is inside the folder .* of another dataset\. Use"):
            open_destination(f"{outer}/{inner}")
    else:
        assert open_destination(f"{outer}/{inner}").uri("").endswith(f"/{inner}")


def test_encryption_of_the_connection_is_requested(moto: StoreServer) -> None:
    """A bucket's policy can demand these headers of every upload."""
    extra = {"s3_additional_kwargs": {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "invented-key"}}
    # Airflow caches the store of a connection, so the name is not that of the documentation's connection.
    with connected(moto.behind(moto.url, "s3_with_kms", **extra)) as server:
        store = open_destination(server.destination())
        store.put("key", io.BytesIO(b"one"), None)
        store.put("key", io.BytesIO(b"two"), store.version("key"))
        client = boto3.client(
            "s3", endpoint_url=moto.url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        stored = client.head_object(Bucket="exports", Key=store.uri("key").removeprefix("s3://exports/"))
    assert ("aws:kms", "invented-key") == (stored["ServerSideEncryption"], stored["SSEKMSKeyId"])


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ("aws:kms", SettingsError, "has an extra s3_additional_kwargs that is not an object. Use one like"),
        ({"ServerSideEncription": "invented"}, StorageRefusedError, r"refused s3://.*/key \(ParamValidationError\)"),
    ],
)
def test_invalid_upload_parameters_are_a_named_error(
    moto: StoreServer, parameters: Any, error: type[ZendeskError], message: str
) -> None:
    """The values are not repeated."""
    conn_id = f"s3_invalid_{error.__name__.lower()}"
    with connected(moto.behind(moto.url, conn_id, s3_additional_kwargs=parameters)) as server:
        with pytest.raises(error, match=message) as caught:
            open_destination(server.destination()).put("key", io.BytesIO(b"one"), None)
        assert "invented" not in str(caught.value)


@pytest.mark.parametrize(
    ("scheme", "module", "extra"), [("s3", "s3fs", "s3"), ("gs", "gcsfs", "gcs"), ("abfs", "adlfs", "azure")]
)
def test_missing_package_is_named_with_the_extra_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, scheme: str, module: str, extra: str
) -> None:
    """The package cannot be imported in this test."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SettingsError, match=rf"Install it: pip install 'airflow-zendesk\[{extra}\]'\."):
        open_destination(f"{scheme}://bucket/zendesk")


def test_connection_that_cannot_be_used_is_named_without_its_content(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow's providers put parts of it into their errors."""
    extra = {"keyfile_dict": json.dumps({"type": "service_account", "private_key": "very-secret"})}
    connection = json.dumps({"conn_type": "google_cloud_platform", "extra": extra})
    monkeypatch.setenv("AIRFLOW_CONN_BROKEN_GCS", connection)
    with pytest.raises((SettingsError, StorageDeniedError), match="gs://bucket/zendesk") as caught:
        open_destination("gs://broken_gcs@bucket/zendesk")
    assert caught.value.__suppress_context__
    assert "secret" not in str(caught.value)


def test_wrong_key_is_denied(azurite: StoreServer) -> None:
    """Azurite checks signatures; the error does not contain what was signed."""
    extra = azurite.connection["extra"]
    assert isinstance(extra, dict)
    wrong = extra["connection_string"].replace("aW52ZW50ZWQt", "d3Jvbmcta2V5")
    with connected(azurite.behind(azurite.url, "azure_wrong_key", connection_string=wrong)) as server:
        store = open_destination(server.destination())
        with pytest.raises(StorageDeniedError, match=r"is denied \(AuthorizationFailure\)") as caught:
            store.check_access()
    assert "d3Jvbmcta2V5" not in str(caught.value)


def test_storage_that_does_not_answer_is_retryable() -> None:
    """Nothing listens on the port."""
    quick = {"config_kwargs": {"retries": {"max_attempts": 0}}}
    with connected(s3_server("http://127.0.0.1:1").behind("http://127.0.0.1:1", "s3_gone", **quick)) as server:
        store = open_destination(server.destination())
        with pytest.raises(StorageUnavailableError, match="EndpointConnectionError"):
            store.check_access()


def test_connections_in_the_documentation_open_their_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connections and destinations are those of docs/storage.md."""
    text = (ROOT / "docs" / "storage.md").read_text()
    for name, value in re.findall(r"export (AIRFLOW_CONN_\w+)='(.*?)'", text, re.DOTALL):
        monkeypatch.setenv(name, value)
    destinations = re.findall(r"`(\w+://(?!conn_id)\w+@\w+/zendesk)`", text)
    opened = [open_destination(each) for each in destinations]
    assert [S3Store, S3Store, AzureStore, GcsStore, S3Store, S3Store] == [type(store) for store in opened]
    assert {"request_checksum_calculation": "when_required"} == opened[4]._fs.config_kwargs
    assert {"ServerSideEncryption", "SSEKMSKeyId"} == opened[5]._fs.s3_additional_kwargs.keys()
