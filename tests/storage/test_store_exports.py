"""Whole exports to each kind of store: what Zendesk has is there, once, and is not written again."""

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
def test_export_is_whole_once_and_quiet_the_second_time(
    name: str, request: pytest.FixtureRequest, emulator: ZendeskEmulator, tmp_path: Path
) -> None:
    """The ids are the source's; another run writes nothing, and into another place the same bytes."""
    server: StoreServer = request.getfixturevalue(name)
    with proxy_of(server.url) as proxy, connected(server.behind(proxy.url, f"{name}_{tmp_path.name}")) as behind:
        proxy.watched = ""
        destination, other = behind.destination(), behind.destination()
        first = export(destination)
        assert 5 == len(proxy.uploads)
        assert {"unchanged": 4} == export(destination).slices_by_outcome()
        assert 5 == len(proxy.uploads)
        export(other)
    there = objects(destination.replace(behind.conn_id, server.conn_id))
    assert there == objects(other.replace(behind.conn_id, server.conn_id))
    assert [
        "_datasets/ticket_events.json",
        "ticket_events/event_date=2026-01-01/20260101T000000Z--20260101T060000Z.parquet",
        "ticket_events/event_date=2026-01-01/20260101T060000Z--20260101T120000Z.parquet",
        "ticket_events/event_date=2026-01-01/20260101T120000Z--20260101T180000Z.parquet",
        "ticket_events/event_date=2026-01-01/20260101T180000Z--20260102T000000Z.parquet",
    ] == sorted(there)
    ids: list[int] = []
    for key, content in there.items():
        if key.endswith(".parquet"):
            (tmp_path / "slice").write_bytes(content)
            ids += pq.read_table(tmp_path / "slice")["id"].to_pylist()
    assert sorted(emulator.expected_ids("ticket_events", DAY.start, DAY.end)) == sorted(ids)
    assert [f"{server.scheme}://{BUCKET}"] * 4 == ["/".join(slice_.uri.split("/")[:3]) for slice_ in first.slices]


def test_missing_bucket_ends_an_export_before_zendesk_is_asked(moto: StoreServer, emulator: ZendeskEmulator) -> None:
    """It would be a pity about the requests."""
    with pytest.raises(StorageNotFoundError, match="NoSuchBucket"):
        export(f"{moto.bucket.replace(BUCKET, 'no-such-bucket')}/zendesk")
    assert [] == emulator.requests


@pytest.mark.usefixtures("emulator")
def test_full_spool_ends_an_export_with_nothing_written(moto: StoreServer) -> None:
    """The disk of the worker is full before the storage has heard of it."""
    destination = moto.destination()
    with file_size_limit(1_000), pytest.raises(StorageFullError, match="TMPDIR"):
        export(destination)
    assert {} == objects(destination)


@pytest.mark.usefixtures("emulator")
def test_denied_write_ends_an_export_with_nothing_written(moto: StoreServer) -> None:
    """By a policy of the bucket."""
    client = boto3.client(
        "s3", endpoint_url=moto.url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    client.create_bucket(Bucket="read-only")
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::read-only/*"}
    client.put_bucket_policy(Bucket="read-only", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    destination = f"{moto.bucket.replace(BUCKET, 'read-only')}/zendesk"
    with pytest.raises(StorageDeniedError, match="may list, read and write there") as caught:
        export(destination)
    assert "moto" not in str(caught.value)
    assert {} == objects(destination)


def test_check_storage_prints_a_line_for_each_check(moto: StoreServer, capsys: pytest.CaptureFixture[str]) -> None:
    """And what they mean."""
    assert 0 == main(["check-storage", moto.destination()])
    lines = printed(capsys).splitlines()
    assert "create once    yes  An object that must not be there yet is kept." == lines[3]
    assert lines[-1].startswith("Exports there are safe.")


def test_check_storage_prints_json_alone_when_asked(lying_gcs: StoreServer, capsys: pytest.CaptureFixture[str]) -> None:
    """For scripts; a storage that ignores conditions is safe for settled slices."""
    assert 0 == main(["check-storage", lying_gcs.destination(), "--json"])
    told = json.loads(printed(capsys))
    assert ("ifGenerationMatch", True) == (told["precondition"], told["safe"])
    assert ("create once", False) == (told["findings"][3]["check"], told["findings"][3]["held"])
    assert told["destination"].startswith("gs://exports/")


def test_check_storage_fails_where_exports_would(moto: StoreServer, capsys: pytest.CaptureFixture[str]) -> None:
    """For scripts."""
    assert 1 == main(["check-storage", moto.bucket.replace(BUCKET, "no-such-bucket")])
    assert "Exports there are not safe: see reach." == printed(capsys).splitlines()[-1]
