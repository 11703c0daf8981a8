"""Which of the child events of a ticket event are private comments.

Most events have none, so the bytes are searched first for what every comment contains, and the events that remain are
decoded no further than the members that decide.
"""

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
_CHILDREN = msgspec.json.Decoder(list[_Child])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_STRING = msgspec.json.Decoder(str)


def private_comments(children: msgspec.Raw) -> dict[int, str]:
    """The positions of private comments in an array of child events, each with its kind; empty if there are none."""
    if not _may_have_comments(children):
        return {}
    return {
        position: _kind(child)
        for position, child in enumerate(_decode(children))
        if child is not None and _is_private(child) and _is_comment(child)
    }


def _may_have_comments(children: msgspec.Raw) -> bool:
    """Whether the bytes have what is in every comment: its kind, its visibility or its body.

    Any letter of a name may be written as an escape, and the kind in any case.
    """
    text = bytes(children).lower()
    return b"comment" in text or b'"public"' in text or b'body"' in text or b"\\u" in text


def _decode(children: msgspec.Raw) -> "list[_Child] | list[_Child | None]":
    """The child events; None for those that are not objects, and none if it is not an array."""
    try:
        return _CHILDREN.decode(children)
    except msgspec.ValidationError:
        members = _ARRAY.decode(children) if first_byte(children) == b"[" else []
        return [_CHILD.decode(member) if first_byte(member) == b"{" else None for member in members]


def _is_private(child: _Child) -> bool:
    return (child.comment_public if child.public is _ABSENT else child.public) != _TRUE


def _is_comment(child: _Child) -> bool:
    """Whether a child event is a comment on the ticket, by its kind, or by a body with an author or a visibility.

    Other kinds have bodies too (notifications, ratings, webhooks), but no author and no visibility. A body without any
    kind, as in older recordings, counts as a comment.
    """
    kind = _kind(child)
    if "comment" in kind.lower():
        return kind not in _ABOUT_COMMENTS
    # Not sum() or any(), which take most of the time of a page.
    marks = (child.public is not _ABSENT) + (child.comment_public is not _ABSENT) + (child.author_id is not _ABSENT)
    has_body = child.body is not _ABSENT or child.html_body is not _ABSENT or child.plain_body is not _ABSENT
    return marks > 1 or (has_body and (marks > 0 or not kind))


def _kind(child: _Child) -> str:
    """The kind of a child event; empty if it has none."""
    return _text(bytes(child.type if child.event_type is _ABSENT else child.event_type))


@lru_cache(maxsize=256)
def _text(json: bytes) -> str:
    """A JSON string, or nothing if it is another value; there are few kinds, so few are decoded."""
    return _STRING.decode(json) if json.startswith(b'"') else ""


def first_byte(raw: msgspec.Raw) -> bytes:
    """The first byte of a JSON value, which determines its type."""
    return bytes(memoryview(raw)[:1])
