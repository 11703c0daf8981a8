import re
from collections import Counter
from typing import Any

from airflow_zendesk.emulator import Simulator
from airflow_zendesk.emulator.lifecycle import events_of
from airflow_zendesk.emulator.metrics import metric_events_of
from airflow_zendesk.emulator.serialization import iso_time, serialize_metric_event, serialize_ticket_event
from airflow_zendesk.emulator.ticket import Ticket, TicketEvent, random_bytes

NEW_YEAR = 1_767_225_600  # 2026-01-01T00:00:00Z
DAY = 86_400

TICKET = Ticket.of(5, NEW_YEAR + 36_000, random_bytes(1, 5))  # its lifecycle is listed in test_lifecycle.py
CREATED, TRIAGED, ASSIGNED, NOTED, *_ = events_of(TICKET)


def one_day(*, with_comments: bool) -> list[dict[str, Any]]:
    """Return the serialized events of a day."""
    events = Simulator().events("ticket_events", NEW_YEAR, NEW_YEAR + DAY)
    return [
        serialize_ticket_event(event, with_comments=with_comments) for event in events if isinstance(event, TicketEvent)
    ]


def test_change_by_an_agent() -> None:
    """The key is the name of the changed field; ids are text, as in audits."""
    assert {
        "id": 10_000_000_005_152,
        "ticket_id": 11,
        "timestamp": 1_767_263_112,
        "created_at": "2026-01-01T10:25:12Z",
        "updater_id": 21_900_000_047_030,
        "via": "Web form",
        "system": {
            "client": "Zendesk for Mobile/1.0 (example)",
            "location": "Frankfurt am Main, HE, Germany",
            "latitude": 50.11,
            "longitude": 8.68,
        },
        "event_type": "Audit",
        "child_events": [
            {
                "id": 10_000_000_005_153,
                "via": "Web form",
                "via_reference_id": None,
                "assignee_id": "21900000047030",
                "event_type": "Change",
                "previous_value": None,
            },
            {
                "id": 10_000_000_005_154,
                "via": "Web form",
                "via_reference_id": None,
                "group_id": "21900000700013",
                "event_type": "Change",
                "previous_value": None,
            },
            {
                "id": 10_000_000_005_155,
                "via": "Web form",
                "via_reference_id": None,
                "status": "open",
                "custom_status_id": 21_900_000_800_001,
                "event_type": "Change",
                "previous_value": "new",
            },
        ],
    } == serialize_ticket_event(ASSIGNED, with_comments=False)


def test_change_by_a_rule() -> None:
    """The updater is -1, and via_reference_id is the rule; the previous value of tags is a list."""
    item = serialize_ticket_event(TRIAGED, with_comments=False)

    assert (-1, "Rule", {}) == (item["updater_id"], item["via"], item["system"])
    assert [
        {
            "id": 10_000_000_005_137,
            "via": "Rule",
            "via_reference_id": 21_900_000_300_001,
            "custom_ticket_fields": {"21900000500001": "standard"},
            "event_type": "Change",
            "previous_value": None,
        },
        {
            "id": 10_000_000_005_138,
            "via": "Rule",
            "via_reference_id": 21_900_000_300_001,
            "tags": ("invoice", "standard"),
            "added_tags": ["standard"],
            "removed_tags": [],
            "event_type": "Change",
            "previous_value": ("invoice",),
        },
    ] == item["child_events"]


def test_first_event_contains_the_initial_values() -> None:
    """A Create has no previous value."""
    children = serialize_ticket_event(CREATED, with_comments=False)["child_events"]

    assert {
        "id": 10_000_000_005_121,
        "via": "Web form",
        "via_reference_id": None,
        "subject": "Where is order EX-40005?",
        "event_type": "Create",
    } == children[0]
    assert ["Create"] * 7 + ["Comment"] == [child["event_type"] for child in children]


def test_removed_tag_is_listed() -> None:
    """Next to the remaining tags and the previous ones."""
    children = (child for item in one_day(with_comments=False) for child in item["child_events"])
    child = next(child for child in children if child.get("removed_tags"))

    assert (["escalated"], []) == (child["removed_tags"], child["added_tags"])
    assert {*child["tags"], "escalated"} == set(child["previous_value"])


def test_kinds_of_children_in_one_day() -> None:
    """Besides fields and comments there are the other kinds that recordings show, each with its own keys."""
    children = [child for item in one_day(with_comments=False) for child in item["child_events"]]
    keys = {child["event_type"]: child.keys() - {"id", "via", "via_reference_id", "event_type"} for child in children}

    assert {
        "Cc": {"recipients"},
        "ChatEndedEvent": {"value"},
        "ChatStartedEvent": {"value"},
        "Comment": {"comment_present", "comment_public"},
        "External": {"resource", "body"},
        "FacebookComment": {
            "public", "author_id", "body", "html_body", "data", "graph_object_id", "trusted", "attachments",
        },
        "Notification": {"subject", "body", "recipients"},
        "NotificationWithCcs": {"subject", "body", "recipients"},
        "SatisfactionRating": {"score", "assignee_id", "body"},
        "TicketSharingEvent": {"agreement_id", "action"},
        "Tweet": {"direct_message", "body", "recipients"},
        "VoiceComment": {"public", "author_id", "body", "data"},
        "WebhookEvent": {"webhook_id", "body", "status"},
    } == {kind: found for kind, found in keys.items() if kind not in ("Create", "Change")}  # fmt: skip


