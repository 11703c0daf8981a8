"""A minimal client of cursor exports and lists, for tests only."""

from typing import Any

import requests

from airflow_zendesk.emulator import ZendeskEmulator

Json = dict[str, Any]


def get(session: requests.Session, emulator: ZendeskEmulator, path: str, **query: object) -> requests.Response:
    """Request a path below /api/v2/."""
    parameters = {name: str(value) for name, value in query.items()}
    return session.get(f"{emulator.url}/api/v2/{path}", params=parameters, timeout=30)


def cursor_pages(session: requests.Session, emulator: ZendeskEmulator, resource: str, **query: object) -> list[Json]:
    """Return all pages of a cursor export, from a start_time to the end of the stream."""
    pages: list[Json] = []
    while True:
        pages.append(get(session, emulator, f"incremental/{resource}/cursor", **query).json())
        if pages[-1]["end_of_stream"]:
            return pages
        query.pop("start_time", None)
        query["cursor"] = pages[-1]["after_cursor"]


def objects(session: requests.Session, emulator: ZendeskEmulator, resource: str, **query: object) -> list[Json]:
    """Return all objects of a cursor export, in their order."""
    return [item for page in cursor_pages(session, emulator, resource, **query) for item in page[resource]]
