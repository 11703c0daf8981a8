"""The matrix: whatever goes wrong, on whichever page, once or for good, ends in the exact window or in a named error.

A cell exports three hours (three pages, three slices) beside an hour that is stored already. If it ends in an error,
what it has published is whole, what was stored is untouched, and the same export on a better day makes it exact.
`make matrix` shows what each cell ended in.
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
from airflow_zendesk.emulator.access import Way
from airflow_zendesk.emulator.faults import FAULTS
from airflow_zendesk.exceptions import ZendeskError
from airflow_zendesk.export.run import export_window
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.window import Grain, Window
from airflow_zendesk.zendesk.resources import Query
from airflow_zendesk.zendesk.retry import RetryBudget
from tests.support.clock import FakeClock

STORED = Window.of("2026-01-01T09:00:00Z", "2026-01-01T10:00:00Z")
WINDOW = Window.of("2026-01-01T10:00:00Z", "2026-01-01T13:00:00Z")
HOURS = Grain.of("1h")
PAGES = {"first": 1, "middle": 2, "last": 3}
EXACT = "exact"
GOOD_PATIENCE = 20.0
#: What a cell ends in on every page, or on the first, the middle and the last.
Outcome = str | tuple[str, str, str]


class BadDay(NamedTuple):
    """A fault, and what an export ends in that meets it once, or always: None where nobody could find out.

    The rest is how: options of the fault, conditions, the patience of the export, extras of its connection, its way in,
    and what else goes wrong.
    """

    fault: str
    once: Outcome
    always: Outcome | None
    options: Mapping[str, Any] = MappingProxyType({})
    on: Mapping[str, Any] = MappingProxyType({})
    patience: float = GOOD_PATIENCE
    extra: Mapping[str, Any] = MappingProxyType({})
    way: Way = "api_token"
    beside: tuple[Mapping[str, Any], ...] = ()

    def __str__(self) -> str:
        told = {**self.options, **self.on}
        return " ".join([self.fault, *(f"{name}={value}" for name, value in told.items())])


#: The wait for the next minute of Zendesk's clock is longer than other waits.
PATIENT: dict[str, Any] = {"patience": 100.0}
#: These waits are real ones, so there are few of them.
SLOW: dict[str, Any] = {"patience": 1.0, "extra": {"timeout": 0.6}}
#: Pages of 31 records, so that they are full.
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
    BadDay("status", EXACT, "PageNotRetrievableError", {"status": 504}),
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
    BadDay("cut_json", EXACT, "TransportError"),
    BadDay("cut_gzip", EXACT, "TransportError"),
    BadDay("stacked_gzip", EXACT, "TransportError"),
    BadDay("bomb", EXACT, "PageNotRetrievableError", {"mebibytes": 2}, **SMALL),
    BadDay("bomb", EXACT, EXACT, {"mebibytes": 2}, {"per_page_above": 20}, **SMALL),
    BadDay("oversized", EXACT, "PageNotRetrievableError", {"mebibytes": 2}, **SMALL),
    BadDay("oversized", EXACT, EXACT, {"mebibytes": 1}),
    BadDay("reset_at_connect", EXACT, "TransportError"),
    BadDay("reset_in_headers", EXACT, "TransportError"),
    BadDay("reset_in_body", EXACT, "TransportError"),
    BadDay("cut_in_headers", EXACT, "TransportError"),
    BadDay("cut_in_body", EXACT, "TransportError"),
    BadDay("drip", EXACT, "PageTimeoutError", **SLOW),
    BadDay("hang", EXACT, "PageTimeoutError", **SLOW),
    BadDay("tokens_revoked", EXACT, "AuthenticationError", way="client_credentials"),
    BadDay("shuffled", EXACT, EXACT),
    BadDay("duplicates_inside", EXACT, EXACT),
    BadDay("duplicates_across", EXACT, EXACT),
    BadDay("two_bodies", EXACT, EXACT),
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
    BadDay("end_of_stream", EXACT, EXACT, on={"per_page_at_most": 31}, beside=(TOO_SLOW_ABOVE_31,)),
    BadDay("end_of_stream", EXACT, EXACT, {"value": False}),
    BadDay("end_of_stream", "MalformedResponseError", "MalformedResponseError", {"value": None}),
    BadDay("missing_key", "MalformedResponseError", "MalformedResponseError", {"key": "end_of_stream"}),
    BadDay("missing_key", EXACT, EXACT, {"key": "next_page"}),
    BadDay("next_page", EXACT, EXACT),
    BadDay("count", EXACT, "TransportError"),
    BadDay("unknown_fields", EXACT, EXACT),
    BadDay("changed_types", EXACT, EXACT),
    BadDay("no_id", "MalformedResponseError", "MalformedResponseError"),
    BadDay("no_object", "MalformedResponseError", "MalformedResponseError"),
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
    """A quiet desk with short pages: the window is three of them, the last of which is the end of the stream."""
    now = WINDOW.end_time + 600.0
    with ZendeskEmulator(Simulator(events_per_day=400), max_per_page=31, clock=lambda: now) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def stored(emulator: ZendeskEmulator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with the hour before the window, exported on a good day."""
    folder = tmp_path_factory.mktemp("stored")
    with pytest.MonkeyPatch.context() as patch:
        connect(patch, emulator)
        export(folder, STORED)
    return folder


def connect(patch: pytest.MonkeyPatch, emulator: ZendeskEmulator, way: Way = "api_token", **extra: Any) -> None:
    """Make the emulator the default connection."""
    patch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", json.dumps({**emulator.connection(way), "extra": extra}))


