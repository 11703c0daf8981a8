"""Replaces NUL characters, which Parquet and JSON can contain but PostgreSQL's text and jsonb cannot.

jsonb rejects the escape of NUL too: https://www.postgresql.org/docs/current/datatype-json.html
"""

import re

import pyarrow as pa
import pyarrow.compute as pc

_REPLACEMENT = "\ufffd"
#: The escape of NUL in JSON, whose backslash is not itself escaped.
_ESCAPED = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def replace_nul_characters(batch: pa.RecordBatch, json_columns: set[str]) -> tuple[pa.RecordBatch, int]:
    """Return the batch with each NUL replaced by U+FFFD, and the number of replacements."""
    columns, replaced = [], 0
    for field, column in zip(batch.schema, batch.columns, strict=True):
        if pa.types.is_string(field.type):
            column, found = (_in_json if field.name in json_columns else _in_text)(column)  # noqa: PLW2901
            replaced += found
        columns.append(column)
    return pa.record_batch(columns, schema=batch.schema), replaced


def _in_text(column: pa.Array) -> tuple[pa.Array, int]:
    found = pc.sum(pc.count_substring(column, "\0")).as_py() or 0
    return (pc.replace_substring(column, "\0", _REPLACEMENT) if found else column), found


def _in_json(column: pa.Array) -> tuple[pa.Array, int]:
    if not pc.any(pc.match_substring(column, r"\u0000")).as_py():
        return column, 0
    found = 0
    texts = []
    for text in column.to_pylist():
        if text is not None:
            text, times = _ESCAPED.subn(rf"\1{_REPLACEMENT}", text)  # noqa: PLW2901
            found += times
        texts.append(text)
    return pa.array(texts, pa.string()), found
