"""Reads the ``child_events`` of a ticket event.

Unlike in ticket audits, the changed field is itself the key:
``{"status": "open", "previous_value": "new", "event_type": "Change"}``. Values can be any JSON, and kinds may be added.

A child can change several fields, and can have keys that are not fields. Every key that is not listed here as something
else is a field, so a key that Zendesk adds can never hide a change. docs/warehouses.md has the rules.

Source: https://developer.zendesk.com/documentation/ticketing/reference-guides/ticket-audit-events-reference/ for the
kinds; the shape is that of recorded responses.
"""

import re
from typing import NamedTuple, TypeVar

import msgspec

from airflow_zendesk.zendesk.records import RawRecord

_CHILDREN = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT = msgspec.json.Decoder(RawRecord)
_INTEGER = msgspec.json.Decoder(int)
_STRING = msgspec.json.Decoder(str)
#: A custom field is named by its number. The tables use the same pattern.
_CUSTOM_FIELD = re.compile(r"[0-9]+")

#: The kinds of children that change fields.
FIELD_KINDS = ("Create", "Change")
#: The key of the value that a field had before.
PREVIOUS_VALUE = "previous_value"
#: Keys of a child that are not fields.
OWN_KEYS = (
    "id", "via", "via_reference_id", "event_type", PREVIOUS_VALUE, "added_tags", "removed_tags", "rel", "updater_id",
    "author_id", "audit_id", "ticket_id", "account_id", "comment_present", "comment_public",
)  # fmt: skip
#: Keys of messages. A child without an ``event_type`` that has one of these, and no previous value, changes no field.
MESSAGE_KEYS = ("body", "html_body", "plain_body", "recipients", "comment_present", "comment_public", "public")
#: The fields that ``previous_value`` belongs to if a child has other fields too, such as ``custom_status_id``.
TICKET_FIELDS = (
    "status", "priority", "type", "subject", "description", "tags", "custom_ticket_fields", "assignee_id", "group_id",
    "requester_id", "submitter_id", "organization_id", "brand_id", "ticket_form_id", "problem_id", "locale_id",
    "external_id", "recipient", "due_at", "is_public", "satisfaction_score", "collaborator_ids", "follower_ids",
    "email_cc_ids",
)  # fmt: skip

_T = TypeVar("_T")


class ChildEvent(NamedTuple):
    """A field that a child changed, or a child that changed none.

    The values and the child itself are JSON text, exactly as Zendesk sent it.
    """

    child_id: int | None = None
    child_event_type: str | None = None
    field_name: str | None = None
    value: str | None = None
    previous_value: str | None = None
    child_event: str | None = None


def read_child_events(text: str) -> list[ChildEvent]:
    """Return a row for each field that the children in the JSON text changed, and one for each other child.

    Raises:
        ValueError: the text is not a JSON array.
    """
    return [row for raw in _CHILDREN.decode(text) for row in _rows(raw)]


def _rows(raw: msgspec.Raw) -> list[ChildEvent]:
    child_event = _text(raw)
    try:
        child = _OBJECT.decode(raw)
    except msgspec.ValidationError:
        return [ChildEvent(child_event=child_event)]
    kind, previous_value = _typed(_STRING, child.get("event_type")), _text(child.get(PREVIOUS_VALUE))
    row = ChildEvent(_typed(_INTEGER, child.get("id")), kind, None, None, previous_value, child_event)
    fields = [key for key in child if key not in OWN_KEYS] if _changes_fields(child, kind) else []
    changed = fields
    if len(fields) > 1:
        changed = [name for name in fields if name in TICKET_FIELDS or _CUSTOM_FIELD.fullmatch(name)]
    return [
        row._replace(
            field_name=name, value=_text(child[name]), previous_value=previous_value if changed == [name] else None
        )
        for name in fields
    ] or [row]


def _changes_fields(child: RawRecord, kind: str | None) -> bool:
    if kind is None:
        return PREVIOUS_VALUE in child or child.keys().isdisjoint(MESSAGE_KEYS)
    return kind in FIELD_KINDS


def _typed(decoder: msgspec.json.Decoder[_T], raw: msgspec.Raw | None) -> _T | None:
    try:
        return None if raw is None else decoder.decode(raw)
    except msgspec.ValidationError:
        return None


def _text(raw: msgspec.Raw | None) -> str | None:
    return None if raw is None or raw == msgspec.Raw(b"null") else bytes(raw).decode()
