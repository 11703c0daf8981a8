"""How much work an export does, counted and not timed, so that a busy machine changes nothing.

The limits are a little above what is counted today. Lower them when an export does less.
"""

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from airflow_zendesk.export.report import ExportReport
from airflow_zendesk.export.run import export_window
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.window import Grain, Window
from airflow_zendesk.zendesk.resources import Query

EVENTS = Query.of("ticket_events", ["comment_events"])
HOUR = Window.of("2026-01-06T09:00:00Z", "2026-01-06T10:00:00Z")
DAY = Window.of("2026-01-06T00:00:00Z", "2026-01-07T00:00:00Z")


@pytest.fixture
def busy_desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An emulator with 20,000 events a day."""
    with ZendeskEmulator(Simulator(events_per_day=20_000)) as emulator:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", json.dumps(emulator.connection()))
        yield


def export(folder: Path, window: Window) -> ExportReport:
    """Export events with comments into one slice."""
    grain = Grain.of(window.end - window.start)
    return export_window(ZendeskHook(), folder.as_uri(), EVENTS, window, grain=grain)


def count_calls(folder: Path, window: Window) -> tuple[int, int]:
    """The number of events of an export, and the function calls of its thread, those into libraries included."""
    calls = 0

    def count(_frame: FrameType, kind: str, _argument: Any) -> None:
        nonlocal calls
        calls += kind in {"call", "c_call"}

    sys.setprofile(count)
    try:
        report = export(folder, window)
    finally:
        sys.setprofile(None)
    return report.events, calls


@pytest.mark.usefixtures("busy_desk")
def test_an_event_costs_few_function_calls(tmp_path: Path) -> None:
    """The difference of two exports, because each one has calls that do not depend on the events."""
    # The first export imports modules.
    export(tmp_path / "first", HOUR)
    few, calls_of_few = count_calls(tmp_path / "hour", HOUR)
    many, calls_of_many = count_calls(tmp_path / "day", DAY)
    assert many > few + 15_000
    assert (calls_of_many - calls_of_few) / (many - few) < 59


@pytest.mark.usefixtures("busy_desk")
def test_an_export_has_one_request_per_thousand_events(tmp_path: Path) -> None:
    """The events of the second at the end of a page come again with the next page: at most one page in fifty."""
    report = export(tmp_path, DAY)
    assert report.stats.requests <= math.ceil(1.02 * report.events / 1_000)


@pytest.mark.usefixtures("busy_desk")
def test_the_command_imports_no_library_that_it_does_not_need(tmp_path: Path) -> None:
    """Airflow itself imports SQLAlchemy, aiohttp and libcst; its settings and its HTTP provider need them."""
    script = (
        "import sys\nfrom airflow_zendesk.cli import main\n"
        f"main(['export', '--start', '2026-01-06T09:00:00Z', '--end', '2026-01-06T10:00:00Z', '--grain', '1h', "
        f"'--destination', {tmp_path.as_uri()!r}])\n"
        "print(*(name for name in ('pandas', 'fastapi', 'duckdb', 'psycopg', 'boto3') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "" == done.stdout.splitlines()[-1]
    assert 1 == len(list(tmp_path.rglob("*.parquet")))
