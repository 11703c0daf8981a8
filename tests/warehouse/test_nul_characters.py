"""NUL characters, which PostgreSQL does not hold."""

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
    """One row of a text and a JSON."""
    return pa.record_batch({"text": pa.array([text], pa.string()), "json": pa.array([json_text], pa.string())})


@given(TEXTS, st.lists(TEXTS, max_size=3))
def test_each_becomes_the_replacement_character(text: str, texts: list[str]) -> None:
    """In text and in JSON, where it is an escape; escaped backslashes before u0000 are left as they are."""
    clean, replaced = replace_nul_characters(batch(text, json.dumps(texts)), {"json"})
    (row,) = clean.to_pylist()
    assert text.replace("\0", "\ufffd") == row["text"]
    assert [each.replace("\0", "\ufffd") for each in texts] == json.loads(row["json"])
    assert text.count("\0") + sum(each.count("\0") for each in texts) == replaced


def test_null_stays_null() -> None:
    """There is nothing in it."""
    assert (batch(None, None), 0) == replace_nul_characters(batch(None, None), {"json"})


@pytest.mark.parametrize("warehouse", ["postgres"], indirect=True)
def test_they_are_counted(
    warehouse: str, schema: str, store: Store, ask: Callable[[str], list[tuple[Any, ...]]]
) -> None:
    """And the load says so."""
    put(store, [event(1, via="a\0b", system={"client": "\0\\u0000"}), event(2)])
    report = load_slices(open_warehouse(warehouse, schema), store, "ticket_events", [DAY])
    assert ["2 NUL characters, which the warehouse cannot hold, became U+FFFD."] == report.warnings()
    assert [("a\ufffdb", {"client": "\ufffd\\u0000"})] == ask(
        "SELECT via, system FROM $schema.ticket_events WHERE id = 1"
    )
