"""Slices for tests, published as an export publishes them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from airflow_zendesk.dataset.layout import slice_key
from airflow_zendesk.dataset.publish import publish
from airflow_zendesk.dataset.settings import DatasetSettings
from airflow_zendesk.dataset.slice_file import SliceWriter
from airflow_zendesk.storage.store import Store
from airflow_zendesk.window import Grain, Slice
from tests.support.slices import CERTIFICATE, DAY, as_records

NEXT_DAY = Slice(DAY.end, DAY.end + timedelta(days=1))
RECORDS = {
    "ticket_events": DatasetSettings(
        resource="ticket_events", account="acme.zendesk.com", grain=Grain.of("1d"), include=(), support_type_scope="all"
    ),
    "ticket_metric_events": DatasetSettings(
        resource="ticket_metric_events",
        account="acme.zendesk.com",
        grain=Grain.of("1d"),
        include=(),
        support_type_scope=None,
    ),
}


def put(store: Store, records: Iterable[dict[str, Any]], slice_: Slice = DAY, resource: str = "ticket_events") -> None:
    """Publish the records as a slice, replacing the slice that is stored."""
    writer = SliceWriter(RECORDS[resource], slice_)
    writer.write(as_records(records))
    sealed = writer.seal(CERTIFICATE, duplicates=0)
    publish(store, RECORDS[resource], sealed, store.version(slice_key(resource, slice_)), allow_shrink=True)
    writer.close()


def metric_event(number: int, type_: str, **members: Any) -> dict[str, Any]:
    """Return an invented metric event of the day; ``number`` is its minute."""
    time = (DAY.start + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
    about = {"ticket_id": 7, "metric": "reply_time", "instance_id": 1, "type": type_, "time": time}
    return {"id": number} | about | members
