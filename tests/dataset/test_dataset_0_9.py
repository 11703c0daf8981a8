"""A dataset written by version 0.9 is read, verified, loaded and continued; see also ``test_old_dataset``.

``tests/support/data/dataset_0_9`` has what version 0.1 did not: objects, a list, and events of an account that was
renamed between the two days. Never write it again. ``dataset_0_9_source.json.gz`` has what Zendesk returned a day
later: one page of each resource, as the emulator sent it. Three of the tickets had changed again, and a group was
deleted.
"""

import gzip
import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import pyarrow.parquet as pq
import pytest

from airflow_zendesk.dataset.settings import load_settings
from airflow_zendesk.dataset.slice_file import read_footer
from airflow_zendesk.destination import open_destination
from airflow_zendesk.export.run import export_window
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.verify.source_check import verify_window
from airflow_zendesk.warehouse.loading import load_slices, open_warehouse
from airflow_zendesk.window import Grain, Window
from tests.dataset.test_old_dataset import DATA, HASH_KEY, files, rows_and_digest
from tests.support.scripted_server import Reply, scripted_server, send

WINDOW = Window.of("2026-01-05T00:00:00Z", "2026-01-07T00:00:00Z")
NEXT_DAY = Window.of("2026-01-07T00:00:00Z", "2026-01-08T00:00:00Z")
#: Of the list there is one snapshot.
WINDOWS = {"ticket_events": WINDOW, "tickets": WINDOW, "groups": NEXT_DAY}
#: The rows and the digest of each slice, as version 0.9 reported them.
SLICES = {
    "ticket_events": [
        (60, "281c94cc0d2aa4ccefab9deab13752d32fbe3409c06628db8868c69543a47a08"),
        (64, "9e2cfda37c1f750a1395a4a1ed407aeb718ccfb84b8af476b7d940e94a864d9b"),
    ],
    "tickets": [
        (7, "0e8662fccc52fcc295b45ab387e9aff0a7374c959446b95067dde88709a67943"),
        (11, "5eccfc83e1a3e28429b05b310b8f7824da447e7d984998b155bc0d7832bc19e5"),
    ],
    "groups": [
        (4, "d030e429981d4c76a32c66bdf5cf8119bdf83962a1ba29aa21121bbfacb089b0"),
    ],
}
#: The key of a record's time.
TIMES = {"ticket_events": "timestamp", "tickets": "generated_timestamp"}
#: The server's clock in the source.
DATE = "Thu, 08 Jan 2026 12:00:00 GMT"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the dataset."""
    return Path(shutil.copytree(DATA / "dataset_0_9", tmp_path / "dataset"))


@pytest.fixture
def zendesk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server that returns the stored pages, from the requested time on, at the default connection."""
    content = gzip.decompress((DATA / "dataset_0_9_source.json.gz").read_bytes())
    pages = msgspec.json.decode(content, type=dict[str, dict[str, msgspec.Raw]])

    def respond(handler: BaseHTTPRequestHandler) -> None:
        address = urlsplit(handler.path)
        (resource,) = (name for name in pages if name in address.path.replace(".", "/").split("/"))
        start = int(parse_qs(address.query).get("start_time", ["0"])[0])
        records = msgspec.json.decode(pages[resource][resource], type=list[dict[str, msgspec.Raw]])
        found = [each for each in records if resource == "groups" or int(bytes(each[TIMES[resource]])) >= start]
        page = pages[resource] | {resource: found, "count": len(found)}
        send(handler, Reply(msgspec.json.encode(page), headers={"Date": DATE}))

    with scripted_server(respond) as server:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection(hash_key=HASH_KEY))
        yield


def slices(folder: Path, resource: str) -> list[Path]:
    """The files of the slices, in the order of their time."""
    return sorted((folder / resource).rglob("*.parquet"))


def export(folder: Path, resource: str, window: Window | None) -> list[tuple[str, int | None]]:
    """Export with the settings of the dataset: the outcome and the rows of each slice."""
    settings = load_settings(open_destination(folder.as_uri()), resource)
    grain = None if window is None else settings.grain
    report = export_window(ZendeskHook(), folder.as_uri(), settings.query(), window, grain=grain)
    return [(slice_.outcome, slice_.rows) for slice_ in report.slices]


@pytest.mark.parametrize("resource", SLICES)
def test_rows_are_those_that_were_written(folder: Path, resource: str) -> None:
    """PyArrow reads every file, and the digests are the same as in version 0.9."""
    assert SLICES[resource] == [rows_and_digest(path) for path in slices(folder, resource)]


@pytest.mark.parametrize("resource", SLICES)
def test_verification_finds_the_window_complete(folder: Path, resource: str) -> None:
    """The footers are sufficient, also of the slice that has the former name of the account."""
    result = verify_window(folder.as_uri(), resource, WINDOWS[resource])
    assert ([], True) == (result.findings, result.complete)
    assert [rows for rows, _ in SLICES[resource]] == [state.rows for state in result.slices]


@pytest.mark.usefixtures("zendesk")
@pytest.mark.parametrize("resource", ["ticket_events", "tickets"])
def test_verification_against_zendesk_finds_no_difference(folder: Path, resource: str) -> None:
    """The response gives the same rows today. Tickets that have changed again are not missing."""
    result = verify_window(folder.as_uri(), resource, WINDOW, source="all")
    assert ([], True, 2) == (result.findings, result.complete, result.compared)


@pytest.mark.usefixtures("zendesk")
@pytest.mark.parametrize("resource", ["ticket_events", "tickets"])
def test_export_of_the_same_window_writes_nothing(folder: Path, resource: str) -> None:
    """Stored versions of tickets that have changed again are kept."""
    before = files(folder)
    assert [("unchanged", rows) for rows, _ in SLICES[resource]] == export(folder, resource, WINDOW)
    assert before == files(folder)


@pytest.mark.usefixtures("zendesk")
@pytest.mark.parametrize(("resource", "window", "rows"), [
    ("ticket_events", NEXT_DAY, 67), ("tickets", NEXT_DAY, 9), ("groups", None, 3),
])  # fmt: skip
def test_export_of_the_next_day_adds_a_slice_in_the_same_format(
    folder: Path, resource: str, window: Window | None, rows: int
) -> None:
    """Columns and keys of the footer are the same, and no file is written again."""
    before, (*_, last) = files(folder), slices(folder, resource)
    assert [("published", rows)] == export(folder, resource, window)
    assert before == {name: content for name, content in files(folder).items() if name in before}
    (*_, added) = slices(folder, resource)
    assert last != added
    with pq.ParquetFile(last) as old, pq.ParquetFile(added) as new:
        assert old.schema_arrow.equals(new.schema_arrow, check_metadata=False)
        assert read_footer(old, "old").schema_version == read_footer(new, "new").schema_version
        assert footer_keys(old) == footer_keys(new)


def footer_keys(file: pq.ParquetFile) -> set[str]:
    """The keys of a footer, as they are stored."""
    keys: set[str] = msgspec.json.decode(file.metadata.metadata[b"airflow_zendesk"]).keys()
    return set(keys)


@pytest.mark.parametrize("resource", SLICES)
def test_slices_are_loaded(folder: Path, tmp_path: Path, resource: str) -> None:
    """Into a new warehouse."""
    days = Grain.of("1d").slices(WINDOWS[resource])
    database = open_warehouse(f"duckdb://{tmp_path / 'warehouse.duckdb'}", "zendesk")
    report = load_slices(database, open_destination(folder.as_uri()), resource, days)
    assert [("loaded", rows) for rows, _ in SLICES[resource]] == [(each.outcome, each.rows) for each in report.slices]
