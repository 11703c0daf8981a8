"""The columns of a resource as Arrow types. Nothing is inferred: an export of any day has the same schema."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from airflow_zendesk.exceptions import NewerSchemaError
from airflow_zendesk.zendesk.records import Column, Kind

#: The version of the format, in the footer of each file; docs/upgrading.md has the rules for its parts.
SCHEMA_VERSION = "1.0"

_TIMESTAMP = pa.timestamp("us", tz="UTC")
_TYPES: dict[Kind, pa.DataType] = {
    "int64": pa.int64(),
    "unix": _TIMESTAMP,
    "iso8601": _TIMESTAMP,
    "string": pa.string(),
    "via": pa.string(),
    "json": pa.string(),
    "bool": pa.bool_(),
}


def version_parts(version: str) -> tuple[int, ...]:
    """The numbers of a version, in the order of their weight; raises ``ValueError`` if it is not a version."""
    return tuple(int(part) for part in version.split("."))


def refuse_newer(uri: str, version: str) -> None:
    """Raise ``NewerSchemaError`` for an object of a newer format, and ``ValueError`` if it is not a version."""
    if version_parts(version) > version_parts(SCHEMA_VERSION):
        raise NewerSchemaError(uri, version, SCHEMA_VERSION)


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """The Arrow schema of a resource's columns."""
    return pa.schema([pa.field(column.name, _TYPES[column.kind], column.nullable) for column in columns])


def to_batch(columns: Mapping[str, Sequence[Any]], schema: pa.Schema) -> pa.RecordBatch:
    """Columns of Python values as one batch; text may be UTF-8 bytes, timestamps are microseconds."""
    return pa.record_batch([_array(columns[field.name], field.type) for field in schema], schema=schema)


def _array(values: Sequence[Any], type_: pa.DataType) -> pa.Array:
    """Built from buffers, because ``pa.array`` imports pandas to check whether it was given a pandas object."""
    # Counting is several times faster than a look at each value, and most columns have no null, or only nulls.
    nulls = values.count(None)
    if nulls == len(values):
        return pa.nulls(nulls, type_)
    valid = _bits([value is not None for value in values]) if nulls else None
    if pa.types.is_boolean(type_):
        buffers = [valid, _bits([bool(value) for value in values])]
    elif pa.types.is_string(type_):
        texts = [value.encode() if isinstance(value, str) else value or b"" for value in values]
        offsets = np.zeros(len(texts) + 1, np.int32)
        np.cumsum(np.fromiter(map(len, texts), np.int32, len(texts)), out=offsets[1:])
        buffers = [valid, pa.py_buffer(offsets), pa.py_buffer(b"".join(texts))]
    else:
        numbers = np.array([0 if value is None else value for value in values] if valid else values, np.int64)
        buffers = [valid, pa.py_buffer(numbers)]
    return pa.Array.from_buffers(type_, len(values), buffers)


def _bits(flags: Sequence[bool]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(np.array(flags, np.bool_), bitorder="little"))
