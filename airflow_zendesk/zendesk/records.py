"""Records to columns: the JSON objects of a page become typed columns, without losing anything.

Objects and arrays keep the exact bytes that Zendesk sent. Unknown keys, and values whose type does not match their
column, go to ``extra``: a field that Zendesk adds never fails a run and never creates a column.

A page is decoded column by column: the raw values of one key, joined into one JSON array, need one call instead of one
per row. Only a column with a type mismatch is decoded again, value by value.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

#: One JSON object: the bytes of each value by key.
RawRecord = dict[str, msgspec.Raw]

#: How a value is read. ``unix`` are seconds since 1970 and ``iso8601`` is text: both become timestamps in microseconds.
#: ``json`` is kept as JSON text. ``via`` is a string, or the ``channel`` of an object.
Kind = Literal["int64", "unix", "iso8601", "string", "bool", "json", "via"]

#: Columns that are not simply the value of their key: the time, whether it was delivered late, and everything else.
TIMESTAMP, LATE, EXTRA = "timestamp", "late", "extra"

#: The keys of an event's time, in the order of preference.
EVENT_TIMES = (TIMESTAMP, "created_at", "time")
#: Keys of times in seconds since 1970; all others are ISO 8601.
_UNIX_KEYS = {TIMESTAMP, "generated_timestamp"}
_NULL = msgspec.Raw(b"null")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PER_SECOND = 1_000_000
#: Microseconds from 1970 to 9999, the range that every Parquet reader supports.
_TIMESTAMPS = range((datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH) // _MICROSECOND)

_Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_DECODERS: dict[Kind, msgspec.json.Decoder[list[Any]]] = {
    "int64": msgspec.json.Decoder(list[_Int64 | None]),
    "unix": msgspec.json.Decoder(list[_Int64 | None]),
    "iso8601": msgspec.json.Decoder(list[datetime | None]),
    "string": msgspec.json.Decoder(list[str | None]),
    "bool": msgspec.json.Decoder(list[bool | None]),
    "via": msgspec.json.Decoder(list[str | None]),
}
_OBJECT = msgspec.json.Decoder(RawRecord)


class Column(NamedTuple):
    """One column of a resource: its name, which is also Zendesk's key, and how it is read."""

    name: str
    kind: Kind
    nullable: bool = True


class Record(NamedTuple):
    """One object of a page: its id, its time in microseconds since 1970, and everything that was sent."""

    id: int
    timestamp: int
    raw: RawRecord

    @property
    def second(self) -> int:
        """The unix second in which it happened; Zendesk pages by seconds."""
        return self.timestamp // _PER_SECOND


@dataclass(frozen=True, slots=True)
class Rows:
    """Values by column name, and how often a key was unknown or a value had another type, by key."""

    columns: dict[str, list[Any]]
    unknown: Counter[str]
    type_mismatches: Counter[str]


def read_records(
    raws: Sequence[RawRecord], times: Sequence[str] = EVENT_TIMES, default: int | None = None
) -> list[Record]:
    """Find id and time of each record.

    Args:
        raws: the records.
        times: the keys of the time, in the order of preference.
        default: the time of all records, in microseconds since 1970, if they have none of their own.

    Raises:
        ValueError: a record has no integer ``id``, or no time; the message gives its position.
    """
    ids, _ = _decode("int64", [raw.get("id", _NULL) for raw in raws])
    timestamps = [default] * len(raws) if default is not None else _times(raws, times)
    records = []
    for position, (id_, timestamp, raw) in enumerate(zip(ids, timestamps, raws, strict=True)):
        if id_ is None:
            raise ValueError(f"record {position} has no integer id")
        if timestamp is None:
            raise ValueError(f"record {position} (id {id_}) has no readable {', '.join(times)}")
        records.append(Record(id_, timestamp, raw))
    return records


