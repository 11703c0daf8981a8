"""The fault matrix: each fault, on each page, once or always, ends with the exact window or with a named error.

A test exports three hours (three pages, three slices) to a dataset with one stored hour. If it ends with an error,
every published slice is complete, the stored slice is unchanged, and the same export without the fault completes the
window.
`make matrix` prints how each test ended.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from airflow_zendesk.emulator.authenticator import AuthMethod
from airflow_zendesk.emulator.faults import FAULTS
from airflow_zendesk.exceptions import ZendeskError
from airflow_zendesk.export.run import export_window
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.window import Grain, Window
from airflow_zendesk.zendesk.resources import Query
from airflow_zendesk.zendesk.retry import RetryBudget
from tests.support.clocks import FakeClock

STORED = Window.of("2026-01-01T09:00:00Z", "2026-01-01T10:00:00Z")
WINDOW = Window.of("2026-01-01T10:00:00Z", "2026-01-01T13:00:00Z")
HOURS = Grain.of("1h")
PAGES = {"first": 1, "middle": 2, "last": 3}
EXACT = "exact"
GOOD_PATIENCE = 20.0
#: How an export ends, on every page, or on the first, the middle and the last.
Outcome = str | tuple[str, str, str]


class BadDay(NamedTuple):
    """A fault, and how an export ends if it acts once or always; None if the exporter cannot detect it.

    The other fields are the fault's options and conditions, the retry budget of the export in seconds, the extra of its
    connection, its authentication method, and further steps of the scenario.
    """

    fault: str
    once: Outcome
    always: Outcome | None
    options: Mapping[str, Any] = MappingProxyType({})
    on: Mapping[str, Any] = MappingProxyType({})
    patience: float = GOOD_PATIENCE
    extra: Mapping[str, Any] = MappingProxyType({})
    auth_method: AuthMethod = "api_token"
    other_steps: tuple[Mapping[str, Any], ...] = ()

    def __str__(self) -> str:
        details = {**self.options, **self.on}
        return " ".join([self.fault, *(f"{name}={value}" for name, value in details.items())])


#: Waiting for the next minute of Zendesk's clock takes longer than other waits.
PATIENT: dict[str, Any] = {"patience": 100.0}
#: These tests really wait, so there are few of them.
SLOW: dict[str, Any] = {"patience": 1.0, "extra": {"timeout": 0.6}}
#: Makes the exporter request pages of 31 records, so that its pages are full.
TOO_SLOW_ABOVE_31 = {"fault": "status", "status": 504, "on": {"per_page_above": 31}, "times": "always"}
SMALL: dict[str, Any] = {"extra": {"max_page_mebibytes": 1}}

BAD_DAYS = [
    BadDay("status", EXACT, "RateLimitedError", {"status": 429}, **PATIENT),
    BadDay("status", EXACT, "RateLimitedError", {"status": 429, "retry_after": 7}),
    BadDay("status", EXACT, "RateLimitedError", {"status": 429, "retry_after": 7, "as_date": True}),
    BadDay("status", EXACT, "RateLimitedError", {"status": 429, "retry_after": 0}, **PATIENT),
    BadDay("status", EXACT, "RateLimitedError", {"status": 429, "retry_after": 99_999_999}, **PATIENT),
    BadDay("status", EXACT, "RateLimitedError", {"status": 429, "retry_after": "soon"}, **PATIENT),
    BadDay("status", EXACT, "ServerError", {"status": 500}),
    BadDay("status", EXACT, "ServerError", {"status": 502}),
    BadDay("status", EXACT, "ServerError", {"status": 503}),
    BadDay("status", EXACT, "ServerError", {"status": 503, "retry_after": 5}),
    BadDay("status", EXACT, "PageTimeoutError", {"status": 504}),
    BadDay("status", EXACT, EXACT, {"status": 504}, {"per_page_above": 20}),
    BadDay("status", EXACT, "ServerError", {"status": 520}),
    BadDay("status", "AuthenticationError", "AuthenticationError", {"status": 401}),
    BadDay("status", "PermissionDeniedError", "PermissionDeniedError", {"status": 403}),
    BadDay("status", "AccountNotFoundError", "AccountNotFoundError", {"status": 404}),
    BadDay("status", "StartTimeTooRecentError", "StartTimeTooRecentError", {"status": 400}),
    BadDay("status", "StartTimeTooRecentError", "StartTimeTooRecentError", {"status": 422}),
    BadDay("status", "RequestRefusedError", "RequestRefusedError", {"status": 410}),
    BadDay("redirect", "RedirectError", "RedirectError"),
    BadDay("redirect", "RedirectError", "RedirectError", {"status": 308, "location": "/elsewhere"}),
    BadDay("html", "NotJsonError", "NotJsonError"),
    BadDay("date", "MalformedResponseError", "MalformedResponseError"),
    BadDay("date", "MalformedResponseError", "MalformedResponseError", {"value": "Thu, 01 Jan 2026 10:30:00 GMT"}),
    BadDay("missing_time", "MalformedResponseError", "MalformedResponseError"),
    BadDay("other_key", "MalformedResponseError", "MalformedResponseError"),
    BadDay("after_cursor", EXACT, EXACT),
    BadDay("half_list", EXACT, EXACT),
    BadDay("cursor_expired", "RequestRefusedError", "RequestRefusedError"),
    BadDay("cut_json", EXACT, "TransportError"),
    BadDay("cut_gzip", EXACT, "TransportError"),
    BadDay("double_gzip", EXACT, "TransportError"),
    BadDay("gzip_bomb", EXACT, "PageNotRetrievableError", {"mebibytes": 2}, **SMALL),
    BadDay("gzip_bomb", EXACT, EXACT, {"mebibytes": 2}, {"per_page_above": 20}, **SMALL),
    BadDay("oversized", EXACT, "PageNotRetrievableError", {"mebibytes": 2}, **SMALL),
    BadDay("oversized", EXACT, EXACT, {"mebibytes": 1}),
    BadDay("reset_at_connect", EXACT, "TransportError"),
    BadDay("reset_in_headers", EXACT, "TransportError"),
    BadDay("reset_in_body", EXACT, "TransportError"),
    BadDay("cut_in_headers", EXACT, "TransportError"),
    BadDay("cut_in_body", EXACT, "TransportError"),
    BadDay("drip", EXACT, "PageTimeoutError", **SLOW),
    BadDay("hang", EXACT, "PageTimeoutError", **SLOW),
    BadDay("tokens_revoked", EXACT, "AuthenticationError", auth_method="client_credentials"),
    BadDay("shuffled", EXACT, EXACT),
    BadDay("duplicates_inside", EXACT, EXACT),
    BadDay("duplicates_across", EXACT, EXACT),
    BadDay("conflicting_duplicates", EXACT, EXACT),
    BadDay("older_records", "exact, 3 late", "exact, 3 late"),
    BadDay("empty_page", EXACT, "StuckPageError"),
    BadDay("empty_page", EXACT, None, {"jumps": True}),
    BadDay(
        "end_time",
        ("MalformedResponseError", "MalformedResponseError", EXACT),
        ("MalformedResponseError", "MalformedResponseError", EXACT),
    ),
    BadDay("end_time", EXACT, ("StuckPageError", "StuckPageError", EXACT), {"value": 0}),
    BadDay("end_time", EXACT, ("StuckPageError", "StuckPageError", EXACT), {"value": 1}),
    BadDay("end_time", EXACT, ("StuckPageError", "StuckPageError", EXACT), {"value": "start"}),
    BadDay("end_time", EXACT, ("StuckPageError", "StuckPageError", EXACT), {"value": "back"}),
    BadDay(
        "end_time",
        (EXACT, EXACT, "MalformedResponseError"),
        (EXACT, EXACT, "MalformedResponseError"),
        {"value": "ahead"},
    ),
    BadDay("end_of_stream", EXACT, EXACT, on={"per_page_at_most": 31}, other_steps=(TOO_SLOW_ABOVE_31,)),
    BadDay("end_of_stream", EXACT, EXACT, {"value": False}),
    BadDay("end_of_stream", "MalformedResponseError", "MalformedResponseError", {"value": None}),
    BadDay("missing_key", "MalformedResponseError", "MalformedResponseError", {"key": "end_of_stream"}),
    BadDay("missing_key", EXACT, EXACT, {"key": "next_page"}),
    BadDay("next_page", EXACT, EXACT),
    BadDay("count", EXACT, "TransportError"),
    BadDay("unknown_fields", EXACT, EXACT),
    BadDay("changed_types", EXACT, EXACT),
    BadDay("missing_id", "MalformedResponseError", "MalformedResponseError"),
    BadDay("not_an_object", "MalformedResponseError", "MalformedResponseError"),
    BadDay("huge_integers", EXACT, EXACT),
    BadDay("huge_integers", "MalformedResponseError", "MalformedResponseError", {"key": "id"}),
    BadDay("not_a_number", EXACT, "TransportError"),
    BadDay("lone_surrogates", EXACT, EXACT),
    BadDay("nul_characters", EXACT, EXACT),
    BadDay("invalid_utf8", "MalformedResponseError", "MalformedResponseError"),
    BadDay("deep_nesting", "MalformedResponseError", "MalformedResponseError"),
]


@pytest.fixture(scope="module")
def emulator() -> Iterator[ZendeskEmulator]:
    """A quiet desk with short pages: the window has three, and the third is the end of the stream."""
    now = WINDOW.end_time + 600.0
    with ZendeskEmulator(Simulator(events_per_day=400), max_per_page=31, clock=lambda: now) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def stored(emulator: ZendeskEmulator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with the hour before the window, exported without faults."""
    folder = tmp_path_factory.mktemp("stored")
    with pytest.MonkeyPatch.context() as patch:
        connect(patch, emulator)
        export(folder, STORED)
    return folder


