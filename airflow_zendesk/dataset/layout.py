"""Object keys of a dataset. A key depends on resource and time alone, never on an attempt, a clock or the data.

``ticket_events/event_date=2026-01-31/20260131T000000Z--20260201T000000Z.parquet``
"""

import re
from datetime import datetime

from airflow_zendesk.window import Slice

_STAMP = "%Y%m%dT%H%M%SZ"
_SLICE_KEY = re.compile(r"(?:.*/)?event_date=(\d{4}-\d\d-\d\d)/(\d{8}T\d{6}Z)--(\d{8}T\d{6}Z)\.parquet")


def folder_key(resource: str, day: datetime) -> str:
    """The folder of all slices that start on that day (UTC)."""
    return f"{resource}/event_date={day:%Y-%m-%d}"


def slice_key(resource: str, slice_: Slice) -> str:
    """The key of one slice."""
    name = f"{slice_.start.strftime(_STAMP)}--{slice_.end.strftime(_STAMP)}.parquet"
    return f"{folder_key(resource, slice_.start)}/{name}"


def settings_key(resource: str) -> str:
    """The key of the dataset's settings; beside the data, because some readers fail on other files among Parquet."""
    return f"_datasets/{resource}.json"


def verified_key(resource: str) -> str:
    """The key of the results of verifications; beside the data for the same reason."""
    return f"_verified/{resource}.json"


def parse_slice_key(key: str) -> Slice | None:
    """The slice that a key names, or None if it is not the key of a slice."""
    match = _SLICE_KEY.fullmatch(key)
    if match is None:
        return None
    try:
        # Several times faster than strptime, for a listing of many slices.
        start, end = map(datetime.fromisoformat, match.groups()[1:])
        slice_ = Slice(start, end)
    except ValueError:
        return None
    return slice_ if f"{slice_.start:%Y-%m-%d}" == match[1] else None