def test_via_of_a_triggered_notification_is_an_object() -> None:
    """It names the trigger; other children have the label of the event."""
    children = [child for item in one_day(with_comments=False) for child in item["child_events"]]
    with_object = [child for child in children if isinstance(child["via"], dict)]

    assert {"Notification", "NotificationWithCcs", "WebhookEvent"} == {child["event_type"] for child in with_object}
    assert {
        "channel": "rule",
        "source": {"from": {"id": 21_900_000_300_003, "title": "Notify the customer"}, "to": {}, "rel": "trigger"},
    } == with_object[0]["via"]
    assert 21_900_000_300_003 == with_object[0]["via_reference_id"]


def test_some_statuses_have_a_custom_status() -> None:
    """Others have none, so the key is optional."""
    children = [child for item in one_day(with_comments=False) for child in item["child_events"]]
    statuses = {(child["status"], "custom_status_id" in child) for child in children if "status" in child}

    assert {("open", True), ("hold", True), ("new", False), ("pending", False), ("solved", False)} <= statuses


def test_comment_without_the_sideload_is_two_booleans() -> None:
    """They say that there is a comment, and whether it is public; there is no metadata."""
    item = serialize_ticket_event(NOTED, with_comments=False)

    assert {
        "id": 10_000_000_005_169,
        "via": "Web form",
        "via_reference_id": None,
        "event_type": "Comment",
        "comment_present": True,
        "comment_public": False,
    } == item["child_events"][0]
    assert "metadata" not in item


def test_comment_with_the_sideload_is_complete() -> None:
    """It has the text in three forms, the channel as an object, and metadata."""
    item = serialize_ticket_event(NOTED, with_comments=True)

    assert {
        "id": 10_000_000_005_169,
        "via": {"channel": "web", "source": {"from": {}, "to": {}, "rel": None}},
        "via_reference_id": None,
        "event_type": "Comment",
        "type": "Comment",
        "author_id": 21_900_000_047_030,
        "body": "Called the depot about EX-40005: shelf 14. Customer not informed yet.",
        "html_body": '<div class="zd-comment" dir="auto">Called the depot about EX-40005: shelf 14. '
        "Customer not informed yet.</div>",
        "plain_body": "Called the depot about EX-40005: shelf 14. Customer not informed yet.",
        "public": False,
        "attachments": [],
        "audit_id": 10_000_000_005_168,
        "created_at": "2026-01-01T10:25:12Z",
    } == item["child_events"][0]
    assert {} == item["metadata"]


def test_metric_event() -> None:
    """Its time is text, and there is no timestamp."""
    status = next(event for event in metric_events_of(TICKET) if event.type == "update_status")

    assert {
        "id": status.id,
        "ticket_id": 11,
        "metric": "agent_work_time",
        "instance_id": 1,
        "type": "update_status",
        "time": "2026-01-01T10:25:12Z",
        "deleted": False,
        "status": {"calendar": 25, "business": 25},
    } == serialize_metric_event(status, NEW_YEAR)


def test_time_has_zendesks_format() -> None:
    """UTC, to the second, with a trailing Z."""
    assert "2024-02-15T16:23:07Z" == iso_time(1_708_014_187)


def test_one_day_contains_every_shape() -> None:
    """A test with a day of events covers each recorded shape."""
    items = one_day(with_comments=True)
    comments = [child for item in items for child in item["child_events"] if child["event_type"] == "Comment"]
    systems = Counter(tuple(item["system"].values()) for item in items)

    assert {"Web form", "Email", "Chat Transcript", "Mobile", "API", "Rule"} == {item["via"] for item in items}
    assert {dict, str} == {type(comment["via"]) for comment in comments}
    assert {True, False} == {comment["public"] for comment in comments}
    assert any(comment["attachments"] for comment in comments)
    assert {(), (None,) * 4} < set(systems)
    assert any("merged_ticket_ids" in item for item in items)
    assert not all(comment["body"].isascii() for comment in comments)


def test_one_week_contains_every_status() -> None:
    """Including deleted tickets. Only fields count: a WebhookEvent also has a `status`, that of its response."""
    events = Simulator().events("ticket_events", NEW_YEAR, NEW_YEAR + 7 * DAY)
    items = [serialize_ticket_event(event, with_comments=False) for event in events if isinstance(event, TicketEvent)]
    changes = [child for item in items for child in item["child_events"] if child["event_type"] in ("Create", "Change")]
    statuses = {child["status"] for child in changes if "status" in child}

    assert {"new", "open", "pending", "hold", "solved", "closed", "deleted"} == statuses


def test_email_addresses_are_in_reserved_domains() -> None:
    """The domains are reserved for examples, so no address is real."""
    addresses = re.findall(r"[\w.-]+@([\w.-]+)", repr(one_day(with_comments=True)))

    assert {"example.com", "example.org"} == set(addresses)
