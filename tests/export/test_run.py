"""A window becomes slices in storage: all of it, once, or a named error and nothing changed."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich import filesize

from airflow_zendesk.dataset.slice_file import read_footer
from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from airflow_zendesk.exceptions import (
    AuthenticationError,
    DatasetMismatchError,
    FutureWindowError,
    MalformedResponseError,
    MisalignedWindowError,
    NotJsonError,
    SettingsError,
    ShrinkRefusedError,
    StuckPageError,
    TransportError,
    ZendeskError,
)
from airflow_zendesk.export.progress import Progress
from airflow_zendesk.export.report import ExportReport
from airflow_zendesk.export.run import export_window
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.window import Grain, Window
from airflow_zendesk.zendesk.resources import Query
from airflow_zendesk.zendesk.retry import RetryBudget
from tests.support.clocks import FakeClock
from tests.support.scripted_server import Reply, page, scripted_server
from tests.support.slices import exported_ids

DAY = Window.of("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
EVENTS = Query.of("ticket_events")


def export(folder: Path, window: Window = DAY, query: Query = EVENTS, **options: Any) -> ExportReport:
    """Export with a hook that neither sleeps nor has much patience."""
    time = FakeClock()
    hook = ZendeskHook(retry_budget=RetryBudget(page_seconds=5), sleep=time.sleep, clock=time.clock)
    return export_window(hook, folder.as_uri(), query, window, **options)


def files(folder: Path) -> dict[str, bytes]:
    """Everything below the folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """When and as which file everything below the folder was written."""
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def digests(folder: Path) -> dict[str, str]:
    """The digest of each slice, by its name."""
    return {path.name: read_footer(pq.ParquetFile(path), path.name).digest for path in folder.rglob("*.parquet")}


@pytest.mark.parametrize("resource", ["ticket_events", "ticket_metric_events"])
def test_day_is_exported_whole_and_once(tmp_path: Path, emulator: ZendeskEmulator, resource: str) -> None:
    """One object, with the ids that the source has."""
    report = export(tmp_path, query=Query.of(resource))
    key = f"{resource}/event_date=2026-01-01/20260101T000000Z--20260102T000000Z.parquet"
    assert {key, f"_datasets/{resource}.json"} == files(tmp_path).keys()
    truth = sorted(emulator.expected_ids(resource, DAY.start, DAY.end))
    assert truth == exported_ids(tmp_path, resource)
    (slice_,) = report.slices
    assert ("published", len(truth), f"{tmp_path.as_uri()}/{key}") == (slice_.outcome, slice_.rows, slice_.uri)
    assert (tmp_path / key).stat().st_size == slice_.bytes


