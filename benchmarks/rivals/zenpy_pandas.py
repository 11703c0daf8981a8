"""zenpy, pandas and to_parquet: zenpy_pandas.py URL START END FOLDER. A file has 20,000 events.

zenpy follows the URL of the next page, which need not repeat these parameters, so the session adds them. Its cache of
objects is off, because each event is read once.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import requests
from zenpy import Zenpy

EVENTS_PER_FILE = 20_000
NESTED = ["child_events", "system", "metadata"]


def main(start: int, end: int, folder: Path) -> None:
    """Export the events of [start, end)."""
    session = requests.Session()
    session.params = {"include": "comment_events", "support_type_scope": "all"}
    zendesk = Zenpy(
        subdomain="acme", email="agent@example.com", token="invented-token", session=session, disable_cache=True  # noqa: S106
    )  # fmt: skip
    events: list[dict[str, Any]] = []
    number = 0
    for event in zendesk.tickets.events(start_time=start, per_page=1000):
        if event.timestamp >= end:
            break
        events.append(event.to_dict())
        if len(events) == EVENTS_PER_FILE:
            write(events, folder / f"{number}.parquet")
            number, events = number + 1, []
    if events:
        write(events, folder / f"{number}.parquet")


def write(events: list[dict[str, Any]], path: Path) -> None:
    """Write one file; nested values differ in their types, so they become JSON text."""
    frame = pd.DataFrame(events)
    frame[NESTED] = frame[NESTED].map(json.dumps)
    frame.to_parquet(path)


if __name__ == "__main__":
    # zenpy's variables for another host than Zendesk's.
    os.environ.update(ZENPY_FORCE_SCHEME="http", ZENPY_FORCE_NETLOC=urlsplit(sys.argv[1]).netloc)
    output = Path(sys.argv[4], "ticket_events")
    output.mkdir(parents=True)
    main(int(sys.argv[2]), int(sys.argv[3]), output)
