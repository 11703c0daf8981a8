"""Which of the child events of ticket events are private comments.

Child events are decoded no further than the members that decide, those of a whole page in one call.
"""

from collections.abc import Sequence
from functools import lru_cache

import msgspec

#: Kinds that are named after the comment that they are about.
_ABOUT_COMMENTS = {"CommentPrivacyChange", "CommentRedactionEvent"}
_ABSENT = msgspec.Raw(b"")
_TRUE = msgspec.Raw(b"true")


class _Child(msgspec.Struct):
    """The members of a child event that decide whether it is a private comment."""

    event_type: msgspec.Raw = _ABSENT
    type: msgspec.Raw = _ABSENT
    public: msgspec.Raw = _ABSENT
    comment_public: msgspec.Raw = _ABSENT
    author_id: msgspec.Raw = _ABSENT
    body: msgspec.Raw = _ABSENT
    html_body: msgspec.Raw = _ABSENT
    plain_body: msgspec.Raw = _ABSENT


_CHILD = msgspec.json.Decoder(_Child)
_EVENTS = msgspec.json.Decoder(list[list[_Child]])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_STRING = msgspec.json.Decoder(str)


def private_comments(events: Sequence[msgspec.Raw]) -> dict[int, dict[int, str]]:
    """Find private comments in the child events of ticket events.

    Args:
        events: the arrays of child events, one for each event; other JSON values have no comments.

    Returns:
        By the position of an event, the kinds of its private comments by their positions; only events that have some.
    """
    found = {}
    for event, children in enumerate(_decode(events)):
        private = {
            position: _text(_raw_kind(child))
            for position, child in enumerate(children)
            if child is not None and _is_private(child) and _is_comment(child)
        }
        if private:
            found[event] = private
    return found


def _decode(events: Sequence[msgspec.Raw]) -> Sequence["Sequence[_Child | None]"]:
    """The child events of each event; None for those that are not objects, and none if it is not an array."""
    try:
        # One call for a page costs less than one for each event.
        return _EVENTS.decode(b"[" + b",".join(events) + b"]")
    except msgspec.ValidationError:
        return [_decode_each(children) for children in events]


def _decode_each(children: msgspec.Raw) -> "list[_Child | None]":
    members = _ARRAY.decode(children) if first_byte(children) == b"[" else []
    return [_CHILD.decode(member) if first_byte(member) == b"{" else None for member in members]


def _is_private(child: _Child) -> bool:
    return (child.comment_public if child.public is _ABSENT else child.public) != _TRUE


def _is_comment(child: _Child) -> bool:
    """Whether a child event is a comment on the ticket, by its kind, or by a body with an author or a visibility.

    Other kinds have bodies too (notifications, ratings, webhooks), but no author and no visibility. A body without any
    kind, as in older recordings, counts as a comment.
    """
    names_comment, has_kind = _read_kind(_raw_kind(child))
    if names_comment is not None:
        return names_comment
    # Not sum() or any(), which take most of the time of a page.
    marks = (child.public is not _ABSENT) + (child.comment_public is not _ABSENT) + (child.author_id is not _ABSENT)
    if marks == 0 and has_kind:
        return False
    has_body = child.body is not _ABSENT or child.html_body is not _ABSENT or child.plain_body is not _ABSENT
    return marks > 1 or has_body


def _raw_kind(child: _Child) -> bytes:
    """The JSON of a child event's kind; empty if it has none."""
    return bytes(child.type if child.event_type is _ABSENT else child.event_type)


# There are few kinds, so few are decoded.
@lru_cache(maxsize=256)
def _read_kind(json: bytes) -> tuple[bool | None, bool]:
    """Whether a kind is that of a comment (None: it does not decide), and whether there is one."""
    kind = _text(json)
    names_comment = kind not in _ABOUT_COMMENTS if "comment" in kind.lower() else None
    return names_comment, bool(kind)


def _text(json: bytes) -> str:
    """A JSON string, or nothing if it is another value."""
    return _STRING.decode(json) if json.startswith(b'"') else ""


def first_byte(raw: msgspec.Raw) -> bytes:
    """The first byte of a JSON value, which determines its type."""
    return bytes(memoryview(raw)[:1])