def test_lines_for_the_log_name_each_slice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its outcome, rows and object, and the totals; of very many slices only the totals."""
    hour = "file://{}/ticket_events/event_date=2026-01-01/20260101T0{}0000Z--20260101T0{}0000Z.parquet"
    events = [{"id": id_, "ticket_id": 7, "timestamp": DAY.start_time + 60 * id_} for id_ in (1, 2)]
    first, second = (
        Reply({"ticket_events": events[:count], "count": count, "end_time": None, "end_of_stream": True})
        for count in (1, 2)
    )
    window = Window.of("2026-01-01T00:00:00Z", "2026-01-01T02:00:00Z")
    with scripted_server(first, second, page(end_time=None)) as server:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())
        export(tmp_path, window, grain=Grain.of("1h"))
        report = export(tmp_path, window)
        skipped = export(tmp_path, window, if_exists="skip")
        many = export(tmp_path / "many", DAY, grain=Grain.of("10m"))
    size = filesize.decimal(report.slices[0].bytes or 0)
    empty = filesize.decimal(report.slices[1].bytes or 0)
    assert [
        f"Published 2026-01-01 00:00: 2 events (1 added), {size}, {hour.format(tmp_path, 0, 1)}",
        f"Unchanged 2026-01-01 01:00: 0 events, {empty}, {hour.format(tmp_path, 1, 2)}",
        "Slices: 1 published, 1 unchanged; events received: 2, requests: 1, retries: 0.",
    ] == report.lines()
    assert f"Skipped 2026-01-01 00:00: {hour.format(tmp_path, 0, 1)}" == skipped.lines()[0]
    assert ["Slices: 144 published; events received: 0, requests: 1, retries: 0."] == many.lines()


def test_second_run_writes_nothing(tmp_path: Path, emulator: ZendeskEmulator) -> None:
    """Equal digest, no PUT: not a byte, not a time stamp."""
    first = export(tmp_path)
    before = stamps(tmp_path)
    second = export(tmp_path)
    assert before == stamps(tmp_path)
    assert ["unchanged"] == [slice_.outcome for slice_ in second.slices]
    assert first.slices[0].digest == second.slices[0].digest
    assert len(emulator.requests) == 2 * first.stats.requests


@pytest.mark.usefixtures("emulator")
def test_two_runs_make_the_same_bytes(tmp_path: Path) -> None:
    """Into two places: nothing in an object tells when or by whom it was written."""
    export(tmp_path / "one")
    export(tmp_path / "other")
    assert files(tmp_path / "one") == files(tmp_path / "other")


def test_sweep_fills_many_slices_with_few_requests(tmp_path: Path, emulator: ZendeskEmulator) -> None:
    """A day of hours costs the pages that it holds, and makes the rows that 24 runs make."""
    hours = Grain.of("1h").slices(DAY)
    report = export(tmp_path / "sweep", grain=Grain.of("1h"))
    assert 24 == len(report.slices)
    assert report.stats.requests <= 1 + len(emulator.expected_ids("ticket_events", DAY.start, DAY.end)) // 900
    for hour in hours:
        export(tmp_path / "single", hour, grain=Grain.of("1h"))
    digests = {slice_.uri.rpartition("/")[2]: slice_.digest for slice_ in report.slices}
    again = export(tmp_path / "single", grain=Grain.of("1h"))
    assert digests == {slice_.uri.rpartition("/")[2]: slice_.digest for slice_ in again.slices}
    assert {"unchanged": 24} == again.slices_by_outcome()


@settings(max_examples=15)
@given(st.sets(st.integers(1, 47), max_size=6), st.integers(0, 10), st.booleans())
def test_any_partition_into_windows_exports_each_event_once(
    tmp_path_factory: pytest.TempPathFactory, cuts: set[int], seed: int, backwards: bool
) -> None:
    """Law: wherever windows meet and in whichever order they are exported, the union is the truth."""
    folder = tmp_path_factory.mktemp("dataset")
    bounds = [datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=30 * cut) for cut in (0, *sorted(cuts), 48)]
    windows = [Window(start, end) for start, end in pairwise(bounds)]
    with ZendeskEmulator(Simulator(seed=seed, events_per_day=1_500)) as emulator, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", json.dumps(emulator.connection()))
        for window in reversed(windows) if backwards else windows:
            export(folder, window, grain=Grain.of("30m"))
        assert sorted(emulator.expected_ids("ticket_events", bounds[0], bounds[-1])) == exported_ids(folder)


def test_quiet_time_makes_empty_slices(tmp_path: Path, emulator: ZendeskEmulator) -> None:
    """Also before the account existed: absence would mean that nobody asked."""
    report = export(tmp_path, Window.of("2014-12-30T00:00:00Z", "2015-01-01T00:00:00Z"))
    assert [("published", 0), ("published", 0)] == [(slice_.outcome, slice_.rows) for slice_ in report.slices]
    assert 1 == len([request for request in emulator.requests if request.query.startswith("start_time=1419897600")])


def test_skipped_slices_cost_nothing(tmp_path: Path, emulator: ZendeskEmulator) -> None:
    """Only what is missing is asked for, gap by gap."""
    hours = Grain.of("6h")
    export(tmp_path, Window.of("2026-01-01T06:00:00Z", "2026-01-01T12:00:00Z"), grain=hours)
    before, asked = stamps(tmp_path), len(emulator.requests)
    report = export(tmp_path, if_exists="skip")
    assert ["published", "skipped", "published", "published"] == [slice_.outcome for slice_ in report.slices]
    assert before.items() <= stamps(tmp_path).items()
    assert sorted(emulator.expected_ids("ticket_events", DAY.start, DAY.end)) == exported_ids(tmp_path)
    asked = len(emulator.requests)
    assert {"skipped": 4} == export(tmp_path, if_exists="skip").slices_by_outcome()
    assert asked == len(emulator.requests)


@settings(max_examples=10)
@given(st.sets(st.integers(0, 23)), st.integers(0, 10))
def test_gaps_never_cost_more_than_one_sweep_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, stored: set[int], seed: int
) -> None:
    """Law: whichever slices are there, the others are filled in no more requests than all of them, and all is exact."""
    folder = tmp_path_factory.mktemp("dataset")
    hours = Grain.of("1h").slices(DAY)
    with ZendeskEmulator(Simulator(seed=seed, events_per_day=2_500)) as emulator, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", json.dumps(emulator.connection()))
        whole = export(folder / "whole", grain=Grain.of("1h"))
        for hour in stored:
            export(folder / "gaps", hours[hour], grain=Grain.of("1h"))
        calls: list[Progress] = []
        report = export(folder / "gaps", grain=Grain.of("1h"), if_exists="skip", on_progress=calls.append)
        truth = sorted(emulator.expected_ids("ticket_events", DAY.start, DAY.end))
    assert report.stats.requests <= whole.stats.requests
    assert truth == exported_ids(folder / "gaps")
    assert digests(folder / "whole") == digests(folder / "gaps")
    assert [1.0] * bool(calls) == [each.fraction for each in calls[-1:]]
    assert sorted(each.fraction for each in calls) == [each.fraction for each in calls]


def test_progress_counts_only_what_is_asked_for(tmp_path: Path, emulator: ZendeskEmulator) -> None:
    """Else the end of a resumed sweep would seem near from its first page on."""
    afternoon = Window.of("2026-01-01T12:00:00Z", "2026-01-02T00:00:00Z")
    export(tmp_path, Window(DAY.start, afternoon.start), grain=Grain.of("1h"))
    calls: list[Progress] = []
    export(tmp_path, grain=Grain.of("1h"), if_exists="skip", on_progress=calls.append)
    first = calls[0]
    assert (first.complete_until - afternoon.start) / timedelta(hours=12) == pytest.approx(first.fraction)
    assert 0 < first.fraction < 1
    assert first.elapsed * (1 - first.fraction) / first.fraction == pytest.approx(first.remaining, rel=0.01)
    assert emulator.requests


def test_dataset_keeps_its_grain(tmp_path: Path, emulator: ZendeskEmulator) -> None:
    """Nobody needs to repeat it, and nobody can change it; a new dataset gets a day."""
    hour = Window.of("2026-01-01T05:00:00Z", "2026-01-01T06:00:00Z")
    assert Grain.of("1h") == export(tmp_path / "hours", hour, grain=Grain.of("1h")).settings.grain
    assert Grain.of("1h") == export(tmp_path / "hours", hour).settings.grain
    with pytest.raises(DatasetMismatchError, match="grain is '1h', requested '1d'"):
        export(tmp_path / "hours", grain=Grain.of("1d"))
    with pytest.raises(MisalignedWindowError, match="the largest grain that fits is 1h"):
        export(tmp_path / "days", hour)
    assert {} == files(tmp_path / "days")
    assert 2 == len(emulator.requests)


def test_dataset_keeps_its_account_and_what_is_asked(tmp_path: Path, emulator: ZendeskEmulator) -> None:
    """A run without comments cannot overwrite one with them."""
    export(tmp_path, query=Query.of("ticket_events", ["comment_events"]))
    before, asked = files(tmp_path), len(emulator.requests)
    with pytest.raises(DatasetMismatchError, match="include"):
        export(tmp_path)
    with pytest.raises(DatasetMismatchError, match="support_type_scope is 'all', requested 'agent'"):
        export(tmp_path, query=Query.of("ticket_events", ["comment_events"], "agent"))
    assert (before, asked) == (files(tmp_path), len(emulator.requests))


@pytest.mark.usefixtures("emulator")
def test_support_type_scope_is_honoured(tmp_path: Path) -> None:
    """All by default: Zendesk's own default would leave out the tickets of AI agents."""
    scopes = {}
    for scope in ("all", "agent", "ai_agent"):
        export(tmp_path / scope, query=Query.of("ticket_events", support_type_scope=scope))
        scopes[scope] = set(exported_ids(tmp_path / scope))
    assert scopes["agent"]
    assert scopes["ai_agent"]
    assert scopes["all"] == scopes["agent"] | scopes["ai_agent"]


