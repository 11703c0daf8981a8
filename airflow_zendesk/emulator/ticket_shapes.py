"""The JSON shape of a ticket: https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/ has all keys."""

from collections.abc import Sequence

from airflow_zendesk.emulator import fixtures
from airflow_zendesk.emulator.messages import Json
from airflow_zendesk.emulator.metric_sets import metric_set
from airflow_zendesk.emulator.revisions import Revision
from airflow_zendesk.emulator.serialization import CHANNELS, iso_time
from airflow_zendesk.emulator.ticket import Ticket, TicketEvent
from airflow_zendesk.emulator.ticket_states import TicketState, state_of

#: The host of all URLs in objects; it is reserved for examples.
DESK_URL = "https://desk.example.com"


def serialize_ticket(revision: Revision[Ticket], lifecycle: Sequence[TicketEvent], *, with_metric_set: bool) -> Json:
    """Return one item of `tickets`: the state of the ticket after its events up to the second of the revision."""
    ticket, state = revision.source, state_of(lifecycle, revision.id, revision.timestamp)
    item = _who_and_when(revision, state) | _content(revision, state) | _CONSTANT
    item |= {
        "brand_id": fixtures.BRAND_IDS[ticket.product == "pallet"],
        "ticket_form_id": fixtures.TICKET_FORM_IDS[ticket.type == "incident"],
        "organization_id": organization_of(ticket.requester_id),
        "support_type": "ai_agent" if ticket.is_ai_agent else "agent",
    }
    if with_metric_set:
        item["metric_set"] = _metric_set(revision.id, state)
    return item


#: What is the same for all tickets of the desk.
_CONSTANT: Json = {
    "external_id": None,
    "email_cc_ids": [],
    "forum_topic_id": None,
    "problem_id": None,
    "has_incidents": False,
    "is_public": True,
    "due_at": None,
    "sharing_agreement_ids": [],
    "followup_ids": [],
    "allow_channelback": False,
    "allow_attachments": True,
    "from_messaging_channel": False,
}


def organization_of(user_id: int) -> int | None:
    """Return the organization of a user: every second one has one."""
    number = user_id * 2_654_435_761 % (1 << 32) * 2 * len(fixtures.IMPORTED_ORGANIZATION_IDS) >> 32
    return fixtures.IMPORTED_ORGANIZATION_IDS[number // 2] if number % 2 else None


def _who_and_when(revision: Revision[Ticket], state: TicketState) -> Json:
    requester_id = state.integer("requester_id")
    # A team lead follows the tickets that are escalated.
    followers = [fixtures.AGENT_IDS[0]] if "escalated" in (state.fields["tags"] or ()) else []
    return {
        "url": f"{DESK_URL}/api/v2/tickets/{revision.id}.json",
        "id": revision.id,
        "created_at": iso_time(state.created),
        "updated_at": iso_time(state.updated),
        "generated_timestamp": revision.timestamp,
        "requester_id": requester_id,
        "submitter_id": requester_id,
        "assignee_id": state.integer("assignee_id"),
        "group_id": state.integer("group_id"),
        "collaborator_ids": followers,
        "follower_ids": followers,
    }


def _content(revision: Revision[Ticket], state: TicketState) -> Json:
    ticket, fields = revision.source, state.fields
    custom_fields = [{"id": id_, "value": state.custom_fields.get(str(id_))} for id_ in fixtures.TICKET_FIELD_IDS]
    is_email = ticket.channel == "Email"
    return {
        "via": _via(ticket),
        "type": fields["type"],
        "subject": fields["subject"],
        "raw_subject": fields["subject"],
        "description": ticket.fill_in(ticket.language.opening),
        "priority": fields["priority"],
        "status": fields["status"],
        "custom_status_id": state.custom_status_id,
        "recipient": "care@example.org" if is_email else None,
        "tags": fields["tags"],
        "custom_fields": custom_fields,
        "fields": custom_fields,
        "satisfaction_rating": _satisfaction_rating(revision.id, state),
    }


def _via(ticket: Ticket) -> Json:
    source: Json = {"from": {}, "to": {}, "rel": None}
    if ticket.channel == "Email":
        customer = ticket.requester_id
        source["from"] = {"address": f"customer-{customer}@example.com", "name": f"Customer {customer}"}
        source["to"] = {"address": "care@example.org", "name": "Example Parcels"}
    return {"channel": CHANNELS.get(ticket.channel, "chat"), "source": source}


def _satisfaction_rating(ticket_id: int, state: TicketState) -> Json:
    score = state.fields.get("satisfaction_score") or "unoffered"
    if state.rating_comment is None:
        return {"score": score}
    return {"score": score, "id": 61_000_000_000_000 + ticket_id, "comment": state.rating_comment}


def _metric_set(ticket_id: int, state: TicketState) -> Json:
    """Return the metrics with times as text."""
    metrics: Json = {
        "url": f"{DESK_URL}/api/v2/ticket_metrics/{ticket_id}.json",
        "created_at": state.created,
        "updated_at": state.updated,
        **metric_set(ticket_id, state),
    }
    return {
        name: iso_time(value) if name.endswith("_at") and value is not None else value
        for name, value in metrics.items()
    }
