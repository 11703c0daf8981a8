"""Verify a dataset against Zendesk, and repair it with the printed commands."""

import json
import shlex
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from airflow_zendesk.cli import main
from airflow_zendesk.emulator import ZendeskEmulator
from airflow_zendesk.exceptions import DatasetMismatchError, DatasetNotFoundError, SettingsError
from airflow_zendesk.export.run import export_window
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.verify.findings import SliceState, VerificationProgress
from airflow_zendesk.verify.source_check import spread, verify_window
from airflow_zendesk.window import Grain, Window
from airflow_zendesk.zendesk.resources import Query
from tests.support.commands import printed, run
from tests.support.scripted_server import ScriptedServer, page, scripted_server

HOURS = Window.of("2026-01-01T00:00:00Z", "2026-01-01T12:00:00Z")
RANGE = ["--start", "2026-01-01T00:00:00Z", "--end", "2026-01-01T12:00:00Z"]
DAY = Window.of("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")


def export(folder: Path, window: Window = HOURS, grain: str = "1h") -> None:
    """Export the window."""
    export_window(ZendeskHook(), folder.as_uri(), Query.of("ticket_events"), window, grain=Grain.of(grain))


def slices(folder: Path) -> list[Path]:
    """The objects of the dataset, by time."""
    return sorted(folder.rglob("*.parquet"))


@pytest.mark.parametrize(
    ("number", "chosen"), [(1, [0]), (2, [0, 11]), (4, [0, 3, 7, 11]), (12, [*range(12)]), (99, [*range(12)])]
)
def test_sample_is_spread_over_the_window(number: int, chosen: list[int]) -> None:
    """The same slices each time, including the first and the last."""
    states = [SliceState(slice=slice_, uri="") for slice_ in Grain.of("1h").slices(HOURS)]
    assert [states[position] for position in chosen] == spread(states, number)


def test_source_agrees_with_what_was_exported(tmp_path: Path, emulator: ZendeskEmulator) -> None:
    """In a sample and in all slices; nothing is published."""
    export(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in slices(tmp_path)}
    progress: list[VerificationProgress] = []
    sample = verify_window(tmp_path.as_uri(), "ticket_events", HOURS, source=2, on_progress=progress.append)
    everything = verify_window(tmp_path.as_uri(), "ticket_events", HOURS, source="all")
    alone = len(emulator.requests)
    assert [(True, 2), (True, 12)] == [(each.complete, each.compared) for each in (sample, everything)]
    assert ["read"] * 12 + ["compared"] * 2 == [each.step for each in progress]
    assert before == {path: path.stat().st_mtime_ns for path in slices(tmp_path)}
    assert verify_window(tmp_path.as_uri(), "ticket_events", HOURS).complete
    assert alone == len(emulator.requests), "without source no request is sent"


def connect(monkeypatch: pytest.MonkeyPatch, server: ScriptedServer) -> None:
    """Let the default connection lead to the server."""
    monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())


def test_difference_from_the_source_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events that are missing, that differ, and that Zendesk no longer returns."""
    now = page((1, DAY.start_time), (2, DAY.start_time), (3, DAY.start_time), end_time=None)
    later = page(
        (1, DAY.start_time), (3, DAY.start_time + 1), *((id_, DAY.start_time) for id_ in (4, 5, 6)), end_time=None
    )
    with scripted_server(now, later) as server:
        connect(monkeypatch, server)
        export(tmp_path, DAY, "1d")
        found = verify_window(tmp_path.as_uri(), "ticket_events", DAY, source="all")
    (finding,) = found.findings
    assert ("stale", DAY) == (finding.problem, finding.affected)
    assert (
        "compared with Zendesk's current response, 3 events are missing, 1 differ, "
        "and 1 are stored that Zendesk does not return"
    ) == finding.reason


def test_dataset_of_another_account_is_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every row would differ."""
    with scripted_server(page(end_time=None)) as server:
        connect(monkeypatch, server)
        export(tmp_path, DAY, "1d")
    monkeypatch.setenv(
        "AIRFLOW_CONN_OTHER", json.dumps({"host": "acme", "login": "a@example.com", "password": "token"})
    )
    with pytest.raises(DatasetMismatchError, match=r"account is '127\.0\.0\.1', requested 'acme"):
        verify_window(tmp_path.as_uri(), "ticket_events", DAY, source=1, zendesk_conn_id="other")


@pytest.mark.parametrize(
    ("destination", "error"), [("/data", SettingsError), ("file:///nowhere", DatasetNotFoundError)]
)
def test_missing_dataset_is_an_error(destination: str, error: type[Exception]) -> None:
    """It is not treated as an empty dataset."""
    with pytest.raises(error):
        verify_window(destination, "ticket_events", DAY)


