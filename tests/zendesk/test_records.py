"""Wire to columns: typed where it fits, kept as it was sent where it does not."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.zendesk import ticket_events, ticket_metric_events
from airflow_zendesk.zendesk.records import RawRecord, Record, read_records, to_rows

_WIRES = msgspec.json.Decoder(list[RawRecord])


def wires(*records: Any) -> list[RawRecord]:
    """The records as they come off the wire."""
    return _WIRES.decode(json.dumps(records).encode())


def read(*records: dict[str, Any]) -> list[Record]:
    """The records as items of a page."""
    return read_records(wires(*records))


EVENT = {
    "child_events": [{"id": 18868153669001, "via": "Web form", "status": "solved", "event_type": "Change"}],
    "id": 18868153668801,
    "ticket_id": 5,
    "timestamp": 1695680609,
    "created_at": "2023-09-25T22:23:29Z",
    "updater_id": -1,
    "via": "Web form",
    "system": {"client": "Mozilla/5.0", "latitude": 50.11},
    "metadata": {},
    "merged_ticket_ids": [7, 8],
    "event_type": "Audit",
}


def test_ticket_event_fills_its_columns() -> None:
    """A real-shaped event: numbers and times typed, open parts as the text that was sent."""
    rows = to_rows(read(EVENT), ticket_events.COLUMNS)
    expected = {
        "id": [18868153668801],
        "timestamp": [1695680609000000],
        "ticket_id": [5],
        "created_at": [1695680609000000],
        "updater_id": [-1],
        "via": ["Web form"],
        "event_type": ["Audit"],
        "system": [b'{"client": "Mozilla/5.0", "latitude": 50.11}'],
        "metadata": [b"{}"],
        "merged_ticket_ids": [b"[7, 8]"],
        "child_events": [
            b'[{"id": 18868153669001, "via": "Web form", "status": "solved", "event_type": "Change"}]',
        ],
        "instance_id": [None],
        "metric": [None],
        "type": [None],
        "time": [None],
        "extra": [None],
    }
    assert expected == rows.columns
    assert not rows.unknown
    assert not rows.type_mismatches


def test_metric_shape_under_ticket_events_fills_the_metric_columns() -> None:
    """The published schema of ticket_events shows metric events: such an answer is exported too."""
    record = {
        "id": 1, "instance_id": 0, "metric": "reply_time", "ticket_id": 3, "type": "measure",
        "time": "2026-01-02T03:04:05Z",
    }  # fmt: skip
    columns = to_rows(read(record), ticket_events.COLUMNS).columns
    assert [1767323045000000] == columns["timestamp"] == columns["time"]
    assert ([0], ["reply_time"], ["measure"]) == (columns["instance_id"], columns["metric"], columns["type"])
    assert [None] == columns["extra"]


def test_metric_event_fills_its_columns() -> None:
    """Targets and minutes stay JSON text; the time is the row's timestamp as well."""
    record = {
        "id": 6925131321999, "ticket_id": 1, "metric": "requester_wait_time", "instance_id": 1, "deleted": False,
        "type": "update_status", "time": "2023-05-06T22:04:16Z", "status": {"calendar": 1261650, "business": 300000},
    }  # fmt: skip
    columns = to_rows(read(record), ticket_metric_events.COLUMNS).columns
    assert [1683410656000000] == columns["timestamp"] == columns["time"]
    assert [b'{"calendar": 1261650, "business": 300000}'] == columns["status"]
    assert ([False], [None], [None]) == (columns["deleted"], columns["sla"], columns["extra"])


