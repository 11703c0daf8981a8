"""The JSON shapes of the exports, as recorded from real accounts.

The reference page shows the metric shape under `ticket_events` too; real answers have the audit-like shape below. See
https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/
"""

import json
from datetime import UTC, datetime
from html import escape

from airflow_zendesk.emulator import desk
from airflow_zendesk.emulator.case import IDS_PER_EVENT, Change, Child, Comment, Create, TicketEvent
from airflow_zendesk.emulator.messages import Json
from airflow_zendesk.emulator.metrics import MetricEvent
from airflow_zendesk.emulator.paging import Page
from airflow_zendesk.emulator.world import Event

#: Text stays as it is, in its own script, as Zendesk sends it.
encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode

#: The sideload turns labels into objects. A label that is missing here stays text: seen on real accounts too.
_CHANNELS = {"Web form": "web", "Email": "email", "Mobile": "mobile", "API": "api"}
_NULL_SYSTEM: Json = {"client": None, "location": None, "latitude": None, "longitude": None}


def export(resource: str, page: Page[Event], *, with_comments: bool, next_page: str | None) -> str:
    """The body of one page. Items become text one by one: a thousand of them at once would keep the collector busy."""
    items = ",".join(encode(_item(event, with_comments=with_comments)) for event in page.items)
    rest = {
        "next_page": next_page,
        "count": page.count,
        "end_of_stream": page.end_of_stream,
        "end_time": page.end_time,
    }
    return f'{{"{resource}":[{items}],{encode(rest)[1:]}'


def _item(event: Event, *, with_comments: bool) -> Json:
    if isinstance(event, MetricEvent):
        return ticket_metric_event(event)
    return ticket_event(event, with_comments=with_comments)


def ticket_event(event: TicketEvent, *, with_comments: bool) -> Json:
    """One item of `ticket_events`; the sideload `comment_events` puts the comments themselves into it."""
    item: Json = {
        "id": event.id,
        "ticket_id": event.ticket_id,
        "timestamp": event.timestamp,
        "created_at": iso(event.timestamp),
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


def ticket_metric_event(event: MetricEvent) -> Json:
    """One item of `ticket_metric_events`: its time is text only, there is no integer timestamp."""
    return {
        "id": event.id,
        "ticket_id": event.ticket_id,
        "metric": event.metric,
        "instance_id": event.instance_id,
        "type": event.type,
        "time": iso(event.timestamp),
        **event.details,
    }


def iso(timestamp: int) -> str:
    """A time as Zendesk writes it: UTC, to the second."""
    return datetime.fromtimestamp(timestamp, UTC).isoformat()[:19] + "Z"


def _child(event: TicketEvent, child: Child, child_id: int, *, with_comments: bool) -> Json:
    """One item of `child_events`: the field that changed is the key itself."""
    item: Json = {"id": child_id, "via": event.author.via, "via_reference_id": event.author.rule_id}
    if isinstance(child, Comment):
        item["event_type"] = "Comment"
        if with_comments:
            item |= _full_comment(event, child)
        else:
            item |= {"comment_present": True, "comment_public": child.public}
    else:
        item[child.field] = child.value
        item["event_type"] = "Create" if isinstance(child, Create) else "Change"
        if isinstance(child, Change):
            item["previous_value"] = child.previous_value
    return item


def _full_comment(event: TicketEvent, comment: Comment) -> Json:
    body = event.case.words(comment.template)
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
        "created_at": iso(event.timestamp),
    }


def _via(event: TicketEvent) -> Json | str:
    label, customer = event.author.via, event.case.requester_id
    if label not in _CHANNELS:
        return label
    source: Json = {"from": {}, "to": {}, "rel": None}
    if label == "Email":
        source["from"] = {"address": f"customer-{customer}@example.com", "name": f"Customer {customer}"}
        source["to"] = {"address": "care@example.org", "name": "Example Parcels"}
    return {"channel": _CHANNELS[label], "source": source}


def _attachments(event: TicketEvent) -> list[Json]:
    if event.case.type != "incident" or event.author.updater_id != event.case.requester_id:
        return []
    attachment_id = event.id + IDS_PER_EVENT - 1
    url = f"https://desk.example.com/attachments/{attachment_id}/label.png"
    return [{"id": attachment_id, "file_name": "label.png", "content_type": "image/png", "content_url": url}]


def _system(event: TicketEvent) -> Json:
    """What is known of the client behind an update: nothing (a rule, an app), nulls, or everything."""
    updater_id = event.author.updater_id
    if updater_id == desk.SYSTEM_UPDATER or updater_id % 3 == 0:
        return {}
    if updater_id % 3 == 1:
        return _NULL_SYSTEM
    location, latitude, longitude = desk.PLACES[updater_id % len(desk.PLACES)]
    client = desk.USER_AGENTS[updater_id % len(desk.USER_AGENTS)]
    return {"client": client, "location": location, "latitude": latitude, "longitude": longitude}
