"""A dataset written by version 0.1, before the package was rearranged, is read, verified and continued as it is.

``tests/support/data/dataset_0_1`` is that dataset, byte for byte: never write it again. ``dataset_0_1_source.json.gz``
has the records from which it was exported, and those of the next day. They were taken from the emulator and are served
from the file, so that a change of the emulator's invented events changes nothing here.
"""

import gzip
import json
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import pyarrow.parquet as pq
import pytest

from airflow_zendesk.dataset.digest import RowDigest
from airflow_zendesk.dataset.settings import load_settings
from airflow_zendesk.destination import open_destination
from airflow_zendesk.export.run import export_window
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.verify.source_check import verify_window
from airflow_zendesk.window import Window
from tests.support.commands import ROOT
from tests.support.scripted_server import Reply, scripted_server, send

DATA = ROOT / "tests" / "support" / "data"
WINDOW = Window.of("2026-01-05T00:00:00Z", "2026-01-08T00:00:00Z")
NEXT_DAY = Window(WINDOW.end, WINDOW.end + timedelta(days=1))
HASH_KEY = "an invented key of 32 characters!"

#: The rows and the digest of each slice, as version 0.1 reported them.
SLICES = {
    "ticket_events": {
        "20260105T000000Z--20260106T000000Z": (58, "9ce1e2028642032741d30426f15e392d2ff9e1aad720c6175427506b8eb0ecbf"),
        "20260106T000000Z--20260107T000000Z": (60, "d2bb8ba0c51a121574d74831102cd7b7be27cac18e5b34e2bbd023b5898025ad"),
        "20260107T000000Z--20260108T000000Z": (60, "25dbf4451f73ec0e62d1ba7ec2109df98b9e87f078a6ca2c9e66a85b6a65b0ec"),
    },
    "ticket_metric_events": {
        "20260105T000000Z--20260105T120000Z": (68, "bfb35a6a6aa7e82e2267daf578e71751db1d2d3d16e7fbf1e615f4d88856179b"),
        "20260105T120000Z--20260106T000000Z": (146, "93fc67cefe25e8f7d15229037427e731733d1e1a25afe12b5a8c11bd3172a8cb"),
        "20260106T000000Z--20260106T120000Z": (91, "2c6f24723462b6561600cece043d801a747cd6ae48997f1e1b79aa823ea51967"),
        "20260106T120000Z--20260107T000000Z": (129, "358a5b76e38869d3230123eac88427676c548e668c1004fad3236cfe1662674b"),
        "20260107T000000Z--20260107T120000Z": (69, "3e29873754e4c50d115b85dbb2a3de27678d1847cdafa4640f2bf4d2fb9e8b89"),
        "20260107T120000Z--20260108T000000Z": (135, "12122db42a71633857776768a13dfd876a50bf461a5f2562ddcbfe071471f5b5"),
    },
}
#: What Zendesk's page said: the certificates in the files have it.
END_TIMES = {"ticket_events": 1_768_945_950, "ticket_metric_events": 1_767_954_996}
#: The rows of the slices of the next day.
NEXT_ROWS = {"ticket_events": [73], "ticket_metric_events": [116, 145]}

Record = dict[str, msgspec.Raw]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the dataset."""
    return Path(shutil.copytree(DATA / "dataset_0_1", tmp_path / "dataset"))


@pytest.fixture
def zendesk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server that returns the stored records, in the bytes in which they were sent, at the default connection."""
    content = gzip.decompress((DATA / "dataset_0_1_source.json.gz").read_bytes())
    records = msgspec.json.decode(content, type=dict[str, list[Record]])

    def respond(handler: BaseHTTPRequestHandler) -> None:
        address = urlsplit(handler.path)
        resource = address.path.rpartition("/")[2].removesuffix(".json")
        start_time = int(parse_qs(address.query)["start_time"][0])
        found = [record for record in records[resource] if second(record) >= start_time]
        page = {resource: found, "count": len(found), "end_time": END_TIMES[resource], "end_of_stream": False}
        send(handler, Reply(msgspec.json.encode(page)))

    with scripted_server(respond) as server:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection(hash_key=HASH_KEY))
        yield


def second(record: Record) -> int:
    """The Unix time of a record."""
    (text,) = (record[name] for name in ("created_at", "time") if name in record)
    return int(datetime.fromisoformat(json.loads(bytes(text))).timestamp())


