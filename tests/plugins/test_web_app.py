"""The coverage pages as Airflow's own API server serves them: who may see them, and what they show."""

import io
import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from rich import filesize

from airflow_zendesk.dataset.layout import settings_key, slice_key
from airflow_zendesk.dataset.settings import DatasetSettings, ensure_settings
from airflow_zendesk.dataset.slice_file import Certificate
from airflow_zendesk.destination import open_destination
from airflow_zendesk.storage.store import Store
from airflow_zendesk.verify.source_check import verify_window
from airflow_zendesk.warehouse.loading import load_slices, open_warehouse
from airflow_zendesk.window import DEFAULT_GRAIN, Slice, Window
from tests.support.commands import ROOT, executable
from tests.support.forged_slices import forged, valid_slice
from tests.support.slices import event

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
SETTINGS = DatasetSettings(
    resource="ticket_events", account="example.zendesk.com", grain=DEFAULT_GRAIN, include=(), support_type_scope="all"
)
DATASET = "/dataset?place=default&resource=ticket_events"
PATHS = ["/", DATASET, f"/day?place=default&resource=ticket_events&day={TODAY:%Y-%m-%d}", "/summary.json"]
VARIABLES = {"zendesk_accounts": "[]", "zendesk_warehouse": ""}
FILES = ["/static/coverage.css", "/static/coverage.js", "/static/tile.js"]
MISSING, DAMAGED, LATE = 5, 3, 2
FOUR_DAYS = Window(TODAY - timedelta(days=4), TODAY)


def write_dataset(folder: Path) -> None:
    """Ten days, one of them missing, one damaged, and one with a late event."""
    store = open_destination(folder.as_uri())
    ensure_settings(store, SETTINGS)
    for slice_ in DEFAULT_GRAIN.slices(Window(TODAY - timedelta(days=10), TODAY)):
        ago = (TODAY - slice_.start).days
        records = [event(ago * 10 + number, timestamp=slice_.start_time) for number in range(3)]
        if ago == LATE:
            records.append(event(999, timestamp=slice_.start_time - 60))
        content = b"not Parquet" if ago == DAMAGED else valid_slice(slice_, records)
        if ago != MISSING:
            store.put(slice_key("ticket_events", slice_), io.BytesIO(content), expected=None)


class Server:
    """A running API server; ``routes`` are those of the app."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        self._process = process
        self.folder = folder
        self.routes: list[str] = self._line()["routes"]

    def get(self, path: str, user: str = "admin", **options: Any) -> dict[str, Any]:
        """The response to a request: ``status``, ``text`` and ``headers``."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"path": path, "user": user, **options}) + "\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith('{"'):
                found: dict[str, Any] = json.loads(line)
                return found
        raise AssertionError("the API server has ended")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Airflow's API server, with a dataset that no Variable names yet."""
    folder = tmp_path_factory.mktemp("pages")
    write_dataset(folder / "data")
    command = [executable("python"), "-m", "tests.plugins.request_pages", str(folder)]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        yield Server(process, folder)
        assert process.stdin
        process.stdin.close()


@pytest.fixture
def pages(server: Server) -> Server:
    """The server, with the Variable set."""
    server.get("/", variables=VARIABLES | {"zendesk_destination": (server.folder / "data").as_uri()})
    return server


def test_every_route_is_tested_below(server: Server) -> None:
    """A new route must be added to the tests of rights."""
    assert ["/", "/dataset", "/day", "/static/{name}", "/summary.json"] == server.routes


@pytest.mark.parametrize("path", [*PATHS, *FILES])
def test_every_route_needs_a_user(pages: Server, path: str) -> None:
    """Without one, or with a broken token, nothing is returned."""
    assert (401, 403) == (pages.get(path, "anonymous")["status"], pages.get(path, "broken")["status"])


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/redoc"])
def test_pages_of_fastapi_are_off(pages: Server, path: str) -> None:
    """No dependency would protect them."""
    assert 404 == pages.get(path)["status"]


