"""Faults on the pages of cursors and lists: the export is exact, or ends with a named error and changes nothing."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from airflow_zendesk.dataset.slice_file import read_footer
from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from airflow_zendesk.exceptions import ZendeskError
from airflow_zendesk.export.run import export_window
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.window import Window
from airflow_zendesk.zendesk.resources import RESOURCES, Query
from airflow_zendesk.zendesk.retry import RetryBudget
from tests.support.clocks import FakeClock

WINDOW = Window.of("2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z")
EXACT = "exact"
#: The middle of an export of tickets; lists have one or two pages.
PAGE_2, PAGE_1 = {"page": 2}, {"page": 1}

#: The resource, the fault, and how the export ends.
BAD_PAGES: list[tuple[str, dict[str, Any], str]] = [
    ("tickets", {"fault": "after_cursor", "on": PAGE_2}, "MalformedResponseError"),
    ("tickets", {"fault": "after_cursor", "value": "same", "on": PAGE_2}, "StuckPageError"),
    ("tickets", {"fault": "after_cursor", "value": "long", "on": PAGE_2}, "MalformedResponseError"),
    ("tickets", {"fault": "after_cursor", "value": "invented", "on": PAGE_2}, EXACT),
    ("tickets", {"fault": "cursor_expired", "on": PAGE_2}, EXACT),
    ("tickets", {"fault": "cursor_expired", "on": PAGE_2, "times": 2}, EXACT),
    ("tickets", {"fault": "cursor_expired", "times": "always"}, "RequestRefusedError"),
    ("tickets", {"fault": "missing_id", "on": PAGE_2}, "MalformedResponseError"),
    ("tickets", {"fault": "missing_time", "on": PAGE_2}, "MalformedResponseError"),
    ("tickets", {"fault": "not_an_object", "on": PAGE_2}, "MalformedResponseError"),
    ("tickets", {"fault": "other_key", "on": PAGE_2}, "MalformedResponseError"),
    ("tickets", {"fault": "next_page", "times": "always"}, EXACT),
    ("tickets", {"fault": "shuffled", "times": "always"}, EXACT),
    ("tickets", {"fault": "duplicates_inside", "times": "always"}, EXACT),
    ("tickets", {"fault": "duplicates_across", "times": "always"}, EXACT),
    ("tickets", {"fault": "missing_key", "on": PAGE_2}, "MalformedResponseError"),
    ("tickets", {"fault": "status", "status": 429, "retry_after": 7, "on": PAGE_2}, EXACT),
    ("tickets", {"fault": "status", "status": 504, "on": {"per_page_above": 20}, "times": "always"}, EXACT),
    ("tickets", {"fault": "cut_in_body", "on": PAGE_2}, EXACT),
    ("users", {"fault": "cursor_expired", "on": PAGE_2}, EXACT),
    ("organizations", {"fault": "missing_time", "on": PAGE_1}, "MalformedResponseError"),
    ("groups", {"fault": "half_list"}, "ShrinkRefusedError"),
    ("groups", {"fault": "missing_id"}, "MalformedResponseError"),
    ("groups", {"fault": "other_key"}, "MalformedResponseError"),
    ("groups", {"fault": "status", "status": 500}, EXACT),
    ("ticket_fields", {"fault": "after_cursor"}, "MalformedResponseError"),
    ("ticket_fields", {"fault": "after_cursor", "value": "same", "on": PAGE_2}, EXACT),
    ("ticket_fields", {"fault": "half_list"}, "ShrinkRefusedError"),
    ("ticket_fields", {"fault": "duplicates_across", "times": "always"}, EXACT),
    ("ticket_fields", {"fault": "status", "status": 504, "on": {"per_page_above": 60}, "times": "always"}, EXACT),
    ("sla_policies", {"fault": "count"}, EXACT),
    ("ticket_forms", {"fault": "count", "times": "always"}, "MalformedResponseError"),
    ("schedules", {"fault": "cut_json"}, EXACT),
]


@pytest.fixture(scope="module")
def emulator() -> Iterator[ZendeskEmulator]:
    """A small desk, with pages of fifty objects."""
    with ZendeskEmulator(Simulator(events_per_day=600), max_per_page=50) as server:
        yield server


def connect(monkeypatch: pytest.MonkeyPatch, emulator: ZendeskEmulator) -> None:
    """Make the emulator the account of the hook."""
    monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", json.dumps(emulator.connection()))


def export(folder: Path, resource: str) -> None:
    """Export two days, or the list, with a hook that does not sleep."""
    time = FakeClock()
    hook = ZendeskHook(retry_budget=RetryBudget(page_seconds=20), sleep=time.sleep, clock=time.clock)
    window = None if RESOURCES[resource].is_list else WINDOW
    export_window(hook, folder.as_uri(), Query.of(resource), window)


def digests(folder: Path) -> dict[str, str]:
    """The digest of each slice by its key."""
    paths = sorted(folder.rglob("*.parquet"))
    return {str(path.relative_to(folder)): read_footer(pq.ParquetFile(path), str(path)).digest for path in paths}


@pytest.fixture(scope="module")
def exact(emulator: ZendeskEmulator, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each resource, exported without faults."""
    folders: dict[str, Path] = {}
    with pytest.MonkeyPatch.context() as monkeypatch:
        connect(monkeypatch, emulator)
        for resource in {resource for resource, _, _ in BAD_PAGES}:
            folders[resource] = tmp_path_factory.mktemp(resource)
            export(folders[resource], resource)
    return folders


@pytest.mark.parametrize(("resource", "step", "expected"), BAD_PAGES, ids=str)
def test_export_is_exact_or_ends_with_a_named_error(
    emulator: ZendeskEmulator,
    exact: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    resource: str,
    step: dict[str, Any],
    expected: str,
) -> None:
    """Every published slice is exact; a stored list stays; and the same export without the fault is exact."""
    connect(monkeypatch, emulator)
    before = digests(exact[resource])
    is_list = RESOURCES[resource].is_list
    folder = Path(shutil.copytree(exact[resource], tmp_path / "stored")) if is_list else tmp_path / "new"
    on = {"on": {"resource": resource, **step.get("on", {})}} if "path" not in step else {}
    emulator.set_scenario([{**step, **on}])
    try:
        export(folder, resource)
        outcome = EXACT
    except ZendeskError as error:
        outcome = type(error).__name__
    finally:
        emulator.set_scenario([])
    assert expected == outcome
    after = digests(folder)
    assert after.items() <= before.items()
    export(folder, resource)
    assert before == digests(folder)
