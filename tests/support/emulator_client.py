"""A clock for the emulator and a minimal export client, for tests only."""

from datetime import UTC, datetime
from typing import Any

import requests

from airflow_zendesk.emulator import ZendeskEmulator

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
START = int(NEW_YEAR.timestamp())
HOUR, DAY = 3_600, 86_400
EVENTS, METRICS = "ticket_events", "ticket_metric_events"


class Clock:
    """A clock that tests set by hand. It starts at noon on 3 January 2026."""

    def __init__(self) -> None:
        self.now = START + 2.5 * DAY

    def __call__(self) -> float:
        """Unix seconds."""
        return self.now


def export(
    session: requests.Session, emulator: ZendeskEmulator, resource: str = EVENTS, **query: object
) -> requests.Response:
    """Request one page."""
    parameters = {name: str(value) for name, value in query.items()}
    return session.get(f"{emulator.url}/api/v2/incremental/{resource}", params=parameters, timeout=30)


def export_all(session: requests.Session, emulator: ZendeskEmulator, resource: str, **query: Any) -> list[int]:
    """Return the ids of all pages from a start_time to the end of the stream, each once."""
    ids: dict[int, None] = {}
    while True:
        page = export(session, emulator, resource, **query).json()
        assert len(page[resource]) == page["count"]
        ids |= dict.fromkeys(item["id"] for item in page[resource])
        if page["end_of_stream"]:
            return list(ids)
        assert page["end_time"] > query["start_time"]
        query["start_time"] = page["end_time"]
