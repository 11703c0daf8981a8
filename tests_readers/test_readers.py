"""The code of docs/readers.md, run: every reader finds what was exported, on a disk and in an S3."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from tests.commands import ROOT

PAGE = (ROOT / "docs" / "readers.md").read_text()
COLUMNS = [
    "id", "timestamp", "ticket_id", "created_at", "updater_id", "via", "event_type", "system", "metadata",
    "merged_ticket_ids", "child_events", "instance_id", "metric", "type", "time", "late", "extra", "event_date",
]  # fmt: skip

Row = dict[str, Any]
#: What a row holds besides nulls.
LATE: Row = {
    "id": 9_007_199_254_740_993,
    "timestamp": datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC),
    "ticket_id": 1,
    "child_events": [],
    "late": True,
    "event_date": date(2026, 1, 1),
}
FULL: Row = {
    "id": 9_007_199_254_740_995,
    "timestamp": datetime(2026, 1, 1, tzinfo=UTC),
    "ticket_id": 9_007_199_254_740_997,
    "updater_id": 9_007_199_254_740_999,
    "created_at": datetime(2026, 1, 1, 0, 0, 0, 123_456, tzinfo=UTC),
    "via": "Web form",
    "child_events": [{"id": 5, "event_type": "Comment", "public": True, "body": 'née 😀 "quoted"\nline'}],
    "late": False,
    "extra": {"unknown": {"a": [1, None]}},
    "event_date": date(2026, 1, 1),
}
LAST: Row = {
    "id": 4,
    "timestamp": datetime(2026, 1, 3, 23, 59, 59, tzinfo=UTC),
    "via": "",
    "system": {"latitude": 50.11},
    "late": False,
    "event_date": date(2026, 1, 3),
}
DAYS = {"2026-01-01": [LATE, FULL], "2026-01-02": [], "2026-01-03": [LAST]}


def snippets(reader: str) -> list[str]:
    """The code below that heading: for a disk, for an S3."""
    section = PAGE.partition(f"\n## {reader}\n")[2].partition("\n## ")[0]
    return re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)


def results(code: str, day: str) -> dict[str, Any]:
    """Run the code for a day; gives its ``events`` and ``day``."""
    names: dict[str, Any] = {}
    exec(code.replace("2026-01-01", day), names)
    return names


def rows(names: list[str], values: Iterator[tuple[Any, ...]] | list[tuple[Any, ...]]) -> list[Row]:
    """Rows without nulls, by time: times in UTC, JSON taken apart, the partition as a date."""
    assert COLUMNS == names
    found = [{name: value for name, value in zip(names, row, strict=True) if value is not None} for row in values]
    for row in found:
        for name in ("child_events", "system", "extra"):
            if name in row:
                row[name] = json.loads(row[name])
        for name in ("timestamp", "created_at"):
            if name in row:
                assert row[name].tzinfo is not None
                row[name] = row[name].astimezone(UTC)
        row["event_date"] = date.fromisoformat(str(row["event_date"]))
    return sorted(found, key=lambda row: row["timestamp"])


def of_pandas(frame: Any) -> list[Row]:
    """A DataFrame."""
    return of_arrow(pa.Table.from_pandas(frame, preserve_index=False))


def of_arrow(table: Any) -> list[Row]:
    """An Arrow table."""
    return rows(table.column_names, [tuple(row.values()) for row in table.to_pylist()])


def of_polars(frame: Any) -> list[Row]:
    """A DataFrame of polars."""
    return rows(frame.columns, frame.rows())


def of_duckdb(relation: Any) -> list[Row]:
    """A relation."""
    return rows(relation.columns, relation.fetchall())


def of_spark(frame: Any) -> list[Row]:
    """A DataFrame of Spark; as Python objects, its times would not say in what zone they are."""
    return of_arrow(frame.toArrow())


READERS: dict[str, Callable[[Any], list[Row]]] = {
    "pandas": of_pandas,
    "pyarrow": of_arrow,
    "polars": of_polars,
    "DuckDB": of_duckdb,
    "ClickHouse": of_arrow,
    "Spark": of_spark,
}


def check(reader: str, code: str) -> None:
    """Every day is as it should be, and so is the whole."""
    for day, expected in DAYS.items():
        found = results(code, day)
        assert expected == READERS[reader](found["day"]), day
        assert [LATE, FULL, LAST] == READERS[reader](found["events"])


@pytest.mark.parametrize("reader", READERS)
def test_files_on_a_disk_read_right(reader: str, on_disk: str, request: pytest.FixtureRequest) -> None:
    """By every reader."""
    if reader == "Spark":
        request.getfixturevalue("spark")
    check(reader, snippets(reader)[0].replace("/data/zendesk", on_disk))


@pytest.mark.parametrize("reader", [reader for reader in READERS if reader != "Spark"])
def test_files_in_a_bucket_read_right(reader: str, in_s3: str, moto: Any) -> None:
    """Straight from there; Spark would need a connector that is not among Python's packages."""
    code = snippets(reader)[1]
    for there, here in {
        "https://my-bucket.s3.eu-central-1.amazonaws.com/zendesk": f"{moto.url}/{in_s3}",
        "my-bucket/zendesk": in_s3,
        # The others know of AWS_ENDPOINT_URL.
        'S3FileSystem(region="us-east-1")': f'S3FileSystem(region="us-east-1", endpoint_override="{moto.url}")',
    }.items():
        code = code.replace(there, here)
    check(reader, code)