def test_unknown_keys_are_kept_in_extra_sorted_and_counted() -> None:
    """A new field at Zendesk's side neither fails the run nor makes a column."""
    rows = to_rows(read({**EVENT, "zebra": [1, {"a": None}], "aardvark": "é"}, EVENT), ticket_events.COLUMNS)
    assert [b'{"aardvark":"\\u00e9","zebra":[1, {"a": null}]}', None] == rows.columns["extra"]
    assert {"zebra": 1, "aardvark": 1} == rows.unknown


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ticket_id", "5"),
        ("ticket_id", 2**63),
        ("ticket_id", 1.5),
        ("ticket_id", True),
        ("updater_id", {"id": 1}),
        ("created_at", "yesterday"),
        ("created_at", "2023-09-25T22:23:29"),
        ("created_at", "0001-01-01T00:00:00Z"),
        ("event_type", ["Audit"]),
        ("via", 7),
        ("instance_id", "0"),
    ],
)
def test_value_of_another_type_is_kept_in_extra_and_its_column_is_null(key: str, value: Any) -> None:
    """Only that value of that row: its neighbours keep their columns."""
    rows = to_rows(read(EVENT, {**EVENT, key: value}, EVENT), ticket_events.COLUMNS)
    neighbour = to_rows(read(EVENT), ticket_events.COLUMNS).columns[key][0]
    assert [neighbour, None, neighbour] == rows.columns[key]
    assert [None, f'{{"{key}":{json.dumps(value)}}}'.encode(), None] == rows.columns["extra"]
    assert {key: 1} == rows.type_mismatches


def test_via_object_gives_its_channel_and_is_kept_whole() -> None:
    """Zendesk writes via as a label, or as an object elsewhere: both are right."""
    via = {"channel": "web", "source": {"from": {}, "to": {}, "rel": None}}
    rows = to_rows(read({**EVENT, "via": via}, {**EVENT, "via": {"channel": None}}), ticket_events.COLUMNS)
    assert ["web", None] == rows.columns["via"]
    assert {"via": via} == json.loads(rows.columns["extra"][0])
    assert {"via": 1} == rows.type_mismatches


@pytest.mark.parametrize(
    ("record", "timestamp"),
    [
        ({"id": 1, "timestamp": 5, "created_at": "1970-01-01T00:00:06Z"}, 5_000_000),
        ({"id": 1, "timestamp": "5", "created_at": "1970-01-01T00:00:06Z"}, 6_000_000),
        ({"id": 1, "timestamp": None, "created_at": "1970-01-01T01:00:06.25+01:00"}, 6_250_000),
        ({"id": 1, "timestamp": -5, "created_at": "?", "time": "1970-01-01T00:00:07Z"}, 7_000_000),
        ({"id": 1, "timestamp": 10**12, "time": "1970-01-01T00:00:07Z"}, 7_000_000),
    ],
)
def test_row_time_is_the_first_readable_of_timestamp_created_at_and_time(
    record: dict[str, Any], timestamp: int
) -> None:
    """And it is kept to the microsecond, though Zendesk pages by the second."""
    (item,) = read(record)
    assert timestamp == item.timestamp
    assert timestamp // 1_000_000 == item.second


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"timestamp": 5}, "record 1 has no integer id"),
        ({"id": "7", "timestamp": 5}, "record 1 has no integer id"),
        ({"id": 2**63, "timestamp": 5}, "record 1 has no integer id"),
        ({"id": None, "timestamp": 5}, "record 1 has no integer id"),
        ({"id": 7}, r"record 1 \(id 7\) has no readable timestamp, created_at, time"),
        ({"id": 7, "created_at": 5}, r"record 1 \(id 7\) has no readable timestamp, created_at, time"),
    ],
)
def test_record_without_id_or_time_is_refused_with_its_position(record: dict[str, Any], reason: str) -> None:
    """What cannot be placed is never guessed and never dropped."""
    with pytest.raises(ValueError, match=reason):
        read({"id": 1, "timestamp": 5}, record)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=5,
)
keys = st.sampled_from([column.name for column in ticket_events.COLUMNS]) | st.text(max_size=5)


@given(st.lists(st.dictionaries(keys, json_values, max_size=6), max_size=4))
def test_nothing_of_a_record_is_lost(records: list[dict[str, Any]]) -> None:
    """Law: whatever a record holds, each of its values is in its column or, as it was sent, in extra."""
    records = [{**record, "id": number, "time": "2026-01-01T00:00:00Z"} for number, record in enumerate(records)]
    columns = to_rows(read(*records), ticket_events.COLUMNS).columns
    for position, record in enumerate(records):
        extra = json.loads(columns["extra"][position] or b"{}")
        for key, value in record.items():
            if value is None and key in columns and key != "extra":
                continue
            in_column = key in columns and key not in {"extra", "late"} and columns[key][position] is not None
            assert in_column or value == extra[key]
            if isinstance(value, list | dict) and key != "via":
                kept = columns[key][position] if in_column else None
                assert value == (json.loads(kept) if isinstance(kept, bytes) else extra.get(key))
