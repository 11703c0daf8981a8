"""Reading child_events."""

from typing import Any

import pytest

from airflow_zendesk.zendesk.child_events import ChildEvent, read_child_events

CASES: dict[str, list[tuple[Any, ...]]] = {
    '{"id": 1, "via": "Mail", "via_reference_id": null, "status": "open", "event_type": "Change",'
    ' "previous_value": "new"}': [
        (1, "Change", "status", '"open"', '"new"'),
    ],
    '{"id": 2, "priority": null, "event_type": "Create"}': [(2, "Create", "priority", None, None)],
    '{"id": 3, "tags": ["a"], "added_tags": [], "removed_tags": ["b"], "event_type": "Change",'
    ' "previous_value": ["a", "b"]}': [
        (3, "Change", "tags", '["a"]', '["a", "b"]'),
    ],
    '{"id": 4, "comment_present": true, "event_type": "Comment"}': [(4, "Comment", None, None, None)],
    '{"id": 5, "status": "open", "priority": "low", "event_type": "Change"}': [
        (5, "Change", "status", '"open"', None),
        (5, "Change", "priority", '"low"', None),
    ],
    '{"custom_status_id": 7, "status": "open", "new_key": {}, "rel": "x", "event_type": "Change",'
    ' "previous_value": "new"}': [
        (None, "Change", "custom_status_id", "7", None),
        (None, "Change", "status", '"open"', '"new"'),
        (None, "Change", "new_key", "{}", None),
    ],
    '{"event_type": "Change", "status": "open", "priority": "low", "previous_value": "new"}': [
        (None, "Change", "status", '"open"', None),
        (None, "Change", "priority", '"low"', None),
    ],
    '{"id": 7, "": 5, "event_type": "Create"}': [(7, "Create", "", "5", None)],
    '{"id": "6", "event_type": 7}': [(None, None, None, None, None)],
    '{"id": 8, "status": "open", "previous_value": "new"}': [(8, None, "status", '"open"', '"new"')],
    '{"id": 9, "event_type": null, "subject": "Hi"}': [(9, None, "subject", '"Hi"', None)],
    '{"id": 10, "author_id": 5, "body": "Hi", "public": true}': [(10, None, None, None, None)],
    '{"id": 11, "body": "Hi", "status": "open", "previous_value": null}': [
        (11, None, "body", '"Hi"', None),
        (11, None, "status", '"open"', None),
    ],
    '{"id": 12, "author_id": 5, "public": false}': [(12, None, None, None, None)],
    '{"id": 13, "360001": "gold", "is_new": true, "event_type": "Change", "previous_value": "tin"}': [
        (13, "Change", "360001", '"gold"', '"tin"'),
        (13, "Change", "is_new", "true", None),
    ],
    '"text"': [(None, None, None, None, None)],
}  # fmt: skip


@pytest.mark.parametrize("text", CASES)
def test_each_changed_field_has_a_row(text: str) -> None:
    """Values are JSON as it was sent. A child that changes no field has one row."""
    assert [ChildEvent._make((*row, text)) for row in CASES[text]] == read_child_events(f"[{text}]")


def test_children_keep_their_order() -> None:
    """An empty array has no children."""
    assert [1, 2] == [child.child_id for child in read_child_events('[{"id": 1}, {"id": 2}]')]
    assert [] == read_child_events("[]")
