"""The schemas, written out: a change here is a change for everybody's warehouse."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.dataset.schema import arrow_schema, to_batch
from airflow_zendesk.zendesk.records import Column
from airflow_zendesk.zendesk.resources import RESOURCES

TIMESTAMP = pa.timestamp("us", tz="UTC")
EXPECTED = {
    "ticket_events": pa.schema(
        [
            pa.field("id", pa.int64(), nullable=False),
            pa.field("timestamp", TIMESTAMP, nullable=False),
            pa.field("ticket_id", pa.int64()),
            pa.field("created_at", TIMESTAMP),
            pa.field("updater_id", pa.int64()),
            pa.field("via", pa.string()),
            pa.field("event_type", pa.string()),
            pa.field("system", pa.string()),
            pa.field("metadata", pa.string()),
            pa.field("merged_ticket_ids", pa.string()),
            pa.field("child_events", pa.string()),
            pa.field("instance_id", pa.int64()),
            pa.field("metric", pa.string()),
            pa.field("type", pa.string()),
            pa.field("time", TIMESTAMP),
            pa.field("late", pa.bool_(), nullable=False),
            pa.field("extra", pa.string()),
        ]
    ),
    "ticket_metric_events": pa.schema(
        [
            pa.field("id", pa.int64(), nullable=False),
            pa.field("ticket_id", pa.int64()),
            pa.field("instance_id", pa.int64()),
            pa.field("metric", pa.string()),
            pa.field("type", pa.string()),
            pa.field("time", TIMESTAMP),
            pa.field("timestamp", TIMESTAMP, nullable=False),
            pa.field("deleted", pa.bool_()),
            pa.field("sla", pa.string()),
            pa.field("group_sla", pa.string()),
            pa.field("status", pa.string()),
            pa.field("late", pa.bool_(), nullable=False),
            pa.field("extra", pa.string()),
        ]
    ),
}


@pytest.mark.parametrize("resource", EXPECTED)
def test_schema_is_fixed(resource: str) -> None:
    """Column by column, in order."""
    assert EXPECTED[resource] == arrow_schema(RESOURCES[resource].columns)


def test_every_export_has_a_schema_here() -> None:
    """A new export of events is written out above before it ships."""
    assert EXPECTED.keys() == {name for name, resource in RESOURCES.items() if not resource.is_state}


def test_objects_have_a_time_and_no_name_twice() -> None:
    """All resources whose objects change have the same columns at both ends."""
    for name, resource in RESOURCES.items():
        names = [column.name for column in resource.columns]
        assert len(names) == len(set(names)), name
        if resource.is_state:
            assert ["id", "timestamp", "created_at", "updated_at"] == names[:4]
            assert ["late", "extra"] == names[-2:]


SCHEMA = arrow_schema((Column("n", "int64"), Column("s", "string"), Column("b", "bool"), Column("j", "json")))
texts = st.text(st.characters(codec="utf-8"))
rows = st.lists(
    st.tuples(
        st.none() | st.integers(-(2**63), 2**63 - 1), st.none() | texts, st.none() | st.booleans(), st.none() | texts
    )
)


@given(rows)
def test_values_become_arrow_unchanged(rows: list[tuple[int | None, str | None, bool | None, str | None]]) -> None:
    """Law: what goes into a batch is what comes out, nulls and empty texts and NUL included."""
    numbers, strings, booleans, json_texts = ([row[i] for row in rows] for i in range(4))
    as_bytes = [text.encode() if isinstance(text, str) else None for text in json_texts]
    batch = to_batch({"n": numbers, "s": strings, "b": booleans, "j": as_bytes}, SCHEMA)
    batch.validate(full=True)
    assert {"n": numbers, "s": strings, "b": booleans, "j": json_texts} == batch.to_pydict()