def connect(
    patch: pytest.MonkeyPatch, emulator: ZendeskEmulator, auth_method: AuthMethod = "api_token", **extra: Any
) -> None:
    """Set the default connection to the emulator."""
    patch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", json.dumps({**emulator.connection(auth_method), "extra": extra}))


def export(folder: Path, window: Window = WINDOW, patience: float = GOOD_PATIENCE) -> None:
    """Export with a hook whose waits take no time."""
    time = FakeClock()
    hook = ZendeskHook(retry_budget=RetryBudget(page_seconds=patience), sleep=time.sleep, clock=time.clock)
    export_window(hook, folder.as_uri(), Query.of("ticket_events"), window, grain=HOURS)


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Return inode and modification time of every file in the folder."""
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def rows(folder: Path) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return ids and unix seconds of all rows."""
    files = [pq.ParquetFile(path).read(columns=["id", "timestamp"]) for path in folder.rglob("*.parquet")]
    table = pa.concat_tables(files)
    return np.array(table["id"]), np.array(table["timestamp"].cast(pa.int64())) // 1_000_000


def ids_in(folder: Path, window: Window) -> list[int]:
    """Return the ids of the rows with a time in the window, in any slice."""
    ids, seconds = rows(folder)
    return sorted(ids[(window.start_time <= seconds) & (seconds < window.end_time)].tolist())


