"""A emulator's clock and a careful client, written for the tests alone."""

from datetime import UTC, datetime
from typing import Any

import requests

from airflow_zendesk.emulator import ZendeskEmulator

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
START = int(NEW_YEAR.timestamp())
HOUR, DAY = 3_600, 86_400
EVENTS, METRICS = "ticket_events", "ticket_metric_events"


class Clock:
    """A clock that is moved by hand; it stands at noon of the third of January."""

    def __init__(self) -> None:
        self.now = START + 2.5 * DAY

    def __call__(self) -> float:
        """Unix seconds."""
        return self.now


def export(
    session: requests.Session, emulator: ZendeskEmulator, resource: str = EVENTS, **query: object
) -> requests.Response:
    """One page."""
    parameters = {name: str(value) for name, value in query.items()}
    return session.get(f"{emulator.url}/api/v2/incremental/{resource}", params=parameters, timeout=30)


def export_all(session: requests.Session, emulator: ZendeskEmulator, resource: str, **query: Any) -> list[int]:
    """The ids of all pages from a start_time to the end of the stream, each once, as a careful client has them."""
    ids: dict[int, None] = {}
    while True:
        page = export(session, emulator, resource, **query).json()
        assert len(page[resource]) == page["count"]
        ids |= dict.fromkeys(item["id"] for item in page[resource])
        if page["end_of_stream"]:
            return list(ids)
        assert page["end_time"] > query["start_time"]
        query["start_time"] = page["end_time"]
