"""Exports into one dataset at the same time, in threads."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq

from airflow_zendesk.emulator import ZendeskEmulator
from airflow_zendesk.export.run import export_window
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.window import Grain, Window
from airflow_zendesk.zendesk.resources import Query
from tests.support.slices import DAY

DOZEN = [Window(DAY.start + timedelta(hours=2 * n), DAY.start + timedelta(hours=2 * n + 2)) for n in range(12)]


def test_twelve_slices_are_published_at_the_same_time(tmp_path: Path, emulator: ZendeskEmulator) -> None:
    """Into one new folder: all are stored, and an object of somebody else in the folder stays."""
    other = tmp_path / "ticket_events/event_date=2026-01-01/notes.parquet"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"not ours")

    def export(slice_: Window) -> list[str]:
        report = export_window(
            ZendeskHook(), tmp_path.as_uri(), Query.of("ticket_events"), slice_, grain=Grain.of("2h")
        )
        return [each.outcome for each in report.slices]

    with ThreadPoolExecutor(12) as pool:
        assert [["published"]] * 12 == list(pool.map(export, DOZEN))
    assert b"not ours" == other.read_bytes()
    slices = sorted(other.parent.glob("2026*.parquet"))
    ids = [id_ for path in slices for id_ in pq.ParquetFile(path).read(columns=["id"])["id"].to_pylist()]
    assert 12 == len(slices)
    assert sorted(emulator.expected_ids("ticket_events", DAY.start, DAY.end)) == sorted(ids)
