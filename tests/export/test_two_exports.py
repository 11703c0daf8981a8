"""Two exports of one account at once share its limit of ten requests a minute."""

import json
from collections import Counter
from pathlib import Path

import pytest

from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from airflow_zendesk.export.run import export_window
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.window import Grain, Window
from airflow_zendesk.zendesk.resources import Query
from tests.support.clocks import SharedFakeClock
from tests.support.slices import exported_ids

WINDOW = Window.of("2026-01-01T10:00:00Z", "2026-01-01T13:00:00Z")


#: For both exports, the longest that Zendesk or the work on a page keeps them, in seconds.
LATENCIES = {"of a kind": (0.5, 0.5), "a fast one and a slow one": (0.2, 4.0)}


@pytest.mark.parametrize("latencies", LATENCIES.values(), ids=LATENCIES)
def test_both_are_right_and_hardly_ever_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, latencies: tuple[float, float]
) -> None:
    """Fewer than 2 % of the answers are refusals, and the minutes are used; real HTTP, in minutes that nobody waits."""
    time = SharedFakeClock()
    begin = WINDOW.end_time + 600
    with ZendeskEmulator(
        Simulator(events_per_day=700), max_per_page=1, requests_per_minute=10, clock=lambda: begin + time.now
    ) as emulator:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", json.dumps(emulator.connection()))

        def export(number: int) -> None:
            hook = ZendeskHook(sleep=time.sleep, clock=time.slow_clock(latencies[number], seed=number))
            folder = (tmp_path / str(number)).as_uri()
            export_window(hook, folder, Query.of("ticket_events"), WINDOW, grain=Grain.of("1h"))

        time.run(lambda: export(0), lambda: export(1))
        truth = sorted(emulator.expected_ids("ticket_events", WINDOW.start, WINDOW.end))
        answers = Counter(request.status for request in emulator.requests)
    for number in range(2):
        assert truth == exported_ids(tmp_path / str(number))
    assert {200, 429} >= answers.keys()
    assert answers.total() > 200
    assert answers[429] < 0.02 * answers.total()
    assert answers[200] > 8 * time.now / 60
