"""Child events that change no field and are not written as comments: notifications, calls, chats, webhooks.

The shapes are those of recordings of real accounts; all values are invented.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from airflow_zendesk.emulator import fixtures
from airflow_zendesk.emulator.messages import Json
from airflow_zendesk.emulator.ticket import Activity, Ticket

#: The event of a lifecycle that an activity is part of.
Moment = Literal["created", "triaged", "replied", "solved"]


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of activity: when it happens, what it contains, and in which share of the tickets.

    Without `percent` it happens in every ticket of the channel, also in those of AI agents.
    """

    event_type: str
    moment: Moment
    details: Callable[[Ticket], Json]
    percent: int | None = None
    channel: str | None = None
    rule_id: int | None = None

    def applies_to(self, ticket: Ticket, byte: int) -> bool:
        if self.percent is None:
            return ticket.channel == self.channel
        return not ticket.is_ai_agent and byte * 100 < self.percent * 256


def activities_of(ticket: Ticket, moment: Moment) -> list[Activity]:
    """Return the activities of a ticket at a moment of its lifecycle."""
    return [
        Activity(kind.event_type, kind.details(ticket), kind.rule_id)
        for kind, byte in zip(_KINDS, ticket.activity_bytes, strict=False)
        if kind.moment == moment and kind.applies_to(ticket, byte)
    ]


def satisfaction_rating(ticket: Ticket) -> Activity:
    """Return the rating that the customer gives after the ticket is solved."""
    details = {"score": "good", "assignee_id": ticket.agent_id, "body": "Quick and friendly."}
    return Activity("SatisfactionRating", details)


def _chat_started(ticket: Ticket) -> Json:
    history = [
        {"chat_index": 0, "type": "ChatJoin", "actor_id": str(ticket.requester_id)},
        {"chat_index": 1, "type": "ChatMessage", "message": ticket.fill_in(ticket.subject)},
    ]
    return {"value": _chat(ticket) | {"history": history, "user_id": ticket.requester_id}}


def _chat_ended(ticket: Ticket) -> Json:
    return {"value": _chat(ticket) | {"is_served": True}}


def _chat(ticket: Ticket) -> Json:
    return {"chat_id": f"chat-{ticket.number}", "visitor_id": f"visitor-{ticket.requester_id}"}


def _cc(ticket: Ticket) -> Json:
    return {"recipients": [ticket.requester_id, ticket.requester_id + 1]}


def _notification(ticket: Ticket) -> Json:
    subject, body = f"Request received: #{ticket.id}", "Your request was received. A colleague will reply soon."
    return {"subject": subject, "body": body, "recipients": [ticket.requester_id]}


def _notification_with_ccs(ticket: Ticket) -> Json:
    subject, body = f"Re: #{ticket.id}", "Your request was updated. Reply to this message to add a comment."
    return {"subject": subject, "body": body, "recipients": [ticket.requester_id, ticket.requester_id + 1]}


def _webhook(ticket: Ticket) -> Json:
    return {"webhook_id": "invented-webhook", "body": json.dumps({"ticket": ticket.id}), "status": 200}


def _external(ticket: Ticket) -> Json:
    return {"resource": 21_900_000_400_001, "body": f"Order system: ticket {ticket.id}"}


def _ticket_sharing(_: Ticket) -> Json:
    return {"agreement_id": 21_900_000_400_002, "action": "shared"}


def _voice_comment(ticket: Ticket) -> Json:
    data = {"call_duration": 45 + ticket.number % 300, "answered_by_id": ticket.agent_id}
    return {"public": True, "author_id": ticket.agent_id, "body": "Call to the customer", "data": data}


def _facebook_comment(ticket: Ticket) -> Json:
    text = "Please send us the number of your parcel."
    return {
        "public": True,
        "author_id": ticket.agent_id,
        "body": text,
        "html_body": f"<p>{text}</p>",
        "data": {"type": "status", "content": text, "via_zendesk": True},
        "graph_object_id": f"{ticket.number}_1",
        "trusted": True,
        "attachments": [],
    }


def _tweet(ticket: Ticket) -> Json:
    return {"direct_message": False, "body": "We are looking into it.", "recipients": [ticket.requester_id]}


#: Each kind uses the activity byte at its position: append new kinds. There is room for 14.
_KINDS = (
    _Kind("ChatStartedEvent", "created", _chat_started, channel=fixtures.CHAT_CHANNEL),
    _Kind("Cc", "created", _cc, percent=6),
    _Kind("Notification", "triaged", _notification, channel="Email", rule_id=fixtures.NOTIFY_TRIGGER_ID),
    _Kind("WebhookEvent", "triaged", _webhook, percent=12, rule_id=fixtures.NOTIFY_TRIGGER_ID),
    _Kind("External", "triaged", _external, percent=3),
    _Kind("TicketSharingEvent", "triaged", _ticket_sharing, percent=3),
    _Kind(
        "NotificationWithCcs", "replied", _notification_with_ccs, channel="Email", rule_id=fixtures.NOTIFY_TRIGGER_ID
    ),
    _Kind("VoiceComment", "replied", _voice_comment, percent=3),
    _Kind("FacebookComment", "replied", _facebook_comment, percent=3),
    _Kind("Tweet", "replied", _tweet, percent=3),
    _Kind("ChatEndedEvent", "solved", _chat_ended, channel=fixtures.CHAT_CHANNEL),
)
