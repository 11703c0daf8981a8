"""The views that people query."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from airflow_zendesk.storage.store import Store
from airflow_zendesk.warehouse.database import Database
from airflow_zendesk.warehouse.loading import load_slices
from tests.support.published import metric_event, put
from tests.support.slices import DAY, event

Query = Callable[[str], list[tuple[Any, ...]]]


def at(minutes: int) -> Any:
    """Return a time of the day."""
    return DAY.start + timedelta(minutes=minutes)


def change(field: str, value: Any, previous_value: Any, event_type: str = "Change") -> dict[str, Any]:
    """Return a child that changes one field."""
    return {"id": 5, "event_type": event_type, field: value, "previous_value": previous_value}


def test_field_history_has_a_row_for_each_changed_field(database: Database, store: Store, query: Query) -> None:
    """It has the shape that dbt packages for Zendesk expect. Custom fields are named by their number."""
    children = [
        {"id": 4, "event_type": "Create", "subject": 'Say "hi"'},
        change("status", "open", "new"),
        change("tags", ["a", "b"], None),
        change("custom_ticket_fields", {"1700": "gold", "1701": None}, {"1700": "free"}),
        change("custom_ticket_fields", {"1700": "gone"}, "gold"),
        change("custom_ticket_fields", {}, None),
        change("assignee_id", None, 12),
        {"id": 9, "event_type": "Comment", "body": "not a field"},
    ]
    put(store, [event(1, updater_id=-1, child_events=children), event(2)])
    load_slices(database, store, "ticket_events", [DAY])
    found = query(
        "SELECT ticket_id, field_name, replace(value, ', ', ','), previous_value, user_id, updated "
        "FROM $schema.ticket_field_history ORDER BY event_id, ordinal, field_name"
    )
    assert [
        (7, "subject", 'Say "hi"', None, -1, at(1)),
        (7, "status", "open", "new", -1, at(1)),
        (7, "tags", '["a","b"]', None, -1, at(1)),
        (7, "1700", "gold", "free", -1, at(1)),
        (7, "1701", None, None, -1, at(1)),
        (7, "1700", "gone", "gold", -1, at(1)),
        (7, "custom_ticket_fields", "{}", None, -1, at(1)),
        (7, "assignee_id", None, "12", -1, at(1)),
    ] == found


def test_comments_with_and_without_the_sideload(database: Database, store: Store, query: Query) -> None:
    """Without it they have no text."""
    children = [
        {"id": 21, "event_type": "Comment", "comment_present": True, "comment_public": False},
        {"id": 22, "event_type": "Comment", "author_id": 31, "body": "Hello\n<b>", "public": True},
        {"id": 23, "event_type": "Comment", "author_id": "x", "body": 5, "public": "no"},
    ]
    put(store, [event(1, updater_id=30, child_events=children)])
    load_slices(database, store, "ticket_events", [DAY])
    assert [
        (21, 7, 30, False, None, at(1)),
        (22, 7, 31, True, "Hello\n<b>", at(1)),
        (23, 7, 30, None, None, at(1)),
    ] == query("SELECT id, ticket_id, user_id, public, body, created FROM $schema.ticket_comments ORDER BY id")


def sla(minutes: Any, policy: str) -> dict[str, Any]:
    """Return an SLA target."""
    return {"target": minutes, "business_hours": False, "policy": {"id": 900, "title": policy}}


def test_breach_has_the_last_target_before_it(database: Database, store: Store, query: Query) -> None:
    """The target is of the same metric instance. A breach without a target has nulls."""
    records = [
        metric_event(1, "apply_sla", sla=sla(60, "Standard")),
        metric_event(2, "apply_sla", sla=sla(30, "Gold")),
        metric_event(3, "apply_sla", sla=sla(99, "Other clock"), instance_id=2),
        metric_event(4, "breach"),
        metric_event(5, "apply_sla", sla=sla(10, "After it")),
        metric_event(6, "breach", ticket_id=8),
        metric_event(7, "apply_group_sla", group_sla=sla(15, "Group"), ticket_id=9),
        metric_event(8, "breach", ticket_id=9),
        metric_event(9, "breach", ticket_id=9, deleted=True),
    ]
    put(store, records, resource="ticket_metric_events")
    load_slices(database, store, "ticket_metric_events", [DAY])
    assert [
        (7, "reply_time", 1, at(4), 30, False, 900, "Gold"),
        (8, "reply_time", 1, at(6), None, None, None, None),
        (9, "reply_time", 1, at(8), 15, False, 900, "Group"),
    ] == query(
        "SELECT ticket_id, metric, instance_id, breached_at, target_minutes, business_hours, policy_id, policy_title "
        "FROM $schema.sla_breaches ORDER BY event_id"
    )


def test_unreadable_values_are_counted(database: Database, store: Store, query: Query) -> None:
    """They are in the report and in a view, by part and slice. A value that does not fit its column is null."""
    children = [5, {"id": 1}, {"event_type": "Change", "a": 1, "b": 2}, change("status", "open", "new")]
    put(store, [event(1, child_events=children), event(2, child_events={})])
    records = [
        metric_event(1, "apply_sla", sla=sla("soon", "Gold")),
        metric_event(2, "apply_sla"),
        metric_event(3, "breach"),
    ]
    put(store, records, resource="ticket_metric_events")
    events = load_slices(database, store, "ticket_events", [DAY])
    metrics = load_slices(database, store, "ticket_metric_events", [DAY])
    assert [
        {"ticket_events.child_events": 1, "ticket_child_events.child_event": 2, "ticket_child_events.field_name": 1}
    ] == [each.unreadable for each in events.slices]
    assert [{"sla_targets.target_minutes": 2}] == [each.unreadable for each in metrics.slices]
    assert "2 values of sla_targets.target_minutes have a form that the views cannot read" in metrics.warnings()[0]
    assert [("ticket_events", 4), ("ticket_metric_events", 2)] == query(
        "SELECT resource, count(*) FROM $schema.unreadable GROUP BY resource ORDER BY resource"
    )
    assert [(None, "Gold"), (None, None)] == query(
        "SELECT target_minutes, policy_title FROM $schema.sla_targets ORDER BY id"
    )