def export(folder: Path, window: Window = WINDOW, patience: float = GOOD_PATIENCE) -> None:
    """Export with a hook that does not really sleep."""
    time = FakeClock()
    hook = ZendeskHook(retry_budget=RetryBudget(page_seconds=patience), sleep=time.sleep, clock=time.clock)
    export_window(hook, folder.as_uri(), Query.of("ticket_events"), window, grain=HOURS)


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """When and as which file everything below the folder was written."""
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def rows(folder: Path) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ids and unix seconds of all rows."""
    files = [pq.ParquetFile(path).read(columns=["id", "timestamp"]) for path in folder.rglob("*.parquet")]
    table = pa.concat_tables(files)
    return np.array(table["id"]), np.array(table["timestamp"].cast(pa.int64())) // 1_000_000


def ids_in(folder: Path, window: Window) -> list[int]:
    """The ids of the rows that happened in the window, wherever they lie."""
    ids, seconds = rows(folder)
    return sorted(ids[(window.start_time <= seconds) & (seconds < window.end_time)].tolist())


def check_exact(folder: Path, emulator: ZendeskEmulator) -> str:
    """The window is there, once; a remark if rows are there that nobody has seen before it."""
    assert sorted(emulator.expected_ids("ticket_events", WINDOW.start, WINDOW.end)) == ids_in(folder, WINDOW)
    late = int((rows(folder)[1] < STORED.start_time).sum())
    return f"{EXACT}, {late} late" if late else EXACT


def check_whole(folder: Path, emulator: ZendeskEmulator) -> None:
    """Every slice of the window that is there is whole."""
    for slice_ in HOURS.slices(WINDOW):
        truth = sorted(emulator.expected_ids("ticket_events", slice_.start, slice_.end))
        assert ids_in(folder, slice_) in ([], truth)


def check_mended(folder: Path, emulator: ZendeskEmulator) -> None:
    """On a better day all slices are there, beside those that the bad day has left."""
    emulator.set_scenario([])
    export(folder)
    assert EXACT == check_exact(folder, emulator)


def run(folder: Path, emulator: ZendeskEmulator, patience: float = GOOD_PATIENCE) -> str:
    """Export on a bad day; what it ended in, after a look at what it left."""
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
def test_bad_day_ends_in_the_exact_window_or_in_a_named_error(
    day: BadDay,
    often: str,
    where: str,
    emulator: ZendeskEmulator,
    stored: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    """There is no third outcome, and nothing is left behind that would be wrong."""
    expected: Outcome | None = getattr(day, often)
    if expected is None:
        pytest.skip("a server that always says that nothing happened cannot be found out")
    folder = shutil.copytree(stored, tmp_path / "dataset")
    connect(monkeypatch, emulator, day.way, **day.extra)
    times = 1 if often == "once" else "always"
    step = {"fault": day.fault, **day.options, "on": {"page": PAGES[where], **day.on}, "times": times}
    emulator.set_scenario([step, *day.beside])
    asked = len(emulator.requests)

    outcome = run(folder, emulator, day.patience if often == "always" else max(day.patience, GOOD_PATIENCE))

    acted = [request for request in emulator.requests[asked:] if day.fault in request.faults]
    record_property("bad day", (str(day), often, where, outcome))
    assert (expected if isinstance(expected, str) else expected[PAGES[where] - 1]) == outcome
    assert acted
    if not outcome.startswith(EXACT):
        check_whole(folder, emulator)
        if where == "middle":
            check_mended(folder, emulator)


def bulk_update(hour: Window) -> dict[str, Any]:
    """In the middle of the window twenty thousand events in one second; two thousand elsewhere, to save time."""
    events = 20_000 if hour.start.hour == 11 else 2_000
    return {"fault": "burst", "at": hour.start.replace(minute=30).isoformat(), "events": events}


def late_events(hour: Window) -> dict[str, Any]:
    """Every third event of the hour surfaces almost five minutes late, which is how long the export waits for it."""
    bounds = {"after": hour.start.isoformat(), "before": hour.end.isoformat()}
    return {"fault": "sorted_by_delivery", "seconds": 280, "every": 3, **bounds}


@pytest.mark.parametrize("where", PAGES)
@pytest.mark.parametrize("step", [bulk_update, late_events])
def test_bad_desk_ends_in_the_exact_window(
    step: Callable[[Window], dict[str, Any]],
    where: str,
    emulator: ZendeskEmulator,
    stored: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    """Twenty thousand events in one second, which are one page; and events that surface after those that came later."""
    folder = shutil.copytree(stored, tmp_path / "dataset")
    connect(monkeypatch, emulator)
    fault = step(HOURS.slices(WINDOW)[PAGES[where] - 1])
    emulator.set_scenario([fault])

    outcome = run(folder, emulator)

    record_property("bad day", (fault["fault"], "always", where, outcome))
    assert EXACT == outcome


def test_matrix_has_every_fault() -> None:
    """A fault that the emulator learns must come into the matrix, too."""
    assert FAULTS.keys() == {day.fault for day in BAD_DAYS} | {"burst", "sorted_by_delivery"}


def test_window_is_three_pages_on_a_good_day(
    emulator: ZendeskEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or there would be no middle."""
    emulator.set_scenario([])
    connect(monkeypatch, emulator)
    asked = len(emulator.requests)
    export(tmp_path)
    assert 3 == len(emulator.requests) - asked
    assert EXACT == check_exact(tmp_path, emulator)