@pytest.mark.parametrize("path", [*PATHS, *FILES])
@pytest.mark.parametrize("user", ["viewer", "admin"])
def test_readers_see_every_page(pages: Server, path: str, user: str) -> None:
    """With a policy that allows no other host and no foreign frame."""
    response = pages.get(path, user)
    assert 200 == response["status"]
    assert "default-src 'none'" in response["headers"]["content-security-policy"]
    assert "frame-ancestors 'self'" in response["headers"]["content-security-policy"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_no_route_changes_anything(pages: Server, method: str) -> None:
    """A repair is started by Airflow's own API."""
    assert {405} == {pages.get(path, method=method)["status"] for path in PATHS}


def test_overview_lists_the_datasets(pages: Server) -> None:
    """With the account and the missing slices; there are gaps."""
    text = pages.get("/")["text"]
    assert "example.zendesk.com" in text
    assert '<span class="badge bad">gaps</span>' in text
    assert {"datasets": 1, "missing": 1, "unreadable": 0} == json.loads(pages.get("/summary.json")["text"])


def test_dataset_shows_the_gap_and_its_repair(pages: Server) -> None:
    """A headline, the command, the bars and the table."""
    text = pages.get(DATASET)["text"]
    missing, after = (f"{TODAY - timedelta(days=ago):%Y-%m-%d}" for ago in (MISSING, MISSING - 1))
    assert "<strong>1 slice is unreadable, 1 is missing.</strong>" in text
    assert (
        f"airflow-zendesk export --resource ticket_events --start {missing}T00:00:00Z --end {after}T00:00:00Z" in text
    )
    assert f'data-start="{missing}" data-end="{after}"' in text
    assert f"{TODAY - timedelta(days=LATE):%Y-%m-%d}: with late rows, 4 rows, 1 of them late" in text
    assert f"{TODAY - timedelta(days=DAMAGED):%Y-%m-%d}: unreadable" in text


def test_headline_without_damage_says_until_when_nothing_is_missing(pages: Server) -> None:
    """And how far behind the dataset is."""
    store = open_destination((pages.folder / "gap").as_uri())
    ensure_settings(store, SETTINGS)
    for slice_ in DEFAULT_GRAIN.slices(Window(TODAY - timedelta(days=4), TODAY)):
        if (TODAY - slice_.start).days != 2:
            content = valid_slice(slice_, [event(1, timestamp=slice_.start_time)])
            store.put(slice_key("ticket_events", slice_), io.BytesIO(content), expected=None)
    text = pages.get(DATASET, variables={"zendesk_destination": store.uri("")})["text"]
    assert "<strong>1 slice is missing.</strong>" in text
    assert f"Complete until {TODAY - timedelta(days=2):%Y-%m-%d} 00:00 UTC" in text


def test_repair_needs_an_active_dag_and_the_right_to_run_it(pages: Server) -> None:
    """Otherwise the button is disabled, and the page says why."""
    assert "The DAG zendesk_history is paused. Unpause it first." in pages.get(DATASET)["text"]
    viewer = pages.get(DATASET, "viewer", unpause="zendesk_history")["text"]
    assert "You may not run the DAG zendesk_history." in viewer
    assert 'data-end="' in viewer
    assert " disabled>" in viewer
    assert " disabled>" not in pages.get(DATASET)["text"]


def test_dataset_with_other_settings_is_repaired_by_commands(pages: Server) -> None:
    """A run of the DAG would be refused, because it exports without comments."""
    settings = msgspec.structs.replace(SETTINGS, include=("comment_events",), private_comments=True)
    store = open_destination((pages.folder / "comments").as_uri())
    ensure_settings(store, settings)
    for slice_ in DEFAULT_GRAIN.slices(Window(TODAY - timedelta(days=10), TODAY))[::2]:
        content = valid_slice(slice_, [event(1, timestamp=slice_.start_time)])
        store.put(slice_key("ticket_events", slice_), io.BytesIO(content), expected=None)
    text = pages.get(DATASET, variables={"zendesk_destination": store.uri("")})["text"]
    assert "other settings than the DAG <code>zendesk_history</code> (include, private_comments)" in text
    assert 'data-test="repair"' not in text
    assert "--include comment_events" in text


def days_at(pages: Server, name: str, **variables: str) -> Store:
    """Four complete days at a new destination, which the Variable names."""
    store = open_destination((pages.folder / name).as_uri())
    ensure_settings(store, SETTINGS)
    for slice_ in DEFAULT_GRAIN.slices(FOUR_DAYS):
        replace_day(store, slice_, slice_.start_time)
    pages.get("/summary.json", variables={"zendesk_destination": store.uri(""), **variables})
    return store


def replace_day(store: Store, slice_: Slice, timestamp: int, **changes: Any) -> None:
    """Store a slice with one event, whose footer may have other values."""
    content = valid_slice(slice_, [event(slice_.start_time, timestamp=timestamp)], SETTINGS)
    key = slice_key("ticket_events", slice_)
    store.put(key, io.BytesIO(forged(content, **changes) if changes else content), expected=store.version(key))


def day_page(slice_: Slice) -> str:
    """The path of the page of a day."""
    return f"/day?place=default&resource=ticket_events&day={slice_.start:%Y-%m-%d}"


def test_results_of_a_verification_are_shown_until_the_slice_changes(pages: Server) -> None:
    """On every page: how many slices were verified, and which one has failed."""
    store = days_at(pages, "verified")
    first, second, *_ = DEFAULT_GRAIN.slices(FOUR_DAYS)
    text = pages.get(DATASET)["text"]
    assert "Verified slices: never" in text
    assert f"airflow-zendesk verify --resource ticket_events --start {first.start:%Y-%m-%d}T00:00:00Z --end " in text
    replace_day(store, second, second.start_time, certificate=Certificate("end_time", second.end_time, 0))
    verify_window(store.uri(""), "ticket_events", FOUR_DAYS)
    text = pages.get(f"{DATASET}&fresh=true")["text"]
    assert "<strong>1 slice has failed verification.</strong>" in text
    assert "Verified slices: all, last on " in text
    assert f"{second.start:%Y-%m-%d}: failed verification, 1 row" in text
    assert '<span class="badge bad">damaged</span>' in pages.get("/")["text"]
    assert '<span class="badge bad">uncertified</span>' in pages.get(day_page(second))["text"]
    assert "UTC: complete</td>" in pages.get(day_page(first))["text"]
    replace_day(store, second, second.start_time)
    text = pages.get(f"{DATASET}&fresh=true")["text"]
    assert "Verified slices: 3 of 4, last on " in text
    assert "failed verification, 1 row" not in text
    assert "not since it was written" in pages.get(day_page(second))["text"]


def test_object_that_is_moved_away_does_not_break_the_page(pages: Server) -> None:
    """The listing may be ten seconds old. The page shows it as unreadable, and a fresh one as missing."""
    store = days_at(pages, "moved")
    first, second, *_ = DEFAULT_GRAIN.slices(FOUR_DAYS)
    store.delete(slice_key("ticket_events", second))
    assert 200 == pages.get("/")["status"] == pages.get(DATASET)["status"]
    text = pages.get(f"{DATASET}&fresh=true")["text"]
    assert "<strong>1 slice is missing.</strong>" in text
    assert f"{first.start:%Y-%m-%d}: exported, 1 row" in text


def test_overview_has_the_rows_and_bytes_of_the_dataset(pages: Server) -> None:
    """Of a dataset that is too large to open every slice, the rows are at least those of the last slices."""
    store = days_at(pages, "sums")
    size = sum(listed.size for listed in store.walk_sizes("ticket_events").values())
    text = pages.get("/")["text"]
    assert f'<td class="n">4</td>\n<td class="n">{filesize.decimal(size)}</td>\n<td>never</td>' in text
    # A dataset begins with its first slice, so these are earlier ones.
    for slice_ in DEFAULT_GRAIN.slices(Window(FOUR_DAYS.start - timedelta(days=97), FOUR_DAYS.start)):
        replace_day(store, slice_, slice_.start_time)
    pages.get(f"{DATASET}&fresh=true")
    assert '<td class="n">at least 100</td>' in pages.get("/")["text"]


def test_destination_of_another_dag_is_known_by_its_event(pages: Server) -> None:
    """It is shown beside those of the Variables, once, and not if it is empty; other events are ignored."""
    store = days_at(pages, "other")
    event_ = {"resource": "ticket_events", "destination": store.uri("ticket_events")}
    place = f"/dataset?place={store.uri('')}&resource=ticket_events"
    pages.get("/", variables={"zendesk_destination": (pages.folder / "data").as_uri()})
    assert 404 == pages.get(place)["status"]
    # An event that a user has created, not a task.
    assert store.uri("") not in pages.get("/", event=event_, task=None)["text"]
    text = pages.get("/", event=event_, task="export")["text"]
    assert f'href="dataset?place={quote(store.uri(""))}&amp;resource=ticket_events"' in text
    assert "Complete until" in pages.get(place)["text"]
    again = pages.get("/", variables={"zendesk_destination": store.uri("")})["text"]
    assert 1 == again.count(">ticket_events</a>")
    for foreign in (
        {"resource": "ticket_events", "destination": (pages.folder / "nothing" / "ticket_events").as_uri()},
        {"resource": "tickets", "destination": store.uri("ticket_events")},
        {"resource": ["ticket_events"], "destination": "file:///x/ticket_events"},
        {"resource": "ticket_events", "destination": 5},
        {},
    ):
        assert 1 == pages.get("/", event=foreign, task="export")["text"].count(">ticket_events</a>")


def test_loaded_days_are_shown(pages: Server) -> None:
    """Those that are not loaded, or changed since they were, with the command that loads them."""
    warehouse = f"duckdb://{pages.folder}/zendesk.duckdb"
    store = days_at(pages, "loaded", zendesk_warehouse=warehouse)
    _, second, third, _ = slices = DEFAULT_GRAIN.slices(FOUR_DAYS)
    assert f"Not loaded into {warehouse}: 4 of 4 slices." in pages.get(DATASET)["text"]
    assert not (pages.folder / "zendesk.duckdb").exists()
    database = open_warehouse(warehouse, "zendesk")
    load_slices(database, store, "ticket_events", slices[:3])
    replace_day(store, second, second.start_time + 1)
    text = pages.get(f"{DATASET}&fresh=true")["text"]
    assert "1 of 4 slices; 1 loaded in another version than the stored one." in text
    window = f"{{&#34;start&#34;: &#34;{second.start:%Y-%m-%d}&#34;, &#34;end&#34;: &#34;{TODAY:%Y-%m-%d}&#34;}}"
    assert f"airflow dags trigger zendesk_load_ticket_events --conf &#39;{window}&#39;" in text
    assert f"{second.start:%Y-%m-%d}: exported, 1 row, 0 of 1 loaded" in text
    assert f"{third.start:%Y-%m-%d}: exported, 1 row<" in text
    for slice_, state in zip(slices, ("loaded", "another version", "loaded", "not loaded"), strict=True):
        assert f'<tr><th scope="row">Loaded</th><td>{state}</td></tr>' in pages.get(day_page(slice_))["text"]
    load_slices(database, store, "ticket_events", slices)
    assert f"All slices are loaded into {warehouse}." in pages.get(DATASET)["text"]
    with database:
        text = pages.get(DATASET)["text"]
    assert f"Loaded slices are unknown: {warehouse} is not available: another process has had it open" in text
    assert ">unknown</td>" in text


@pytest.mark.parametrize(
    ("warehouse", "reason"),
    [
        ("mysql://me:secret@nowhere", "The warehouse &#39;mysql://***@nowhere&#39; is not valid. Use a file"),
        ("nobody", "The Airflow connection &#39;nobody&#39; does not exist"),
    ],
)
def test_warehouse_that_cannot_be_read_is_a_sentence(pages: Server, warehouse: str, reason: str) -> None:
    """The rest of the page is shown."""
    days_at(pages, f"warehouse-{warehouse[:3]}", zendesk_warehouse=warehouse)
    text = pages.get(DATASET)["text"]
    assert "Loaded slices are unknown: " in text
    assert reason in text
    assert "Complete until" in text


def test_day_shows_what_the_footer_says(pages: Server) -> None:
    """Rows, digest and certificate; of a damaged slice, that it is unreadable."""
    day = "/day?place=default&resource=ticket_events&day={:%Y-%m-%d}"
    late = pages.get(day.format(TODAY - timedelta(days=LATE)))["text"]
    assert '<tr><th scope="row">Late rows</th><td>1</td></tr>' in late
    assert "sum-sha256:" in late
    damaged = pages.get(day.format(TODAY - timedelta(days=DAMAGED)))["text"]
    assert "it is not a Parquet file. Move the object away and export the slice again." in damaged
    assert "Missing from" in pages.get(day.format(TODAY - timedelta(days=MISSING)))["text"]


def test_day_of_a_newer_slice_says_to_upgrade(pages: Server) -> None:
    """And not to move it away, as a damaged one: it is complete."""
    store = days_at(pages, "newer")
    first, *_ = DEFAULT_GRAIN.slices(FOUR_DAYS)
    replace_day(store, first, first.start_time, schema_version="1.1")
    text = pages.get(day_page(first))["text"]
    assert "has schema version 1.1, but this version of airflow-zendesk supports 1.0. Upgrade" in text
    assert "Move the object away" not in text


def test_newer_dataset_does_not_hide_the_others(pages: Server) -> None:
    """The API server may be upgraded last."""
    store = days_at(pages, "newer-dataset")
    newer = json.dumps({"schema_major_version": 2}).encode()
    store.put(settings_key("tickets"), io.BytesIO(newer), expected=None)
    text = pages.get("/")["text"]
    assert "_datasets/tickets.json has schema version 2, but this version of airflow-zendesk supports 1.0" in text
    assert '<span class="badge good">no gaps</span>' in text
    assert {"datasets": 1, "missing": 0, "unreadable": 1} == json.loads(pages.get("/summary.json")["text"])


@pytest.mark.parametrize("until", ["0001-01-01", "9999-12-31"])
def test_period_is_within_the_dataset(pages: Server, until: str) -> None:
    """Whatever the address says."""
    assert 200 == pages.get(f"{DATASET}&until={until}")["status"]


def test_list_has_no_gaps(pages: Server) -> None:
    """Also where days have no snapshot: on its page, on the page of such a day, and in the tile."""
    store = open_destination((pages.folder / "lists").as_uri())
    settings = msgspec.structs.replace(SETTINGS, resource="groups", support_type_scope=None)
    ensure_settings(store, settings)
    for slice_ in DEFAULT_GRAIN.slices(Window(TODAY - timedelta(days=10), TODAY))[::3]:
        content = valid_slice(slice_, [event(1, timestamp=slice_.start_time)])
        store.put(slice_key("groups", slice_), io.BytesIO(content), expected=None)
    address = "/dataset?place=default&resource=groups"
    text = pages.get(address, variables={"zendesk_destination": store.uri("")})["text"]
    assert f"The newest snapshot is of {TODAY - timedelta(days=1):%Y-%m-%d}." in text
    assert "Missing slices" not in text
    day = f"/day?place=default&resource=groups&day={TODAY - timedelta(days=2):%Y-%m-%d}"
    assert "No slice of this day is stored." in pages.get(day)["text"]
    assert {"datasets": 1, "missing": 0, "unreadable": 0} == json.loads(pages.get("/summary.json")["text"])


def test_requests_name_configured_datasets_only(pages: Server) -> None:
    """A request cannot make the server read another place."""
    assert 404 == pages.get("/dataset?place=file:///etc&resource=ticket_events")["status"]
    assert 404 == pages.get("/static/coverage_plugin.py")["status"]
    unknown = pages.get("/dataset?place=default&resource=../secrets")
    assert 502 == unknown["status"]
    assert "There is no dataset at" in unknown["text"]


def test_without_variables_the_checklist_says_what_to_do(server: Server) -> None:
    """The first page that a new user sees."""
    text = server.get("/", variables={"zendesk_destination": "", "zendesk_accounts": "[]"})["text"]
    assert "No destination is configured. Follow the checklist." in text
    assert "airflow variables set zendesk_destination" in text
    assert "Add or correct the connection zendesk_default" in text


@pytest.mark.parametrize(
    ("destination", "reason"),
    [
        ("no URL", "is not a URL"),
        ("s3://[bucket", "is not a URL"),
        ("s3://nobody:secret@bucket/zendesk", "There is no connection"),
        ("file:///proc/<b>nothing</b>", "Nothing has been exported to this destination yet."),
    ],
)
def test_destination_that_cannot_be_read_is_a_sentence(server: Server, destination: str, reason: str) -> None:
    """The page is shown, without the connection's secret, and with every text escaped."""
    response = server.get("/", variables={"zendesk_destination": destination, "zendesk_accounts": "[]"})
    assert 200 == response["status"]
    assert reason in response["text"]
    assert "<b>nothing" not in response["text"]
    # The tile must not say that no slice is missing.
    unreadable = 0 if "nothing" in destination else 1
    assert {"datasets": 0, "missing": 0, "unreadable": unreadable} == json.loads(server.get("/summary.json")["text"])


def test_list_of_accounts_that_is_no_list_is_a_sentence(server: Server) -> None:
    """It names the Variable."""
    destination = (server.folder / "data").as_uri()
    response = server.get("/", variables={"zendesk_destination": destination, "zendesk_accounts": '{"a": 1}'})
    assert 502 == response["status"]
    assert "The Airflow Variable zendesk_accounts is not a list of connections." in response["text"]
