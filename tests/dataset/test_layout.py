"""Where a slice lies."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.dataset.layout import folder_key, parse_slice_key, settings_key, slice_key
from airflow_zendesk.window import Grain, Slice


def test_keys_are_written_out() -> None:
    """A key is a function of resource and time alone."""
    day = Slice.of("2026-01-31T00:00:00Z", "2026-02-01T00:00:00Z")
    hour = Slice.of("2026-01-31T23:00:00Z", "2026-02-01T00:00:00Z")
    assert (
        "ticket_events/event_date=2026-01-31/20260131T000000Z--20260201T000000Z.parquet"
        == slice_key("ticket_events", day)
    )  # fmt: skip
    assert (
        "ticket_metric_events/event_date=2026-01-31/20260131T230000Z--20260201T000000Z.parquet"
        == slice_key("ticket_metric_events", hour)
    )  # fmt: skip
    assert "ticket_events/event_date=2026-01-31" == folder_key("ticket_events", hour.start)
    assert "_datasets/ticket_events.json" == settings_key("ticket_events")


@given(st.sampled_from(["1d", "6h", "15m"]).map(Grain.of), st.integers(0, 30_000))
def test_keys_can_be_read_back(grain: Grain, number: int) -> None:
    """Law: a key tells its slice, and lies in the folder of the day it starts on."""
    start = datetime.fromtimestamp(number * grain.seconds, UTC)
    slice_ = Slice(start, start + timedelta(seconds=grain.seconds))
    key = slice_key("ticket_events", slice_)
    assert slice_ == parse_slice_key(key)
    assert key.startswith(folder_key("ticket_events", start) + "/")


@pytest.mark.parametrize(
    "key",
    [
        "ticket_events/event_date=2026-01-31/part-0.parquet",
        "ticket_events/event_date=2026-01-30/20260131T000000Z--20260201T000000Z.parquet",
        "ticket_events/event_date=2026-01-31/20260131T000000Z--20260131T000000Z.parquet",
        "ticket_events/event_date=2026-01-31/20261331T000000Z--20260201T000000Z.parquet",
        "ticket_events/event_date=2026-01-31/.20260131T000000Z--20260201T000000Z.parquet.0f.tmp",
        "_datasets/ticket_events.json",
    ],
)
def test_foreign_keys_name_no_slice(key: str) -> None:
    """What we did not write is not taken for ours."""
    assert parse_slice_key(key) is None
