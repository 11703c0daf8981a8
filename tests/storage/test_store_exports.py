"""Whole exports to each kind of store: every event is stored once, and nothing is written again."""

import json
from pathlib import Path

import boto3
import pyarrow.parquet as pq
import pytest
from airflow.sdk import ObjectStoragePath

from airflow_zendesk.cli import main
from airflow_zendesk.emulator import ZendeskEmulator
from airflow_zendesk.exceptions import StorageDeniedError, StorageFullError, StorageNotFoundError
from airflow_zendesk.export.report import ExportReport
from airflow_zendesk.export.run import export_window
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.window import Grain, Window
from airflow_zendesk.zendesk.resources import Query
from tests.support.commands import printed
from tests.support.file_size_limit import file_size_limit
from tests.support.stores.proxy import proxy_of
from tests.support.stores.servers import BUCKET, StoreServer, connected

DAY = Window.of("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")


def export(destination: str) -> ExportReport:
    """Export a day in slices of six hours."""
    return export_window(ZendeskHook(), destination, Query.of("ticket_events"), DAY, grain=Grain.of("6h"))


def objects(destination: str) -> dict[str, bytes]:
    """Everything below the destination, by key."""
    path = ObjectStoragePath(destination)
    path.fs.invalidate_cache()
    return {name.removeprefix(f"{path.path}/"): path.fs.cat_file(name) for name in path.fs.find(path.path)}


@pytest.mark.parametrize("name", ["moto", "azurite", "gcs", "lying_gcs"])
def test_export_is_complete_and_a_second_run_writes_nothing(
    name: str, request: pytest.FixtureRequest, emulator: ZendeskEmulator, tmp_path: Path
) -> None:
    """The stored ids are the source's ids. An export to another destination gives the same bytes."""
    server: StoreServer = request.getfixturevalue(name)
    with proxy_of(server.url) as proxy, connected(server.behind(proxy.url, f"{name}_{tmp_path.name}")) as behind:
        proxy.watched = ""
        destination, other = behind.destination(), behind.destination()
        first = export(destination)
        assert 5 == len(proxy.uploads)
        assert {"unchanged": 4} == export(destination).slices_by_outcome()
        assert 5 == len(proxy.uploads)
        export(other)
    stored = objects(destination.replace(behind.conn_id, server.conn_id))
    assert stored == objects(other.replace(behind.conn_id, server.conn_id))
    assert [
        "_datasets/ticket_events.json",
        "ticket_events/event_date=2026-01-01/20260101T000000Z--20260101T060000Z.parquet",
        "ticket_events/event_date=2026-01-01/20260101T060000Z--20260101T120000Z.parquet",
        "ticket_events/event_date=2026-01-01/20260101T120000Z--20260101T180000Z.parquet",
        "ticket_events/event_date=2026-01-01/20260101T180000Z--20260102T000000Z.parquet",
    ] == sorted(stored)
    ids: list[int] = []
    for key, content in stored.items():
        if key.endswith(".parquet"):
            (tmp_path / "slice").write_bytes(content)
            ids += pq.read_table(tmp_path / "slice")["id"].to_pylist()
    assert sorted(emulator.expected_ids("ticket_events", DAY.start, DAY.end)) == sorted(ids)
    assert [f"{server.scheme}://{BUCKET}"] * 4 == ["/".join(slice_.uri.split("/")[:3]) for slice_ in first.slices]


def test_missing_bucket_ends_an_export_before_the_first_request_to_zendesk(
    moto: StoreServer, emulator: ZendeskEmulator
) -> None:
    """No request of the account's rate limit is wasted."""
    with pytest.raises(StorageNotFoundError, match="NoSuchBucket"):
        export(f"{moto.bucket.replace(BUCKET, 'no-such-bucket')}/zendesk")
    assert [] == emulator.requests


@pytest.mark.usefixtures("emulator")
def test_full_spool_ends_an_export_with_nothing_written(moto: StoreServer) -> None:
    """The worker's disk is full before anything is sent to the storage."""
    destination = moto.destination()
    with file_size_limit(1_000), pytest.raises(StorageFullError, match="TMPDIR"):
        export(destination)
    assert {} == objects(destination)


@pytest.mark.usefixtures("emulator")
def test_denied_write_ends_an_export_with_nothing_written(moto: StoreServer) -> None:
    """The policy of the bucket denies it."""
    client = boto3.client(
        "s3", endpoint_url=moto.url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    client.create_bucket(Bucket="read-only")
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::read-only/*"}
    client.put_bucket_policy(Bucket="read-only", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    destination = f"{moto.bucket.replace(BUCKET, 'read-only')}/zendesk"
    with pytest.raises(StorageDeniedError, match="list, read and write") as caught:
        export(destination)
    assert "moto" not in str(caught.value)
    assert {} == objects(destination)


def test_check_storage_prints_a_line_for_each_check(moto: StoreServer, capsys: pytest.CaptureFixture[str]) -> None:
    """The last line is the summary."""
    assert 0 == main(["check-storage", moto.destination()])
    lines = printed(capsys).splitlines()
    assert "conditional create  yes  A write on the condition that there is no object was refused." == lines[3]
    assert lines[-1].startswith("Exports to this storage are safe.")


def test_check_storage_prints_json_alone_when_asked(lying_gcs: StoreServer, capsys: pytest.CaptureFixture[str]) -> None:
    """A storage that ignores conditions is safe for settled slices."""
    assert 0 == main(["check-storage", lying_gcs.destination(), "--json"])
    report = json.loads(printed(capsys))
    assert ("ifGenerationMatch", True) == (report["precondition"], report["safe"])
    assert ("conditional create", False) == (report["checks"][3]["check"], report["checks"][3]["passed"])
    assert report["destination"].startswith("gs://exports/")


def test_check_storage_exits_with_1_for_an_unsafe_storage(
    moto: StoreServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script can go by the exit code."""
    assert 1 == main(["check-storage", moto.bucket.replace(BUCKET, "no-such-bucket")])
    assert "Exports to this storage are not safe: see access." == printed(capsys).splitlines()[-1]