def files(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """The content of each file, its inode and the time of its last change: what any write would change."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_ino, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def rows_and_digest(path: Path) -> tuple[int, str]:
    """The number of rows in a file, and their digest, computed from the rows."""
    digest = RowDigest()
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches():
            digest.update(batch)
        assert digest.rows == file.metadata.num_rows
    return digest.rows, str(digest).removeprefix("sum-sha256:")


@pytest.mark.parametrize("resource", SLICES)
def test_rows_are_those_that_were_written(folder: Path, resource: str) -> None:
    """PyArrow reads every file, and the digests are the same as in version 0.1."""
    found = {path.stem: rows_and_digest(path) for path in (folder / resource).rglob("*.parquet")}
    assert SLICES[resource] == found


@pytest.mark.parametrize("resource", SLICES)
def test_verification_finds_the_window_complete(folder: Path, resource: str) -> None:
    """Without access to Zendesk: the footers of version 0.1 are sufficient."""
    result = verify_window(folder.as_uri(), resource, WINDOW)
    assert ([], True) == (result.findings, result.complete)
    assert [rows for rows, _ in SLICES[resource].values()] == [state.rows for state in result.slices]
    assert [f"sum-sha256:{digest}" for _, digest in SLICES[resource].values()] == [
        state.digest for state in result.slices
    ]


@pytest.mark.usefixtures("zendesk")
@pytest.mark.parametrize("resource", SLICES)
def test_verification_against_zendesk_finds_no_difference(folder: Path, resource: str) -> None:
    """The stored records give the same rows today, redaction and hashes included."""
    result = verify_window(folder.as_uri(), resource, WINDOW, source="all")
    assert ([], True, len(SLICES[resource])) == (result.findings, result.complete, result.compared)


def export(folder: Path, resource: str, window: Window) -> list[tuple[str, int | None]]:
    """Export a window with the settings of version 0.1: the outcome and the rows of each slice."""
    settings = load_settings(open_destination((DATA / "dataset_0_1").as_uri()), resource)
    report = export_window(ZendeskHook(), folder.as_uri(), settings.query(), window, grain=settings.grain)
    return [(slice_.outcome, slice_.rows) for slice_ in report.slices]


@pytest.mark.usefixtures("zendesk")
@pytest.mark.parametrize("resource", SLICES)
def test_export_of_the_same_window_writes_nothing(folder: Path, resource: str) -> None:
    """Every slice is reported as unchanged, and no file is touched."""
    before = files(folder)
    assert [("unchanged", rows) for rows, _ in SLICES[resource].values()] == export(folder, resource, WINDOW)
    assert before == files(folder)


@pytest.mark.usefixtures("zendesk")
@pytest.mark.parametrize("resource", SLICES)
def test_export_of_the_next_day_adds_slices_and_rewrites_none(folder: Path, resource: str) -> None:
    """The new slices complete a window that begins with the old ones."""
    before = files(folder)
    assert [("published", rows) for rows in NEXT_ROWS[resource]] == export(folder, resource, NEXT_DAY)
    after = files(folder)
    added = after.keys() - before.keys()
    assert {f"{resource}/event_date=2026-01-08"} == {name.rpartition("/")[0] for name in added}
    assert before == {name: after[name] for name in before}
    assert verify_window(folder.as_uri(), resource, Window(WINDOW.start, NEXT_DAY.end)).complete


@pytest.mark.usefixtures("zendesk")
@pytest.mark.parametrize("resource", SLICES)
def test_export_into_an_empty_folder_writes_the_same_files(tmp_path: Path, resource: str) -> None:
    """Names, settings, schemas, footers and rows; and every byte, where PyArrow is the one that wrote the old files."""
    export(tmp_path, resource, WINDOW)
    old = DATA / "dataset_0_1"
    names = {str(path.relative_to(old)) for path in (old / resource).rglob("*.parquet")}
    settings = f"_datasets/{resource}.json"
    assert names | {settings} == files(tmp_path).keys()
    assert (old / settings).read_bytes() == (tmp_path / settings).read_bytes()
    for name in names:
        with pq.ParquetFile(old / name) as expected, pq.ParquetFile(tmp_path / name) as actual:
            assert expected.schema_arrow.equals(actual.schema_arrow, check_metadata=True)
            assert expected.metadata.metadata == actual.metadata.metadata
            assert expected.read().equals(actual.read())
            same_writer = expected.metadata.created_by == actual.metadata.created_by
        assert not same_writer or (old / name).read_bytes() == (tmp_path / name).read_bytes()
