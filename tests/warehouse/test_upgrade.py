"""A load into tables that an earlier version created: they are upgraded, and keep their rows."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_zendesk.dataset.layout import slice_key
from airflow_zendesk.dataset.publish import stored_footer
from airflow_zendesk.dataset.schema import SCHEMA_VERSION
from airflow_zendesk.dataset.settings import to_builtins
from airflow_zendesk.exceptions import WarehouseRefusedError
from airflow_zendesk.storage.store import Store
from airflow_zendesk.warehouse.database import Database
from airflow_zendesk.warehouse.loading import load_slices
from tests.support.published import NEXT_DAY, RECORDS, put
from tests.support.slices import DAY, event

Query = Callable[[str], list[tuple[Any, ...]]]

#: The earlier version had no row in the field history for this child.
CHILD = {"id": 5, "event_type": "Change", "status": "open", "custom_status_id": 12, "previous_value": "new"}
SLA = {"target": 60, "target_in_seconds": 3600, "business_hours": False, "policy": {"id": "01GROUP", "title": "Group"}}
FIELD_HISTORY = [("custom_status_id", "12", None), ("status", "open", "new")]


@pytest.fixture
def earlier(database: Database, store: Store, query: Query) -> Database:
    """A warehouse that the earlier version created and loaded with the day, and a user's column."""
    put(store, [event(1, child_events=[CHILD])])
    for statement in (
        (Path(__file__).parent / "earlier_version" / f"{database.dialect_name}.sql").read_text().split(";\n")
    ):
        if statement.strip():
            query(statement)
    footer = stored_footer(store, slice_key("ticket_events", DAY))
    start, end = (f"CAST('{instant.isoformat()}' AS timestamptz)" for instant in (DAY.start, DAY.end))
    settings = json.dumps(to_builtins(RECORDS["ticket_events"]))
    inserts = {
        'ticket_events (id, ticket_id, "timestamp", child_events, late, slice_start)': (
            f"1, 7, {start}, '{json.dumps([CHILD])}', false, {start}"
        ),
        'ticket_events_doubles (id, ticket_id, "timestamp", late, slice_start)': f"9, 7, {start}, false, {start}",
        "ticket_child_events (event_id, ordinal, child_id, event_type, previous_value, child_event)": (
            f"1, 1, 5, 'Change', '\"new\"', '{json.dumps(CHILD)}'"
        ),
        'ticket_metric_events (id, ticket_id, "timestamp", type, group_sla, late, slice_start)': (
            f"1, 7, {start}, 'apply_group_sla', '{json.dumps(SLA)}', false, {start}"
        ),
        "loaded_slices": f"'ticket_events', {start}, {end}, 'uri', '{footer.digest}', {footer.rows}, {end}",
        "loaded_datasets": f"'ticket_events', '{settings}', '{SCHEMA_VERSION}', 'digest of other views'",
    }
    for table, values in inserts.items():
        query(f"INSERT INTO $schema.{table} VALUES ({values})")
    query("UPDATE $schema.loaded_slices SET rows = 2")
    query("ALTER TABLE $schema.ticket_child_events ADD COLUMN mine integer")
    return database


def test_tables_of_an_earlier_version_are_upgraded(earlier: Database, store: Store, query: Query, schema: str) -> None:
    """Children are read again, views are replaced, and the table of duplicates has its new name and its row."""
    put(store, [], NEXT_DAY)
    load_slices(earlier, store, "ticket_events", [NEXT_DAY])
    history = "SELECT field_name, value, previous_value FROM $schema.ticket_field_history ORDER BY 1"
    assert FIELD_HISTORY == query(history)
    assert [("01GROUP", 60, 3600)] == query("SELECT policy_id, target_minutes, target_seconds FROM $schema.sla_targets")
    assert [(0,)] == query("SELECT count(*) FROM $schema.unreadable")
    assert [(9,)] == query("SELECT id FROM $schema.ticket_events_duplicates")
    assert [(0,)] == query(
        "SELECT count(*) FROM information_schema.tables "
        f"WHERE table_name = 'ticket_events_doubles' AND table_schema = '{schema}'"
    )
    put(store, [event(1, child_events=[CHILD, CHILD]), event(2)])
    load_slices(earlier, store, "ticket_events", [DAY])
    assert sorted(FIELD_HISTORY * 2) == sorted(query(history))
    assert [(4,)] == query("SELECT count(*) FROM $schema.ticket_child_events WHERE mine IS NULL")


@pytest.mark.parametrize("warehouse", ["postgres"], indirect=True)
@pytest.mark.usefixtures("warehouse")
def test_upgrade_that_a_view_of_the_user_blocks_is_reported(earlier: Database, store: Store, query: Query) -> None:
    """PostgreSQL cannot change the type of a column that another view reads; nothing is changed."""
    query("CREATE VIEW $schema.mine AS SELECT policy_id FROM $schema.sla_targets")
    with pytest.raises(
        WarehouseRefusedError, match=r"cannot drop view .*sla_targets because other objects depend on it"
    ):
        load_slices(earlier, store, "ticket_events", [DAY])
    assert [(9,)] == query("SELECT id FROM $schema.ticket_events_doubles")
    query("DROP VIEW $schema.mine")
    load_slices(earlier, store, "ticket_events", [DAY])
    assert [(2,)] == query("SELECT count(*) FROM $schema.ticket_field_history")
