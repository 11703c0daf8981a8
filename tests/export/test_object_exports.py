"""Tickets, users, organizations and lists, exported over HTTP from the simulated desk."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from airflow_zendesk.exceptions import SettingsError, ShrinkRefusedError
from airflow_zendesk.export.report import ExportReport
from airflow_zendesk.export.run import export_window
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.verify.source_check import verify_window
from airflow_zendesk.window import Grain, Window
from airflow_zendesk.zendesk.resources import RESOURCES, Query
from tests.support.clocks import FakeClock
from tests.support.scripted_server import Reply, scripted_server

OPENED = datetime(2026, 1, 1, tzinfo=UTC)
#: The emulator's clock, which tests move.
NOW = [OPENED + timedelta(days=10)]
STATES = ("tickets", "users", "organizations")
LISTS = [name for name, resource in RESOURCES.items() if resource.is_list]


def _now() -> float:
    return NOW[0].timestamp()


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[ZendeskEmulator]:
    """A desk that was opened ten days ago."""
    NOW[0] = OPENED + timedelta(days=10)
    simulator = Simulator(events_per_day=600, opened=OPENED)
    with ZendeskEmulator(simulator, clock=_now) as server:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", json.dumps(server.connection()))
        yield server


def export(folder: Path, resource: str, window: Window | None = None, **query: Any) -> ExportReport:
    """Export with a hook that does not sleep."""
    time = FakeClock()
    hook = ZendeskHook(sleep=time.sleep, clock=time.clock)
    return export_window(hook, folder.as_uri(), Query.of(resource, **query), window)


def days(first: int, last: int) -> Window:
    """Days since the desk was opened."""
    return Window(OPENED + timedelta(days=first), OPENED + timedelta(days=last))


def rows(folder: Path, resource: str) -> list[dict[str, Any]]:
    """The rows of all slices, in the order of time."""
    paths = sorted((folder / resource).rglob("*.parquet"))
    found: list[dict[str, Any]] = pa.concat_tables(pq.ParquetFile(path).read() for path in paths).to_pylist()
    return found


def newest(folder: Path, resource: str) -> dict[int, int]:
    """The unix second of the newest version of each object."""
    return {
        row["id"]: int(row["timestamp"].timestamp())
        for row in sorted(rows(folder, resource), key=lambda row: row["timestamp"])
    }


@pytest.mark.parametrize("resource", STATES)
def test_the_newest_versions_are_the_account(emulator: ZendeskEmulator, tmp_path: Path, resource: str) -> None:
    """The days are exported while objects change, one of them again, and each object is there in its newest version."""
    since = OPENED - timedelta(days=400)
    export(tmp_path, resource, Window(since, OPENED + timedelta(days=4)))
    NOW[0] += timedelta(days=3)
    export(tmp_path, resource, days(2, 9))
    NOW[0] += timedelta(days=3)
    export(tmp_path, resource, days(9, 15))
    end = OPENED + timedelta(days=15)
    current = emulator.expected_objects(resource, NOW[0], since=since)
    expected = {id_: second for id_, second in current.items() if second < end.timestamp()}
    stored = newest(tmp_path, resource)
    assert expected == {id_: second for id_, second in stored.items() if id_ in expected}
    assert len(expected) > 10
    report = verify_window(tmp_path.as_uri(), resource, days(0, 15), source="all")
    assert [] == report.findings


@pytest.mark.parametrize("resource", LISTS)
def test_a_list_is_exported_as_a_whole(emulator: ZendeskEmulator, tmp_path: Path, resource: str) -> None:
    """A rerun on the same day writes nothing, one on the next day makes another slice."""
    assert {"published": 1} == export(tmp_path, resource).slices_by_outcome()
    assert emulator.expected_objects(resource, NOW[0]).keys() == {row["id"] for row in rows(tmp_path, resource)}
    assert {"unchanged": 1} == export(tmp_path, resource).slices_by_outcome()
    NOW[0] += timedelta(days=1)
    assert {"published": 1} == export(tmp_path, resource).slices_by_outcome()
    assert {OPENED + timedelta(days=10), OPENED + timedelta(days=11)} == {
        row["timestamp"] for row in rows(tmp_path, resource)
    }
    report = verify_window(tmp_path.as_uri(), resource, days(0, 15))
    assert ([], 2) == (report.findings, len(report.slices))


@pytest.mark.usefixtures("emulator")
def test_no_key_of_the_documentation_is_without_a_column(tmp_path: Path) -> None:
    """So that a warning about an unknown key means something."""
    for resource in RESOURCES:
        query = {"include": RESOURCES[resource].sideloads}
        window = None if resource in LISTS else days(0, 9)
        assert {} == dict(export(tmp_path, resource, window, **query).unknown_keys), resource


@pytest.mark.usefixtures("emulator")
def test_requests_are_the_least_possible(tmp_path: Path) -> None:
    """One request for each thousand objects."""
    for resource in STATES:
        report = export(tmp_path, resource, Window(OPENED - timedelta(days=400), OPENED + timedelta(days=9)))
        assert report.stats.requests == -(-report.events // 1_000)


@pytest.mark.usefixtures("emulator")
def test_holidays_are_part_of_their_schedule(tmp_path: Path) -> None:
    """They have a path of their own."""
    report = export(tmp_path, "schedules")
    schedules = rows(tmp_path, "schedules")
    assert ["New York", True] == [schedules[0]["name"], len(json.loads(schedules[0]["holidays"])) > 0]
    assert report.stats.requests == 1 + len(schedules)


@pytest.mark.usefixtures("emulator")
def test_a_list_is_a_data_frame_too() -> None:
    """In a notebook, with the day as its time."""
    today = OPENED + timedelta(days=10)
    frame = ZendeskHook().get_df("groups", today, today + timedelta(days=1))
    assert [4, {today}, False] == [len(frame), set(frame["timestamp"]), frame["late"].any()]


@pytest.mark.usefixtures("emulator")
def test_a_list_has_no_window(tmp_path: Path) -> None:
    """And an export has one; Zendesk has no list of another day to compare with."""
    with pytest.raises(SettingsError, match=r"groups is a list, which has no window\. Leave out start and end"):
        export(tmp_path, "groups", days(0, 1))
    with pytest.raises(SettingsError, match=r"The export of users needs a window\. Set start and end"):
        export(tmp_path, "users")
    with pytest.raises(SettingsError, match="Verify this list without source"):
        verify_window(tmp_path.as_uri(), "groups", days(0, 1), source=1)


@pytest.mark.usefixtures("emulator")
@pytest.mark.parametrize("option", [{"grain": Grain.of("1h")}, {"if_exists": "skip"}])
def test_options_that_a_list_would_ignore_are_refused(tmp_path: Path, option: dict[str, Any]) -> None:
    """A snapshot is of one day, and is always exported."""
    with pytest.raises(SettingsError, match=r"groups is a list, .* Leave out grain and if_exists"):
        export_window(ZendeskHook(), tmp_path.as_uri(), Query.of("groups"), None, **option)


@pytest.mark.parametrize(("before", "now", "is_refused"), [(4, 2, True), (4, 3, False), (2, 1, False), (1, 0, True)])
def test_a_list_that_loses_half_of_its_objects_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int, now: int, is_refused: bool
) -> None:
    """It is more likely to be cut, or seen by another role, than to be true; erasure is allowed to remove them."""

    def groups(number: int) -> Reply:
        return Reply({"groups": [{"id": id_} for id_ in range(number)], "meta": {"has_more": False}})

    with scripted_server(groups(before), groups(now), groups(now)) as server:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())
        export(tmp_path, "groups")
        if is_refused:
            with pytest.raises(ShrinkRefusedError):
                export(tmp_path, "groups")
            assert before == len(rows(tmp_path, "groups"))
        else:
            export(tmp_path, "groups")
            assert now == len(rows(tmp_path, "groups"))