def check_exact(folder: Path, emulator: ZendeskEmulator) -> str:
    """Check that each event of the window is stored once; also report the number of older rows."""
    assert sorted(emulator.expected_ids("ticket_events", WINDOW.start, WINDOW.end)) == ids_in(folder, WINDOW)
    late = int((rows(folder)[1] < STORED.start_time).sum())
    return f"{EXACT}, {late} late" if late else EXACT


def check_slices_complete(folder: Path, emulator: ZendeskEmulator) -> None:
    """Check that every published slice of the window is complete."""
    for slice_ in HOURS.slices(WINDOW):
        expected = sorted(emulator.expected_ids("ticket_events", slice_.start, slice_.end))
        assert ids_in(folder, slice_) in ([], expected)


def check_completed_by_rerun(folder: Path, emulator: ZendeskEmulator) -> None:
    """Check that the same export without faults completes the window."""
    emulator.set_scenario([])
    export(folder)
    assert EXACT == check_exact(folder, emulator)


def run(folder: Path, emulator: ZendeskEmulator, patience: float = GOOD_PATIENCE) -> str:
    """Export, check that no stored file has changed, and return how the export ended."""
    before = stamps(folder)
    try:
        export(folder, patience=patience)
    except ZendeskError as error:
        outcome = type(error).__name__
    else:
        outcome = check_exact(folder, emulator)
    assert before.items() <= stamps(folder).items()
    return outcome


