"""Which children are private comments: the decoded members give what a look at each value gives."""

import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.zendesk.private_comments import private_comments

BODIES, MARKS = {"body", "html_body", "plain_body"}, {"public", "comment_public", "author_id"}
KINDS = ["Comment", "VoiceComment", "comment", "COMMENT", "CommentPrivacyChange", "CommentRedactionEvent", "Change", ""]
KEYS = st.sampled_from([*BODIES, *MARKS, "event_type", "type", "value", "via"])
VALUES = st.sampled_from([True, False, None, 5, 1.5, "true", [], {}, {"public": True}, ["body"], *KINDS])
CHILDREN = st.dictionaries(KEYS, VALUES, max_size=6) | st.sampled_from(["Comment", 5, None, ["body"]])


def found(text: bytes) -> dict[int, str]:
    """The private comments of one event."""
    return private_comments([msgspec.Raw(text)]).get(0, {})


def expected(children: list[Any]) -> dict[int, str]:
    """The same by the rule as it is documented, from decoded values."""
    kinds = {}
    for position, child in enumerate(children):
        if not isinstance(child, dict):
            continue
        kind = child["event_type"] if "event_type" in child else child.get("type")
        kind = kind if isinstance(kind, str) else ""
        is_public = (child["public"] if "public" in child else child.get("comment_public")) is True
        has_body, marks = bool(BODIES & child.keys()), len(MARKS & child.keys())
        is_comment = "comment" in kind.lower() or marks > 1 or (has_body and (marks > 0 or not kind))
        if is_comment and not is_public and kind not in {"CommentPrivacyChange", "CommentRedactionEvent"}:
            kinds[position] = kind
    return kinds


def escaped(text: str, letters: set[int]) -> str:
    """JSON in which the letters at some positions are escapes, as a server may write them."""
    return "".join(
        f"\\u{ord(letter):04x}" if position in letters and letter.isalpha() else letter
        for position, letter in enumerate(text)
    )


@given(st.lists(CHILDREN, max_size=5), st.sampled_from([(",", ":"), (" , ", " : "), (",\n", ":\t")]))
def test_private_comments_are_those_of_the_rule(children: list[Any], separators: tuple[str, str]) -> None:
    """Wherever spaces are, and whatever the children are."""
    assert expected(children) == found(json.dumps(children, separators=separators).encode())


@given(
    st.sampled_from([*KINDS, "Cömment", "COMment"]),
    st.sampled_from([*BODIES, *MARKS]),
    st.booleans(),
    st.sets(st.integers(0, 20), max_size=8),
)
def test_escaped_names_are_found(kind: str, key: str, value: bool, letters: set[int]) -> None:
    """JSON may write any letter of a key or of a kind as an escape."""
    children = [{"event_type": kind, key: value}, {"html_body": "x", "author_id": 1}]
    text = json.dumps(children)
    for name in ("event_type", kind, key, "html_body", "author_id"):
        if name:
            text = text.replace(f'"{name}"', f'"{escaped(name, letters)}"')
    assert children == json.loads(text)
    assert expected(children) == found(text.encode())


@pytest.mark.parametrize(
    "child",
    [
        {"event_type": "Comment"},
        {"type": "voiceCOMMENT"},
        {"public": False, "author_id": 1},
        {"comment_public": False, "author_id": 1},
        {"body": "x"},
        {"html_body": "x", "author_id": 1},
        {"plain_body": "x", "public": None},
    ],
)
def test_each_mark_alone_is_enough(child: dict[str, Any]) -> None:
    """Also if every letter of it is an escape."""
    kind = str(child.get("event_type", child.get("type", "")))
    plain = json.dumps([child])
    names = re.sub(r'"(\w+)"', lambda name: f'"{escaped(name[1], set(range(20)))}"', plain)
    assert [child] == json.loads(names)
    for text in (plain, names):
        assert {0: kind} == found(text.encode()), text


@pytest.mark.parametrize("other", [b"null", b"5", b'"comment"', b'{"body": "x"}', b"[]", b'[["body"]]'])
def test_what_is_no_array_of_children_has_none(other: bytes) -> None:
    """It is stored as it was sent."""
    assert {} == found(other)


@given(st.lists(st.lists(CHILDREN, max_size=3) | st.sampled_from([None, 5, "comment", {"body": "x"}]), max_size=5))
def test_events_of_a_page_do_not_change_each_other(events: list[Any]) -> None:
    """Also if some of them have no array, or arrays of other values."""
    private = {position: expected(event) for position, event in enumerate(events) if isinstance(event, list)}
    found = private_comments([msgspec.Raw(json.dumps(event).encode()) for event in events])
    assert {position: kinds for position, kinds in private.items() if kinds} == found
