"""The code in docs/readers.md is executed: every reader reads what was exported, on a disk and in S3."""

import doctest
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
import requests

from airflow_zendesk.emulator import ZendeskEmulator
from tests.support.commands import ROOT
from tests.support.emulator_client import START
from tests.support.emulator_client import export as page_of
from tests.system.readers.conftest import WINDOW, Bucket

PAGE = (ROOT / "docs" / "readers.md").read_text()
#: The type of each column in every reader, whatever the rows.
COLUMNS = {
    "ticket_events": {
        "id": "int64", "timestamp": "instant", "ticket_id": "int64", "created_at": "instant", "updater_id": "int64",
        "via": "text", "event_type": "text", "system": "text", "metadata": "text", "merged_ticket_ids": "text",
        "child_events": "text", "instance_id": "int64", "metric": "text", "type": "text", "time": "instant",
        "late": "bool", "extra": "text",
    },
    "ticket_metric_events": {
        "id": "int64", "ticket_id": "int64", "instance_id": "int64", "metric": "text", "type": "text",
        "time": "instant", "timestamp": "instant", "deleted": "bool", "sla": "text", "group_sla": "text",
        "status": "text", "late": "bool", "extra": "text",
    },
}  # fmt: skip
JSON = {"system", "metadata", "merged_ticket_ids", "child_events", "sla", "group_sla", "status", "extra"}

Row = dict[str, Any]
#: The values of the rows without nulls.
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
KNOWN = {"2026-01-01": [LATE, FULL], "2026-01-02": [], "2026-01-03": [LAST]}

#: Converts the result of a reader to an Arrow table. The schema is the reader's even without rows.
READERS: dict[str, Callable[[Any], Any]] = {
    "pandas": lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
    "pyarrow": lambda table: table,
    "polars": lambda frame: frame.to_arrow(),
    "DuckDB": lambda relation: relation.to_arrow_table(),
    "ClickHouse": lambda table: table,
    "Spark": lambda frame: frame.toArrow(),
}
NO_CONNECTOR = "Spark reads S3 with Hadoop's connector (hadoop-aws), which comes from Maven and not as a Python package"
EVERYWHERE = [
    pytest.param(
        place, reader,
        marks=pytest.mark.skip(reason=NO_CONNECTOR) if (place, reader) == ("S3", "Spark") else (),
    )
    for place in ("disk", "S3")
    for reader in READERS
]  # fmt: skip


