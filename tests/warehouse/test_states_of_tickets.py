"""The tickets that are exported are the sum of the events that are exported."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from airflow_zendesk.export.run import export_window
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.storage.store import Store
from airflow_zendesk.warehouse.database import Database
from airflow_zendesk.warehouse.loading import load_slices
from airflow_zendesk.window import DEFAULT_GRAIN, Window
from airflow_zendesk.zendesk.resources import Query

OPENED = datetime(2026, 1, 1, tzinfo=UTC)
MONTH = Window(OPENED, OPENED + timedelta(days=30))
#: Fields of a ticket that its events set.
FIELDS = ("status", "priority", "type", "group_id", "assignee_id")


def test_the_state_of_every_ticket_is_the_sum_of_its_events(
    database: Database, store: Store, query: Callable[[str], list[tuple[Any, ...]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty days of a new desk: each ticket has the last value of each field in its history."""
    clock = (OPENED + timedelta(days=60)).timestamp
    with ZendeskEmulator(Simulator(events_per_day=400, opened=OPENED), clock=clock) as emulator:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", json.dumps(emulator.connection()))
        for resource in ("ticket_events", "tickets"):
            export_window(ZendeskHook(), store, Query.of(resource), MONTH)
            load_slices(database, store, resource, DEFAULT_GRAIN.slices(MONTH))
        current = emulator.expected_objects("tickets", OPENED + timedelta(days=60))
    ids = {id_ for id_, second in current.items() if second < MONTH.end_time}
    assert ids == {id_ for (id_,) in query("SELECT id FROM $schema.tickets")}
    assert len(ids) > 1_000
    history = """
        SELECT ticket_id, field_name, value FROM (
            SELECT *, row_number() OVER (
                PARTITION BY ticket_id, field_name ORDER BY updated DESC, event_id DESC, ordinal DESC
            ) AS place
            FROM $schema.ticket_field_history
        ) AS changes WHERE place = 1
    """
    last = {(ticket, field): value for ticket, field, value in query(history)}
    for field in FIELDS:
        states = query(f"SELECT id, CAST({field} AS varchar) FROM $schema.tickets")
        assert [] == [(id_, value) for id_, value in states if (last.get((id_, field)) or None) != (value or None)], (
            field
        )
