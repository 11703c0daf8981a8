"""Converts events to pandas DataFrames."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from airflow_zendesk.zendesk.child_events import ChildEvent, read_child_events
from airflow_zendesk.zendesk.records import LATE, TIMESTAMP, Column, Kind, Record, to_rows

_DTYPES: dict[Kind, str] = {
    "int64": "Int64",
    "unix": "datetime64[us, UTC]",
    "iso8601": "datetime64[us, UTC]",
    "string": "string",
    "via": "string",
    "json": "string",
    "bool": "boolean",
}


def to_frame(pages: Iterable[Sequence[Record]], columns: Sequence[Column], start: datetime) -> pd.DataFrame:
    """Return the events of all pages in one frame; events before ``start`` are marked late."""
    values: dict[str, list[Any]] = {column.name: [] for column in columns}
    for records in pages:
        for name, page_values in to_rows(records, columns).columns.items():
            values[name] += page_values
    first = int(start.timestamp()) * 1_000_000
    values[LATE] = [timestamp < first for timestamp in values[TIMESTAMP]]
    return pd.DataFrame({column.name: _series(values[column.name], column.kind) for column in columns})


def explode_child_events(frame: pd.DataFrame) -> pd.DataFrame:
    """Replace ``child_events`` by a row for each changed field and each other child; other events keep one row."""
    rows = frame["child_events"].map(lambda text: read_child_events(text) or [ChildEvent()], na_action="ignore")
    events = frame.drop(columns="child_events").loc[frame.index.repeat(rows.map(len, na_action="ignore").fillna(1))]
    flat = [row for group in rows for row in (group if isinstance(group, list) else [ChildEvent()])]
    children = pd.DataFrame(flat, columns=ChildEvent._fields).astype(
        dict.fromkeys(ChildEvent._fields, "string") | {"child_id": "Int64"}
    )
    return pd.concat([events.reset_index(drop=True), children], axis=1)


def _series(values: list[Any], kind: Kind) -> "pd.Series[Any]":
    if kind == "json":
        values = [None if value is None else value.decode() for value in values]
    return pd.Series(values, dtype=_DTYPES[kind])