def verify(folder: Path, *options: str) -> list[str]:
    """The command line of a verification."""
    return ["verify", "--destination", folder.as_uri(), *RANGE, *options]


def test_printed_commands_repair_a_dataset(
    tmp_path: Path, emulator: ZendeskEmulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """A gap, a damaged and an unexpected file: the listed objects are moved, the command is run as printed."""
    export(tmp_path)
    paths = slices(tmp_path)
    for path in paths[3:5]:
        path.unlink()
    paths[5].write_bytes(paths[5].read_bytes()[:-9])
    (tmp_path / "ticket_events" / "notes.txt").write_text("not a slice")
    assert 1 == main(verify(tmp_path, "--json"))
    advice = json.loads(printed(capsys))["repair"]
    for uri in advice["move_away"]:
        Path(uri.removeprefix("file://")).rename(tmp_path / f"moved-{len(uri)}")
    (command,) = advice["exports"]
    name, *arguments = shlex.split(command)
    done = run(name, *arguments)
    assert 0 == done.returncode, done.stderr
    assert 0 == main(verify(tmp_path))
    assert paths == slices(tmp_path)
    ids = [id_ for path in paths for id_ in pq.ParquetFile(path).read()["id"].to_pylist()]
    assert sorted(emulator.expected_ids("ticket_events", HOURS.start, HOURS.end)) == sorted(ids)


def test_command_prints_runs_findings_and_repair(
    tmp_path: Path, emulator: ZendeskEmulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """Consecutive slices in the same state are one line."""
    export(tmp_path)
    for path in slices(tmp_path)[3:5]:
        path.unlink()
    assert 1 == main(verify(tmp_path, "--source", "2", "--dag-id", "zendesk_ticket_events"))
    lines = printed(capsys).splitlines()
    assert [
        ["2026-01-01", "00:00", "2026-01-01", "03:00", "3", "complete"],
        ["2026-01-01", "03:00", "2026-01-01", "05:00", "2", "missing"],
        ["2026-01-01", "05:00", "2026-01-01", "12:00", "7", "complete"],
    ] == [line.split()[:5] + line.split()[-1:] for line in lines[1:4]]
    assert lines[4].startswith("missing: file://")
    assert lines[6].endswith("2 compared with Zendesk: NOT COMPLETE: 2 missing")
    dates = "--from-date 2026-01-01 --to-date 2026-01-01T04:00:00Z"
    window = "--start 2026-01-01T03:00:00Z --end 2026-01-01T05:00:00Z"
    backfill = f"airflow backfill create --dag-id zendesk_ticket_events {dates} --reprocess-behavior completed"
    assert [
        "Export again with Airflow (the DAG must not be paused):",
        f"  {backfill} --max-active-runs 1",
        "",
        "Or export again without Airflow:",
        f"  airflow-zendesk export --resource ticket_events {window} --destination {tmp_path.as_uri()}",
    ] == lines[8:]
    assert emulator.requests


def test_json_has_the_whole_report(
    tmp_path: Path, emulator: ZendeskEmulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also for a complete dataset."""
    export(tmp_path)
    rows = len(emulator.expected_ids("ticket_events", HOURS.start, HOURS.end))
    assert 0 == main(verify(tmp_path, "--json"))
    report: dict[str, Any] = json.loads(printed(capsys))
    assert {
        "resource": "ticket_events",
        "account": "127.0.0.1",
        "destination": f"{tmp_path.as_uri()}/ticket_events",
        "grain": "1h",
        "start": "2026-01-01T00:00:00+00:00",
        "end": "2026-01-01T12:00:00+00:00",
        "complete": True,
        "slices": 12,
        "rows": rows,
        "late": 0,
        "bytes": sum(path.stat().st_size for path in slices(tmp_path)),
        "compared": 0,
        "problems": {},
        "hidden": [],
        "folder_markers": [],
        "findings": [],
        "repair": {"move_away": [], "backfills": [], "exports": [], "one_pass_exports": []},
    } == {name: value for name, value in report.items() if name != "runs"}
    (one,) = report["runs"]
    assert (12, rows, None) == (one["slices"], one["rows"], one["problem"])


@pytest.mark.parametrize("source", ["0", "-1", "some"])
def test_source_is_a_number_or_all(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Anything else is a usage error."""
    with pytest.raises(SystemExit, match="2"):
        main(verify(Path("/data"), f"--source={source}"))
    assert "is neither all nor a number of slices" in capsys.readouterr().err
