"""What stands in the ``child_events`` of a ticket event.

Unlike in ticket audits, the changed field is itself the key:
``{"status": "open", "previous_value": "new", "event_type": "Change"}``. Values can be any JSON, and kinds may be added.

Source: https://developer.zendesk.com/documentation/ticketing/reference-guides/ticket-audit-events-reference/ for the
kinds; the shape is that of recorded answers.
"""

from typing import NamedTuple, TypeVar

import msgspec

from airflow_zendesk.zendesk.records import RawRecord

_CHILDREN = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT = msgspec.json.Decoder(RawRecord)
_INTEGER = msgspec.json.Decoder(int)
_STRING = msgspec.json.Decoder(str)

#: The kinds of children that are about a field.
FIELD_KINDS = ("Create", "Change")
#: Where the value stands that the field had before.
PREVIOUS_VALUE = "previous_value"
#: What a child of these kinds has besides that field.
OWN_KEYS = ("id", "via", "via_reference_id", "event_type", PREVIOUS_VALUE)

_T = TypeVar("_T")


class ChildEvent(NamedTuple):
    """One child; the values and the child itself as JSON text, just as Zendesk sent them."""

    child_id: int | None = None
    child_event_type: str | None = None
    field_name: str | None = None
    value: str | None = None
    previous_value: str | None = None
    child_event: str | None = None


def read_child_events(text: str) -> list[ChildEvent]:
    """The children in the JSON text of ``child_events``.

    Raises:
        ValueError: the text is no JSON array.
    """
    return [_read(raw) for raw in _CHILDREN.decode(text)]


def _read(raw: msgspec.Raw) -> ChildEvent:
    child_event = _text(raw)
    try:
        child = _OBJECT.decode(raw)
    except msgspec.ValidationError:
        return ChildEvent(child_event=child_event)
    kind = _typed(_STRING, child.get("event_type"))
    fields = child.keys() - set(OWN_KEYS)
    field_name = fields.pop() if kind in FIELD_KINDS and len(fields) == 1 else None
    return ChildEvent(
        _typed(_INTEGER, child.get("id")),
        kind,
        field_name,
        None if field_name is None else _text(child.get(field_name)),
        _text(child.get(PREVIOUS_VALUE)),
        child_event,
    )


def _typed(decoder: msgspec.json.Decoder[_T], raw: msgspec.Raw | None) -> _T | None:
    try:
        return None if raw is None else decoder.decode(raw)
    except msgspec.ValidationError:
        return None


def _text(raw: msgspec.Raw | None) -> str | None:
    return None if raw is None or raw == msgspec.Raw(b"null") else bytes(raw).decode()
