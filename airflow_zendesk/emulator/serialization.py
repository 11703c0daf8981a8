"""The JSON shapes of the exports, as recorded from real accounts.

The reference page shows the metric shape for `ticket_events` too; real responses have the audit-like shape below. See
https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape

from airflow_zendesk.emulator import fixtures
from airflow_zendesk.emulator.messages import Json
from airflow_zendesk.emulator.metrics import MetricEvent
from airflow_zendesk.emulator.simulator import Event
from airflow_zendesk.emulator.ticket import IDS_PER_EVENT, Activity, Change, Child, Comment, Create, TicketEvent

#: Text is not escaped to ASCII, as in Zendesk's responses.
encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode

#: The sideload turns labels into objects. A label that is missing here stays text, as seen on real accounts.
CHANNELS = {"Web form": "web", "Email": "email", "Mobile": "mobile", "API": "api"}
_NULL_SYSTEM: Json = {"client": None, "location": None, "latitude": None, "longitude": None}


def encode_page(resource: str, items: Iterable[Json], envelope: Json) -> str:
    """Return the body of one page. Items are encoded one by one, because a thousand at once slow garbage collection."""
    rest = encode(envelope)[1:]
    return f'{{"{resource}":[{",".join(map(encode, items))}]{"," if envelope else ""}{rest}'


def serialize_event(event: Event, now: int, *, with_comments: bool) -> Json:
    """Return one item of an export of events, as of now."""
    if isinstance(event, MetricEvent):
        return serialize_metric_event(event, now)
    return serialize_ticket_event(event, with_comments=with_comments)


def serialize_ticket_event(event: TicketEvent, *, with_comments: bool) -> Json:
    """Return one item of `ticket_events`; the sideload `comment_events` adds the full comments."""
    item: Json = {
        "id": event.id,
        "ticket_id": event.ticket_id,
        "timestamp": event.timestamp,
        "created_at": iso_time(event.timestamp),
        "updater_id": event.author.updater_id,
        "via": event.author.via,
        "system": _system(event),
        "event_type": "Audit",
        "child_events": [
            _child(event, child, event.id + number, with_comments=with_comments)
            for number, child in enumerate(event.children, start=1)
        ],
    }
    if event.merged_ticket_ids:
        item["merged_ticket_ids"] = event.merged_ticket_ids
    if with_comments:
        item["metadata"] = {}
    return item


def serialize_metric_event(event: MetricEvent, now: int) -> Json:
    """Return one item of `ticket_metric_events` as of now: its time is text only, there is no integer timestamp."""
    return {
        "id": event.id,
        "ticket_id": event.ticket_id,
        "metric": event.metric,
        "instance_id": event.instance_id,
        "type": event.type,
        "time": iso_time(event.timestamp),
        "deleted": event.deleted_at is not None and event.deleted_at <= now,
        **event.details,
    }


def iso_time(timestamp: int) -> str:
    """Return a time in Zendesk's format: UTC, to the second."""
    return datetime.fromtimestamp(timestamp, UTC).isoformat()[:19] + "Z"


def _child(event: TicketEvent, child: Child, child_id: int, *, with_comments: bool) -> Json:
    """Return one item of `child_events`: the key is the name of the changed field."""
    item: Json = {"id": child_id, "via": event.author.via, "via_reference_id": event.author.rule_id}
    if isinstance(child, Activity):
        return item | {"event_type": child.event_type, **child.details, **_rule(child.rule_id)}
    if isinstance(child, Comment):
        item["event_type"] = "Comment"
        if with_comments:
            return item | _full_comment(event, child)
        return item | {"comment_present": True, "comment_public": child.public}
    item |= _field(child)
    item["event_type"] = "Create" if isinstance(child, Create) else "Change"
    if isinstance(child, Change):
        item["previous_value"] = child.previous_value
    return item


def _field(child: Create | Change) -> Json:
    """Return the new value under the field's name, with the further keys that tags and statuses have."""
    field: Json = {child.field: child.value}
    if child.field == "tags":
        after, before = child.value or (), child.previous_value or () if isinstance(child, Change) else ()
        field["added_tags"] = [tag for tag in after if tag not in before]
        field["removed_tags"] = [tag for tag in before if tag not in after]
    elif child.field == "status" and child.value in fixtures.CUSTOM_STATUS_IDS:
        field["custom_status_id"] = fixtures.CUSTOM_STATUS_IDS[str(child.value)]
    return field


def _rule(rule_id: int | None) -> Json:
    """Return the `via` of what a trigger did, which is an object."""
    if rule_id is None:
        return {}
    source = {"from": {"id": rule_id, "title": "Notify the customer"}, "to": {}, "rel": "trigger"}
    return {"via": {"channel": "rule", "source": source}, "via_reference_id": rule_id}


def _full_comment(event: TicketEvent, comment: Comment) -> Json:
    body = event.ticket.fill_in(comment.template)
    html = escape(body).replace("\n", "<br>")
    return {
        "via": _via(event),
        "type": "Comment",
        "author_id": event.author.updater_id,
        "body": body,
        "html_body": f'<div class="zd-comment" dir="auto">{html}</div>',
        "plain_body": body,
        "public": comment.public,
        "attachments": _attachments(event),
        "audit_id": event.id,
        "created_at": iso_time(event.timestamp),
    }


def _via(event: TicketEvent) -> Json | str:
    label, customer = event.author.via, event.ticket.requester_id
    if label not in CHANNELS:
        return label
    source: Json = {"from": {}, "to": {}, "rel": None}
    if label == "Email":
        source["from"] = {"address": f"customer-{customer}@example.com", "name": f"Customer {customer}"}
        source["to"] = {"address": "care@example.org", "name": "Example Parcels"}
    return {"channel": CHANNELS[label], "source": source}


def _attachments(event: TicketEvent) -> list[Json]:
    if event.ticket.type != "incident" or event.author.updater_id != event.ticket.requester_id:
        return []
    attachment_id = event.id + IDS_PER_EVENT - 1
    url = f"https://desk.example.com/attachments/{attachment_id}/label.png"
    return [{"id": attachment_id, "file_name": "label.png", "content_type": "image/png", "content_url": url}]


def _system(event: TicketEvent) -> Json:
    """Return what is known of the client behind an update: nothing (a rule, an app), only nulls, or everything."""
    updater_id = event.author.updater_id
    if updater_id == fixtures.SYSTEM_UPDATER_ID or updater_id % 3 == 0:
        return {}
    if updater_id % 3 == 1:
        return _NULL_SYSTEM
    location, latitude, longitude = fixtures.LOCATIONS[updater_id % len(fixtures.LOCATIONS)]
    client = fixtures.USER_AGENTS[updater_id % len(fixtures.USER_AGENTS)]
    return {"client": client, "location": location, "latitude": latitude, "longitude": longitude}
