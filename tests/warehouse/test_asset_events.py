"""Which slices an asset event is about."""

from typing import Any

import pytest

from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.warehouse.asset_events import SliceRef, slice_refs
from airflow_zendesk.window import Slice

DATASET = "s3://bucket/zendesk/ticket_events"


def hour(number: int) -> Slice:
    """An hour of a day."""
    return Slice.of(f"2026-01-01T{number:02}:00:00Z", f"2026-01-01T{number + 1:02}:00:00Z")


def extra(*hours: int, **changes: Any) -> dict[str, Any]:
    """What an export of some hours puts on its asset event."""
    slices = [
        {"start": hour(number).start.isoformat(), "end": hour(number).end.isoformat(), "outcome": "published"}
        for number in hours
    ]
    window = {"start": "2026-01-01T00:00:00+00:00", "end": "2026-01-01T03:00:00+00:00", "grain": "1h"}
    return {"resource": "ticket_events", "destination": DATASET, "slices": slices} | window | changes


def named(*hours: int) -> list[SliceRef]:
    """Those hours of the dataset."""
    return [SliceRef(DATASET, "ticket_events", hour(number)) for number in hours]


def test_event_names_its_slices() -> None:
    """In order, with where they lie."""
    assert named(1, 3) == slice_refs([extra(3, 1)])
    assert f"{DATASET}/event_date=2026-01-01/20260101T010000Z--20260101T020000Z.parquet" == named(1)[0].uri


def test_merged_events_name_the_slices_of_all() -> None:
    """Each once, also if two events name it."""
    assert named(1, 2, 3) == slice_refs([extra(1, 2), extra(2, 3)])


def test_run_of_a_partition_is_about_its_slice_alone() -> None:
    """Its event lists all slices of the export, and each of the others has a run of its own."""
    assert named(2) == slice_refs([extra(1, 2, 3)], "2026-01-01T02:00:00")


def test_event_without_a_list_means_its_window() -> None:
    """An export of very many slices lists none; its one run, under whatever key, is about all of them."""
    event = extra()
    del event["slices"]
    assert named(0, 1, 2) == slice_refs([event], "2026-01-01T00:00:00") == slice_refs([event])


def test_two_resources_in_one_run() -> None:
    """Of one partition each."""
    metric = extra(1, resource="ticket_metric_events", destination="s3://bucket/zendesk/ticket_metric_events")
    assert ["ticket_events", "ticket_metric_events"] == [
        each.resource for each in slice_refs([metric, extra(1)], "2026-01-01T01:00:00")
    ]


@pytest.mark.parametrize(
    "foreign", [{}, {"slices": [{}], "resource": "a", "destination": "b"}, extra(grain=None, slices=5)]
)
def test_event_of_somebody_else_is_told(foreign: dict[str, Any]) -> None:
    """It does not pass for an event about nothing."""
    with pytest.raises(SettingsError, match="tells of no slices"):
        slice_refs([foreign])


def test_partition_that_the_event_does_not_list_is_told() -> None:
    """Nothing would be loaded, and nobody would know."""
    with pytest.raises(SettingsError, match="lists no slice that starts then"):
        slice_refs([extra(1)], "2026-01-01T02:00:00")
