"""Datasets on a disk and in S3: one with a few literal rows, and one with the events of an emulator."""

import json
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import requests
from airflow.sdk import ObjectStoragePath
from botocore.exceptions import ClientError

from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from airflow_zendesk.export.run import export_window
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.window import Window
from airflow_zendesk.zendesk.resources import Query
from tests.support.scripted_server import Reply, scripted_server

if TYPE_CHECKING:
    from tests.support.stores.servers import StoreServer

WINDOW = Window.of("2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z")
INSTALL_JAVA = "Java is not installed: apt-get install --no-install-recommends default-jre-headless"
START = 1_767_225_600

#: Integers that a float cannot hold, nulls beside them, text of all kinds, a late event, a day without events.
EVENTS: list[dict[str, Any]] = [
    {"id": 9_007_199_254_740_993, "timestamp": START - 1, "ticket_id": 1, "updater_id": None, "child_events": []},
    {
        "id": 9_007_199_254_740_995,
        "timestamp": START,
        "ticket_id": 9_007_199_254_740_997,
        "updater_id": 9_007_199_254_740_999,
        "created_at": "2026-01-01T00:00:00.123456Z",
        "via": "Web form",
        "child_events": [{"id": 5, "event_type": "Comment", "public": True, "body": 'née 😀 "quoted"\nline'}],
        "unknown": {"a": [1, None]},
    },
    {"id": 4, "timestamp": START + 3 * 86_400 - 1, "via": "", "system": {"latitude": 50.11}},
]


def export(destination: str, window: Window = WINDOW, events: Sequence[dict[str, Any]] = EVENTS) -> None:
    """Export the literal events in daily slices."""
    body = {"ticket_events": events, "count": len(events), "end_time": None, "end_of_stream": True}
    with scripted_server(Reply(body)) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())
        export_window(ZendeskHook(), destination, Query.of("ticket_events", ["comment_events"]), window)


def export_all(destination: str, emulator: ZendeskEmulator) -> None:
    """Export everything that the tests read, each to its own folder."""
    export(f"{destination}/known")
    export(f"{destination}/empty", Window.of("2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"), events=[])
    export(f"{destination}/damaged")
    damage(f"{destination}/damaged/ticket_events/event_date=2026-01-03/20260103T000000Z--20260104T000000Z.parquet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", json.dumps(emulator.connection()))
        events = Query.of("ticket_events", ["comment_events"], private_comments=True)
        for query in (events, Query.of("ticket_metric_events")):
            export_window(ZendeskHook(), f"{destination}/emulator", query, WINDOW)


def damage(file: str) -> None:
    """Destroy the rows of a file and keep its footer: readers can open it, but not read it."""
    path = ObjectStoragePath(file)
    content = path.read_bytes()
    end = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    path.write_bytes(content[:4] + b"\xff" * (end - 4) + content[end:])


@pytest.fixture(scope="session")
def emulator() -> Iterator[ZendeskEmulator]:
    """An account that opens on the second of the three days, so that the first has no events."""
    with ZendeskEmulator(Simulator(events_per_day=100, opened=datetime(2026, 1, 2, tzinfo=UTC))) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def on_disk(emulator: ZendeskEmulator, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The datasets in a folder."""
    folder = tmp_path_factory.mktemp("zendesk")
    export_all(folder.as_uri(), emulator)
    return str(folder)


@dataclass(frozen=True)
class Bucket:
    """The datasets in S3: its URL, ``bucket/folder``, and the keys of a user who may list and read."""

    url: str
    folder: str
    key: str
    secret: str = field(repr=False)


def client(service: str, url: str, key: str, secret: str) -> Any:
    """A boto3 client of a service."""
    return boto3.client(
        service, endpoint_url=url, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret
    )


@pytest.fixture(scope="session")
def in_s3(moto: "StoreServer", emulator: ZendeskEmulator) -> Bucket:
    """The datasets in a bucket that accepts only signed requests of the reader."""
    destination = moto.destination()
    export_all(destination, emulator)
    iam = client("iam", moto.url, "invented", "invented")
    iam.create_user(UserName="reader")
    statement = {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=policy)
    keys = iam.create_access_key(UserName="reader")["AccessKey"]
    requests.post(f"{moto.url}/moto-api/reset-auth", data=b"0", timeout=30).raise_for_status()
    bucket = Bucket(moto.url, destination.partition("@")[2], keys["AccessKeyId"], keys["SecretAccessKey"])
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        client("s3", bucket.url, bucket.key, "wrong").list_objects_v2(Bucket=bucket.folder.partition("/")[0])
    return bucket


@pytest.fixture
def keys_in_environment(in_s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the environment as docs/readers.md says, with the address of this S3."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", in_s3.key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", in_s3.secret)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", in_s3.url)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")


@pytest.fixture(scope="session")
def spark() -> Iterator[None]:
    """Prepare Spark, on loopback only. It needs Java: without it the test is skipped, or fails in CI."""
    if shutil.which("java") is None:
        if os.environ.get("CI"):
            pytest.fail(INSTALL_JAVA)
        pytest.skip(INSTALL_JAVA)
    from pyspark.sql import SparkSession  # noqa: PLC0415  it is large

    # It logs once more when Python exits and the log stream is closed.
    logging.getLogger("py4j").setLevel(logging.WARNING)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("PYSPARK_SUBMIT_ARGS", "--conf spark.ui.enabled=false pyspark-shell")
        yield
    if session := SparkSession.getActiveSession():
        session.stop()
