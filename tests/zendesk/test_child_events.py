"""Reading child_events."""

import pytest

from airflow_zendesk.zendesk.child_events import ChildEvent, read_child_events

CASES = {
    '{"id": 1, "via": "Mail", "via_reference_id": null, "status": "open", "event_type": "Change",'
    ' "previous_value": "new"}': (
        1, "Change", "status", '"open"', '"new"',
    ),
    '{"id": 2, "priority": null, "event_type": "Create"}': (2, "Create", "priority", None, None),
    '{"id": 3, "tags": ["a"], "event_type": "Change", "previous_value": ["a", "b"]}': (
        3, "Change", "tags", '["a"]', '["a", "b"]',
    ),
    '{"id": 4, "comment_present": true, "event_type": "Comment"}': (4, "Comment", None, None, None),
    '{"id": 5, "status": "open", "priority": "low", "event_type": "Change"}': (5, "Change", None, None, None),
    '{"id": 7, "": 5, "event_type": "Create"}': (7, "Create", "", "5", None),
    '{"id": "6", "event_type": 7}': (None, None, None, None, None),
    '"text"': (None, None, None, None, None),
}  # fmt: skip


@pytest.mark.parametrize("text", CASES)
def test_field_of_a_child_is_its_own_key(text: str) -> None:
    """Values are JSON as it was sent; a child that is about no single field has none; nothing fails."""
    assert [ChildEvent(*CASES[text], text)] == read_child_events(f"[{text}]")


def test_children_keep_their_order() -> None:
    """An empty array has no children."""
    assert [1, 2] == [child.child_id for child in read_child_events('[{"id": 1}, {"id": 2}]')]
    assert [] == read_child_events("[]")