def blocks(heading: str, language: str = "python") -> list[str]:
    """The code below a heading: first for a disk, then for S3."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```", section, re.DOTALL | re.MULTILINE)


@pytest.fixture
def code(place: str, reader: str, request: pytest.FixtureRequest) -> str:
    """The code of the page for a reader and a place."""
    if reader == "Spark":
        request.getfixturevalue("spark")
    if place == "disk":
        return blocks(reader)[0].replace("/data/zendesk", request.getfixturevalue("on_disk") + "/known")
    request.getfixturevalue("keys_in_environment")
    return in_bucket(blocks(reader)[1], request.getfixturevalue("in_s3"))


def in_bucket(code: str, bucket: Bucket) -> str:
    """The code with the addresses of the test bucket. Most readers use AWS_ENDPOINT_URL."""
    for there, here in {
        "https://my-bucket.s3.eu-central-1.amazonaws.com/zendesk": f"{bucket.url}/{bucket.folder}/known",
        "my-bucket/zendesk": f"{bucket.folder}/known",
        'S3FileSystem(region="us-east-1")': f'S3FileSystem(region="us-east-1", endpoint_override="{bucket.url}")',
    }.items():
        code = code.replace(there, here)
    return code


def results(code: str, day: str = "2026-01-01") -> dict[str, Any]:
    """Run the code for a day; return its variables, such as ``events`` and ``day``."""
    names: dict[str, Any] = {}
    exec(code.replace("2026-01-01", day), names)
    return names


def rows(reader: str, result: Any, resource: str = "ticket_events") -> list[Row]:
    """Check the columns of a result; return its rows by id, without nulls, with decoded JSON and dates."""
    table = READERS[reader](result)
    dates = "text" if reader in {"pandas", "pyarrow"} else "date32[day]"
    assert COLUMNS[resource] | {"event_date": dates} == {column.name: kind(column.type) for column in table.schema}
    found = [{name: value for name, value in row.items() if value is not None} for row in table.to_pylist()]
    for row in found:
        row |= {name: json.loads(row[name]) for name in JSON & row.keys()}
        row["event_date"] = date.fromisoformat(str(row["event_date"]))
    return sorted(found, key=lambda row: row["id"])


def kind(type_: Any) -> str:
    """The type of a column, without differences between readers that do not matter."""
    if pa.types.is_dictionary(type_):
        return kind(type_.value_type)
    if pa.types.is_timestamp(type_):
        return "instant" if type_.unit == "us" and type_.tz else str(type_)
    return "text" if pa.types.is_string(type_) or pa.types.is_large_string(type_) else str(type_)


def source_rows(emulator: ZendeskEmulator, resource: str) -> list[Row]:
    """The rows by id that one independent request to the emulator returns."""
    with requests.Session() as session:
        session.auth = emulator.connection()["login"], emulator.connection()["password"]
        query = {"start_time": START, "include": "comment_events", "support_type_scope": "all"}
        records = page_of(session, emulator, resource, **query).json()[resource]
    found = []
    for record in records:
        times = {name: datetime.fromisoformat(record[name]) for name in ("created_at", "time") if name in record}
        (at,) = times.values()
        if at < WINDOW.end:
            row = record | times | {"timestamp": at, "late": False, "event_date": at.date()}
            found.append({name: value for name, value in row.items() if value is not None})
    assert sorted(emulator.expected_ids(resource, WINDOW.start, WINDOW.end)) == sorted(row["id"] for row in found)
    return sorted(found, key=lambda row: row["id"])


@pytest.mark.parametrize(("place", "reader"), EVERYWHERE)
def test_literal_events_are_read_exactly(reader: str, code: str) -> None:
    """To the last digit, microsecond and null. A day without events has the same columns."""
    for day, expected in KNOWN.items():
        found = results(code, day)
        assert expected == rows(reader, found["day"]), day
        assert [LAST, LATE, FULL] == rows(reader, found["events"])


@pytest.mark.parametrize("resource", COLUMNS)
@pytest.mark.parametrize(("place", "reader"), EVERYWHERE)
def test_all_events_of_an_account_are_read(reader: str, code: str, resource: str, emulator: ZendeskEmulator) -> None:
    """Of both resources: every event on its date, and none on the day before the account opened."""
    expected = source_rows(emulator, resource)
    assert {"ticket_events": 182, "ticket_metric_events": 702}[resource] == len(expected)
    for day in KNOWN:
        found = results(code.replace("/known", "/emulator").replace("ticket_events", resource), day)
        assert [row for row in expected if str(row["event_date"]) == day] == rows(reader, found["day"], resource)
        assert expected == rows(reader, found["events"], resource)


@pytest.mark.parametrize(("place", "reader"), EVERYWHERE)
def test_empty_day_alone_has_all_columns(reader: str, code: str) -> None:
    """Also in a dataset that has only that day."""
    assert [] == rows(reader, results(code.replace("/known", "/empty"))["events"])


@pytest.mark.parametrize(("place", "reader"), EVERYWHERE)
def test_date_is_read_without_the_others(reader: str, code: str) -> None:
    """One date can be read where the files of another are damaged."""
    code = code.replace("/known", "/damaged")
    lines = [line for line in code.splitlines(keepends=True) if not line.startswith("events = ")]
    if "events." in code:
        lines = code.splitlines(keepends=True)  # their `events` is lazy
    assert [LATE, FULL] == rows(reader, results("".join(lines))["day"])
    with pytest.raises(Exception, match=r"."):  # each reader has its own error
        rows(reader, results(code)["events"])


@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas", "ignore:The copy keyword is deprecated")
@pytest.mark.parametrize(("place", "reader"), [("disk", reader) for reader in READERS])
def test_reader_sessions_print_what_the_page_shows(reader: str, code: str, on_disk: str) -> None:
    """Each session on the page is run after the code for a disk."""
    (text,) = blocks(reader, "pycon")
    text = text.replace("/data/zendesk", f"{on_disk}/known")
    session = doctest.DocTestParser().get_doctest(text, results(code), reader, None, None)
    differences: list[str] = []
    outcome = doctest.DocTestRunner().run(session, out=differences.append)
    assert (0, len(session.examples)) == (outcome.failed, outcome.attempted), "".join(differences)


def test_keys_and_address_can_be_given_in_the_code(in_s3: Bucket) -> None:
    """Without environment variables."""
    (code,) = blocks("Another S3, other keys")
    for there, here in {"the-key": in_s3.key, "the-secret": in_s3.secret, "https://s3.example.com": in_s3.url}.items():
        code = code.replace(f'"{there}"', repr(here))
    found = results(in_bucket(code, in_s3))
    for reader in READERS.keys() - {"Spark"}:
        assert [LAST, LATE, FULL] == rows(reader, found[reader.lower()])