def test_progress_is_told_after_each_page(tmp_path: Path, emulator: ZendeskEmulator) -> None:
    """How far, how much, and how long it will take."""
    calls: list[Progress] = []
    report = export(tmp_path, on_progress=calls.append)
    assert len(emulator.requests) == report.pages == len(calls)
    assert (1.0, report.events) == (calls[-1].fraction, calls[-1].events)
    assert sorted(each.complete_until for each in calls) == [each.complete_until for each in calls]


#: What Zendesk should not answer, and what becomes of it.
BROKEN: list[tuple[str, Reply, type[ZendeskError], str]] = [
    ("text", Reply(b"hello", headers={"Content-Type": "text/plain"}), NotJsonError, "instead of JSON"),
    ("HTML", Reply(b"<html>", headers={"Content-Type": "text/html"}), NotJsonError, "instead of JSON"),
    ("cut", Reply(b'{"ticket_events": [{"id": 1'), TransportError, "cut short or damaged"),
    ("no end_of_stream", Reply({"ticket_events": [], "end_time": 5}), MalformedResponseError, "no end_of_stream"),
    ("no end_time", page(end_time=None, end_of_stream=False), MalformedResponseError, "no end_time"),
    ("stuck", page(end_time=1_767_225_600, end_of_stream=False), StuckPageError, "is stuck at start_time=176722560"),
    ("unknown credentials", Reply({}, 401), AuthenticationError, "Renew the credentials in the Airflow connection"),
]