def to_rows(records: Sequence[Record], columns: Iterable[Column]) -> Rows:
    """Convert records to columns; ``late`` is left to the caller, who knows the slice."""
    read = [column for column in columns if column.name not in {LATE, EXTRA}]
    known = {column.name for column in read}
    raws = [record.raw for record in records]
    # Most pages have no other keys.
    present: set[str] = set().union(*raws)
    unknown = present - known
    extras: list[RawRecord] = [
        {key: value for key, value in raw.items() if key in unknown} if unknown else {} for raw in raws
    ]
    rows = Rows({}, Counter(chain.from_iterable(extras)), Counter())
    for column in read:
        if column.name not in present:
            rows.columns[column.name] = [None] * len(raws)
            continue
        rows.columns[column.name], type_mismatches = _decode(column.kind, [raw.get(column.name, _NULL) for raw in raws])
        for position, raw in type_mismatches.items():
            extras[position][column.name] = raw
            # The object form of via is not a mismatch: Zendesk uses both.
            if rows.columns[column.name][position] is None:
                rows.type_mismatches[column.name] += 1
    rows.columns[TIMESTAMP] = [record.timestamp for record in records]
    rows.columns[EXTRA] = [_json_object(extra) if extra else None for extra in extras]
    return rows


def _times(raws: Sequence[RawRecord], keys: Sequence[str]) -> list[int | None]:
    """The time of each record: the value of the first key that has one."""
    key, *others = keys
    times, _ = _decode("unix" if key in _UNIX_KEYS else "iso8601", [raw.get(key, _NULL) for raw in raws])
    missing = [position for position, time in enumerate(times) if time is None]
    if missing and others:
        for position, time in zip(missing, _times([raws[position] for position in missing], others), strict=True):
            times[position] = time
    return times


def _decode(kind: Kind, raws: list[msgspec.Raw]) -> tuple[list[Any], dict[int, msgspec.Raw]]:
    """Values, with None for null and for another type, and the mismatching values by position."""
    if kind == "json":
        return [None if (text := bytes(raw)) == b"null" else text for raw in raws], {}
    try:
        return _decode_column(kind, raws), {}
    except (msgspec.ValidationError, ValueError):
        return _decode_each(kind, raws)


def _decode_each(kind: Kind, raws: list[msgspec.Raw]) -> tuple[list[Any], dict[int, msgspec.Raw]]:
    values: list[Any] = []
    type_mismatches = {}
    for position, raw in enumerate(raws):
        try:
            values += _decode_column(kind, [raw])
        except (msgspec.ValidationError, ValueError):
            values.append(_channel(raw) if kind == "via" else None)
            type_mismatches[position] = raw
    return values, type_mismatches


def _decode_column(kind: Kind, raws: Iterable[msgspec.Raw]) -> list[Any]:
    values = _DECODERS[kind].decode(b"[" + b",".join(raws) + b"]")
    if kind == "unix":
        return [None if value is None else _in_range(value * _PER_SECOND) for value in values]
    if kind == "iso8601":
        return [None if value is None else _microseconds(value) for value in values]
    return values


def _microseconds(value: datetime) -> int:
    if value.tzinfo is None:
        raise ValueError("a time without a time zone")
    return _in_range((value - _EPOCH) // _MICROSECOND)


def _in_range(timestamp: int) -> int:
    if timestamp not in _TIMESTAMPS:
        raise ValueError("a time before 1970 or after 9999")
    return timestamp


def _channel(raw: msgspec.Raw) -> str | None:
    try:
        (channel,) = _DECODERS["string"].decode(b"[" + _OBJECT.decode(raw).get("channel", _NULL) + b"]")
    except msgspec.ValidationError:
        return None
    return channel if isinstance(channel, str) else None


def _json_object(members: RawRecord) -> bytes:
    """The members as JSON text, sorted by key so that equal rows are equal bytes."""
    return b"{" + b",".join(msgspec.json.encode(key) + b":" + members[key] for key in sorted(members)) + b"}"
