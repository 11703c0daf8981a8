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
        change("custom_ticket_fields", {"1702": 1, "1703": 2}, "of one of them"),
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
        (7, "1702", "1", None, -1, at(1)),
        (7, "1703", "2", None, -1, at(1)),
        (7, "custom_ticket_fields", "{}", None, -1, at(1)),
        (7, "assignee_id", None, "12", -1, at(1)),
    ] == found


def test_field_history_of_a_child_with_several_keys(database: Database, store: Store, query: Query) -> None:
    """Each changed field has a row; the previous value belongs to the ticket field. Other keys remove no row."""
    children = [
        change("status", "open", "new") | {"custom_status_id": 4044376, "rel": None, "updater_id": 5, "is_auto": True},
        change("tags", ["a"], []) | {"added_tags": ["a"], "removed_tags": []},
        {"id": 6, "group_id": 3, "previous_value": 2},
        change("360001", "gold", "tin") | {"is_new": True},
    ]
    put(store, [event(1, child_events=children)])
    load_slices(database, store, "ticket_events", [DAY])
    assert [
        (1, "custom_status_id", "4044376", None),
        (1, "is_auto", "true", None),
        (1, "status", "open", "new"),
        (2, "tags", '["a"]', "[]"),
        (3, "group_id", "3", "2"),
        (4, "360001", "gold", "tin"),
        (4, "is_new", "true", None),
    ] == query(
        "SELECT ordinal, field_name, value, previous_value FROM $schema.ticket_field_history ORDER BY 1, field_name"
    )


#: Children that have a text, and are not comments on the ticket.
MESSAGES = [
    {"event_type": "Notification", "subject": "s", "body": "b", "recipients": [1]},
    {"event_type": "NotificationWithCcs", "subject": "s", "body": "b", "recipients": [1]},
    {"event_type": "SMS", "body": "b", "phone_number": "1", "recipient_id": 7},
    {"event_type": "SatisfactionRating", "score": "good", "assignee_id": 8, "body": "b"},
    {"event_type": "WebhookEvent", "webhook_id": "w", "body": "{}", "status": 200},
    {"event_type": "KnowledgeLinked", "body": {"article": {}}, "author_id": 1},
    {"event_type": "CommentPrivacyChange", "comment_id": 5, "public": False},
    {"event_type": "CommentRedactionEvent", "comment_id": 5},
    {"event_type": "Create", "comment": "b"},
    ["comment_present"],
]


def test_comments_of_all_kinds(database: Database, store: Store, query: Query) -> None:
    """A child of another kind is a comment if it has a text by an author. Notifications and the like are not."""
    children = [
        {"id": 21, "event_type": "VoiceComment", "public": True, "author_id": 9, "body": "Call", "data": {}},
        {"id": 22, "event_type": "FacebookComment", "public": True, "author_id": 1, "body": "b", "html_body": "h"},
        {"id": 23, "event_type": "Tweet", "direct_message": False, "body": "Hi there", "recipients": [8]},
        {"id": 24, "event_type": "ChatMessage", "author_id": 9, "body": "In a chat"},
        {"id": 25, "author_id": 9, "body": "Without a kind"},
        {"id": 26, "comment_present": True, "comment_public": False},
        # Private, without the texts that a dataset does not keep.
        {"id": 27, "author_id": 9, "public": False},
        {"id": 28, "event_type": "ChatMessage", "author_id": 9, "public": False},
        *MESSAGES,
    ]
    put(store, [event(1, updater_id=30, child_events=children)])
    (slice_,) = load_slices(database, store, "ticket_events", [DAY]).slices
    assert [
        (21, "VoiceComment", 9, True, "Call"),
        (22, "FacebookComment", 1, True, "b"),
        (23, "Tweet", 30, None, "Hi there"),
        (24, "ChatMessage", 9, None, "In a chat"),
        (25, None, 9, None, "Without a kind"),
        (26, None, 30, False, None),
        (27, None, 9, False, None),
        (28, "ChatMessage", 9, False, None),
    ] == query("SELECT id, event_type, user_id, public, body FROM $schema.ticket_comments ORDER BY id")
    assert {"ticket_child_events.child_event": 1} == slice_.unreadable


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
        (7, "reply_time", 1, at(4), 30, False, "900", "Gold"),
        (8, "reply_time", 1, at(6), None, None, None, None),
        (9, "reply_time", 1, at(8), 15, False, "900", "Group"),
    ] == query(
        "SELECT ticket_id, metric, instance_id, breached_at, target_minutes, business_hours, policy_id, policy_title "
        "FROM $schema.sla_breaches ORDER BY event_id"
    )


def test_sla_targets_in_seconds_with_text_ids_and_removed(database: Database, store: Store, query: Query) -> None:
    """A removed target has nulls and is not unreadable."""
    seconds = {"target": 1, "target_in_seconds": 90, "policy": {"id": "01JGROUP", "title": "Group"}}
    records = [
        metric_event(1, "apply_sla", sla=sla(60, "Standard")),
        metric_event(2, "apply_sla", sla=None),
        metric_event(3, "breach"),
        metric_event(4, "apply_group_sla", group_sla=seconds, ticket_id=8),
        metric_event(5, "breach", ticket_id=8),
        metric_event(6, "apply_sla", sla={"target_in_seconds": 150}, ticket_id=9),
        metric_event(7, "apply_sla", sla={"target": 10**17, "target_in_seconds": 1.5}, ticket_id=9),
    ]
    put(store, records, resource="ticket_metric_events")
    (slice_,) = load_slices(database, store, "ticket_metric_events", [DAY]).slices
    assert [
        (1, 60, 3600, "900", False),
        (2, None, None, None, True),
        (4, 1, 90, "01JGROUP", False),
        (6, 2, 150, None, False),
        (7, None, None, None, False),
    ] == query("SELECT id, target_minutes, target_seconds, policy_id, is_removed FROM $schema.sla_targets ORDER BY id")
    assert [(7, None, None), (8, 90, "01JGROUP")] == query(
        "SELECT ticket_id, target_seconds, policy_id FROM $schema.sla_breaches ORDER BY ticket_id"
    )
    assert {"sla_targets.target_minutes": 1} == slice_.unreadable


def test_unreadable_values_are_counted(database: Database, store: Store, query: Query) -> None:
    """They are in the report and in a view, by part and slice. A value that does not fit its column is null."""
    children = [5, {"id": 1}, {"event_type": "Change", "rel": 1}, change("status", "open", "new")]
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
    assert [{"sla_targets.target_minutes": 1}] == [each.unreadable for each in metrics.slices]
    assert "1 values of sla_targets.target_minutes have a form that the views cannot read" in metrics.warnings()[0]
    assert [("ticket_events", 4), ("ticket_metric_events", 1)] == query(
        "SELECT resource, count(*) FROM $schema.unreadable GROUP BY resource ORDER BY resource"
    )
    assert [(None, "Gold"), (None, None)] == query(
        "SELECT target_minutes, policy_title FROM $schema.sla_targets ORDER BY id"
    )