@pytest.mark.parametrize(("reply", "error", "message"), [each[1:] for each in BROKEN], ids=[each[0] for each in BROKEN])
@pytest.mark.parametrize("when", ["at once", "after a page", "over a dataset"])
def test_broken_answer_publishes_nothing_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reply: Reply, error: type[ZendeskError], message: str, when: str
) -> None:
    """A named error that says what to do; what was there stays as it was."""
    good = page((1, DAY.start_time), (2, DAY.start_time + 1), end_time=DAY.start_time + 1, end_of_stream=False)
    with scripted_server(page((1, DAY.start_time), end_time=None)) as server:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())
        if when == "over a dataset":
            export(tmp_path)
    before = stamps(tmp_path)
    with scripted_server(*([good] if when == "after a page" else []), reply) as server:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())
        with pytest.raises(error, match=message):
            export(tmp_path)
    assert before == stamps(tmp_path)


def test_window_that_is_not_over_is_refused_by_the_servers_clock(tmp_path: Path, emulator: ZendeskEmulator) -> None:
    """Nothing is published of a day that is still going on."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for start in (today, today + timedelta(days=30)):
        with pytest.raises((FutureWindowError, ZendeskError), match="after it has ended"):
            export(tmp_path, Window(start, start + timedelta(days=1)))
    assert {} == files(tmp_path)
    assert emulator.requests


def test_destination_must_be_a_url(tmp_path: Path) -> None:
    """A path that would land in the worker's own folder is refused."""
    with pytest.raises(SettingsError, match="is not a URL"):
        export_window(ZendeskHook(), str(tmp_path), EVENTS, DAY)


