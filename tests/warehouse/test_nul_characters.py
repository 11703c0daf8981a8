"""NUL characters, which PostgreSQL cannot store."""

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.storage.store import Store
from airflow_zendesk.warehouse.loading import load_slices, open_warehouse
from airflow_zendesk.warehouse.nul_characters import replace_nul_characters
from tests.support.published import put
from tests.support.slices import DAY, event

TEXTS = st.text(st.sampled_from('\0\\u0a"é'), max_size=12)


def batch(text: str | None, json_text: str | None) -> pa.RecordBatch:
    """Return a batch of one row, with a text and a JSON column."""
    return pa.record_batch({"text": pa.array([text], pa.string()), "json": pa.array([json_text], pa.string())})


@given(TEXTS, st.lists(TEXTS, max_size=3))
def test_each_nul_becomes_the_replacement_character(text: str, texts: list[str]) -> None:
    """In JSON, NUL is an escape. An escaped backslash before u0000 is not changed."""
    clean, replaced = replace_nul_characters(batch(text, json.dumps(texts)), {"json"})
    (row,) = clean.to_pylist()
    assert text.replace("\0", "\ufffd") == row["text"]
    assert [each.replace("\0", "\ufffd") for each in texts] == json.loads(row["json"])
    assert text.count("\0") + sum(each.count("\0") for each in texts) == replaced


def test_null_stays_null() -> None:
    """Nothing is replaced."""
    assert (batch(None, None), 0) == replace_nul_characters(batch(None, None), {"json"})


@pytest.mark.parametrize("warehouse", ["postgres"], indirect=True)
def test_replaced_nul_characters_are_counted(
    warehouse: str, schema: str, store: Store, query: Callable[[str], list[tuple[Any, ...]]]
) -> None:
    """The load has a warning."""
    put(store, [event(1, via="a\0b", system={"client": "\0\\u0000"}), event(2)])
    report = load_slices(open_warehouse(warehouse, schema), store, "ticket_events", [DAY])
    assert ["2 NUL characters were replaced by U+FFFD, because the warehouse cannot store them."] == report.warnings()
    assert [("a\ufffdb", {"client": "\ufffd\\u0000"})] == query(
        "SELECT via, system FROM $schema.ticket_events WHERE id = 1"
    )