@pytest.mark.parametrize("where", PAGES)
@pytest.mark.parametrize("often", ["once", "always"])
@pytest.mark.parametrize("day", BAD_DAYS, ids=str)
def test_export_ends_with_the_exact_window_or_a_named_error(
    day: BadDay,
    often: str,
    where: str,
    emulator: ZendeskEmulator,
    stored: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    """And everything that it has stored is correct."""
    expected: Outcome | None = getattr(day, often)
    if expected is None:
        pytest.skip("a server that always reports the time as empty cannot be detected")
    folder = shutil.copytree(stored, tmp_path / "dataset")
    connect(monkeypatch, emulator, day.auth_method, **day.extra)
    times = 1 if often == "once" else "always"
    step = {"fault": day.fault, **day.options, "on": {"page": PAGES[where], **day.on}, "times": times}
    emulator.set_scenario([step, *day.other_steps])
    already = len(emulator.requests)

    outcome = run(folder, emulator, day.patience if often == "always" else max(day.patience, GOOD_PATIENCE))

    acted = [request for request in emulator.requests[already:] if day.fault in request.faults]
    record_property("bad day", (str(day), often, where, outcome))
    assert (expected if isinstance(expected, str) else expected[PAGES[where] - 1]) == outcome
    assert acted
    if not outcome.startswith(EXACT):
        check_slices_complete(folder, emulator)
        if where == "middle":
            check_completed_by_rerun(folder, emulator)


def bulk_update(hour: Window) -> dict[str, Any]:
    """Twenty thousand events in one second in the middle hour; two thousand in the others, to save time."""
    events = 20_000 if hour.start.hour == 11 else 2_000
    return {"fault": "bulk_update", "at": hour.start.replace(minute=30).isoformat(), "events": events}


def late_events(hour: Window) -> dict[str, Any]:
    """Every third event of the hour becomes visible 280 s late; the export waits for 300 s."""
    bounds = {"after": hour.start.isoformat(), "before": hour.end.isoformat()}
    return {"fault": "late_events", "seconds": 280, "every": 3, **bounds}


@pytest.mark.parametrize("where", PAGES)
@pytest.mark.parametrize("step", [bulk_update, late_events])
def test_event_faults_end_with_the_exact_window(
    step: Callable[[Window], dict[str, Any]],
    where: str,
    emulator: ZendeskEmulator,
    stored: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    """A bulk update is one page; late events become visible after younger ones."""
    folder = shutil.copytree(stored, tmp_path / "dataset")
    connect(monkeypatch, emulator)
    fault = step(HOURS.slices(WINDOW)[PAGES[where] - 1])
    emulator.set_scenario([fault])

    outcome = run(folder, emulator)

    record_property("bad day", (fault["fault"], "always", where, outcome))
    assert EXACT == outcome


def test_matrix_contains_every_fault() -> None:
    """A new fault of the emulator must be added to the matrix."""
    assert FAULTS.keys() == {day.fault for day in BAD_DAYS} | {"bulk_update", "late_events"}


def test_window_is_three_pages_without_faults(
    emulator: ZendeskEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The matrix needs a first, a middle and a last page."""
    emulator.set_scenario([])
    connect(monkeypatch, emulator)
    already = len(emulator.requests)
    export(tmp_path)
    assert 3 == len(emulator.requests) - already
    assert EXACT == check_exact(tmp_path, emulator)