def test_slices_before_an_error_stay_and_are_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each slice is published when it is complete; the one under way is not."""
    noon = DAY.start_time + 43_200
    first = page((1, DAY.start_time), (2, noon + 60), end_time=noon + 60, end_of_stream=False)
    with scripted_server(first, Reply(b"", 403)) as server:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())
        with pytest.raises(ZendeskError):
            export(tmp_path, grain=Grain.of("12h"))
    assert [1] == exported_ids(tmp_path)
    assert 1 == len(list(tmp_path.rglob("*.parquet")))


def test_late_events_lie_in_the_first_open_slice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Marked, counted, and never lost; events after the window are left to the next."""
    late, due, after = (1, DAY.start_time - 500), (2, DAY.start_time + 5), (3, DAY.end_time)
    with scripted_server(page(due, late, after, end_time=None)) as server:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())
        report = export(tmp_path)
    rows = pq.ParquetFile(next(tmp_path.rglob("*.parquet"))).read(columns=["id", "late"]).to_pylist()
    assert [{"id": 1, "late": True}, {"id": 2, "late": False}] == rows
    assert (1, ["1 events were delivered late: they are in the first slice that was open, marked late."]) == (
        report.late, report.warnings(),
    )  # fmt: skip


def test_rerun_that_lacks_events_is_refused_unless_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing shrinks in silence; erasure is asked for."""
    with scripted_server(page((1, DAY.start_time), (2, DAY.start_time), end_time=None), page(end_time=None)) as server:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())
        export(tmp_path)
        with pytest.raises(ShrinkRefusedError, match="2 of 2 events stored"):
            export(tmp_path)
        assert [1, 2] == exported_ids(tmp_path)
        report = export(tmp_path, allow_shrink=True)
        assert [] == exported_ids(tmp_path)
    assert (2, [2]) == (report.to_dict()["removed"], [slice_.removed for slice_ in report.slices])
    assert ["2 stored events were removed, because Zendesk no longer returns them."] == report.warnings()


def test_late_events_that_a_rerun_finds_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many, and how late at the least: when the slice was exported first, so much time had passed without them."""
    early, late, later = (1, DAY.start_time), (2, DAY.end_time - 3_600), (3, DAY.end_time - 60)
    with scripted_server(page(early, end_time=None), page(early, late, later, end_time=None)) as server:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())
        first, second, third = (export(tmp_path) for _ in range(3))
    changes = ("added", "removed", "changed", "seconds_late")
    counts = [tuple(report.to_dict()[name] for name in changes) for report in (first, second, third)]
    assert [(0, 0, 0, None), (2, 0, 0, 3_600 + 300), (0, 0, 0, None)] == counts
    assert ["published", "published", "unchanged"] == [
        slice_.outcome for report in (first, second, third) for slice_ in report.slices
    ]
    (remark,) = second.warnings()
    assert remark.startswith("2 events were added to stored slices")
    assert remark.endswith("the latest at least 1:05:00 after it happened.")
    assert [] == third.warnings()


def test_report_is_json_without_row_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As XCom and the asset event carry it: counts, places and digests; names of unknown keys only if plain."""
    members: dict[str, Any] = {"unheard": 1, "text of a customer": "secret", "ticket_id": "seven"}
    odd = page((1, DAY.start_time), end_time=None, **members)
    with scripted_server(odd) as server:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())
        report = export(tmp_path)
    printed = json.dumps(report.to_dict())
    assert "customer" not in printed
    assert "secret" not in printed
    assert {"unheard": 1, "(not a plain name)": 1} == report.to_dict()["unknown_keys"]
    assert [
        "Zendesk sent keys without a column, which are kept in extra: unheard, (not a plain name).",
        "Values of an unexpected type are kept in extra, and their columns are null: ticket_id (1).",
    ] == report.warnings()
    assert (
        Counter(["resource", "account", "destination", "grain", "start", "end", "slices"]).keys()
        <= json.loads(printed).keys()
    )
