"""The slices that an asset event refers to."""

from typing import Any

import pytest

from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.warehouse.asset_events import SliceRef, slice_refs
from airflow_zendesk.window import Slice

DATASET = "s3://bucket/zendesk/ticket_events"


def hour(number: int) -> Slice:
    """Return one hour of the day."""
    return Slice.of(f"2026-01-01T{number:02}:00:00Z", f"2026-01-01T{number + 1:02}:00:00Z")


def extra(*hours: int, **changes: Any) -> dict[str, Any]:
    """Return the extra of the asset event of an export of these hours."""
    slices = [
        {"start": hour(number).start.isoformat(), "end": hour(number).end.isoformat(), "outcome": "published"}
        for number in hours
    ]
    window = {"start": "2026-01-01T00:00:00+00:00", "end": "2026-01-01T03:00:00+00:00", "grain": "1h"}
    return {"resource": "ticket_events", "destination": DATASET, "slices": slices} | window | changes


def refs(*hours: int) -> list[SliceRef]:
    """Return references to these hours of the dataset."""
    return [SliceRef(DATASET, "ticket_events", hour(number)) for number in hours]


def test_event_lists_its_slices() -> None:
    """The slices are sorted, and each has its URI."""
    assert refs(1, 3) == slice_refs([extra(3, 1)])
    assert f"{DATASET}/event_date=2026-01-01/20260101T010000Z--20260101T020000Z.parquet" == refs(1)[0].uri


def test_merged_events_list_every_slice_once() -> None:
    """A slice that two events list is returned once."""
    assert refs(1, 2, 3) == slice_refs([extra(1, 2), extra(2, 3)])


def test_event_without_a_list_refers_to_its_whole_window() -> None:
    """An export of many slices lists none."""
    event = extra()
    del event["slices"]
    assert refs(0, 1, 2) == slice_refs([event])


def test_run_with_events_of_two_resources_has_the_slices_of_both() -> None:
    """Sorted by dataset."""
    metric = extra(1, resource="ticket_metric_events", destination="s3://bucket/zendesk/ticket_metric_events")
    assert ["ticket_events", "ticket_metric_events"] == [each.resource for each in slice_refs([metric, extra(1)])]


@pytest.mark.parametrize(
    "foreign", [{}, {"slices": [{}], "resource": "a", "destination": "b"}, extra(grain=None, slices=5)]
)
def test_event_that_no_export_made_is_rejected(foreign: dict[str, Any]) -> None:
    """It is not treated as an event without slices."""
    with pytest.raises(SettingsError, match="lists no slices, so no export of airflow-zendesk created it"):
        slice_refs([foreign])
