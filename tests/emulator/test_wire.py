import re
from collections import Counter
from typing import Any

from airflow_zendesk.emulator import Simulator
from airflow_zendesk.emulator.case import TicketEvent, open_case, throw_dice
from airflow_zendesk.emulator.life import tell
from airflow_zendesk.emulator.metrics import tell_metrics
from airflow_zendesk.emulator.wire import iso, ticket_event, ticket_metric_event

NEW_YEAR = 1_767_225_600  # 2026-01-01T00:00:00Z
DAY = 86_400

CASE = open_case(5, NEW_YEAR + 36_000, throw_dice(1, 5))  # its life stands in test_life.py
BORN, TRIAGED, ASSIGNED, NOTED, REPLIED, *_ = tell(CASE)


def one_day(*, with_comments: bool) -> list[dict[str, Any]]:
    """A day as it goes over the wire."""
    events = Simulator().events("ticket_events", NEW_YEAR, NEW_YEAR + DAY)
    return [ticket_event(event, with_comments=with_comments) for event in events if isinstance(event, TicketEvent)]


def test_change_by_an_agent() -> None:
    """The changed field is the key itself; ids are text there, as in audits."""
    assert {
        "id": 10_000_000_005_152,
        "ticket_id": 11,
        "timestamp": 1_767_263_112,
        "created_at": "2026-01-01T10:25:12Z",
        "updater_id": 21_900_000_047_030,
        "via": "Web form",
        "system": {
            "client": "Zendesk for Mobile/1.0 (example)",
            "location": "Frankfurt am Main, HE, Germany",
            "latitude": 50.11,
            "longitude": 8.68,
        },
        "event_type": "Audit",
        "child_events": [
            {
                "id": 10_000_000_005_153,
                "via": "Web form",
                "via_reference_id": None,
                "assignee_id": "21900000047030",
                "event_type": "Change",
                "previous_value": None,
            },
            {
                "id": 10_000_000_005_154,
                "via": "Web form",
                "via_reference_id": None,
                "group_id": "21900000700013",
                "event_type": "Change",
                "previous_value": None,
            },
            {
                "id": 10_000_000_005_155,
                "via": "Web form",
                "via_reference_id": None,
                "status": "open",
                "event_type": "Change",
                "previous_value": "new",
            },
        ],
    } == ticket_event(ASSIGNED, with_comments=False)


def test_change_by_a_rule() -> None:
    """Nobody is -1; the rule is named; a list of tags has a list before it."""
    item = ticket_event(TRIAGED, with_comments=False)

    assert (-1, "Rule", {}) == (item["updater_id"], item["via"], item["system"])
    assert [
        {
            "id": 10_000_000_005_137,
            "via": "Rule",
            "via_reference_id": 21_900_000_300_001,
            "custom_ticket_fields": {"21900000500001": "standard"},
            "event_type": "Change",
            "previous_value": None,
        },
        {
            "id": 10_000_000_005_138,
            "via": "Rule",
            "via_reference_id": 21_900_000_300_001,
            "tags": ("invoice", "standard"),
            "event_type": "Change",
            "previous_value": ("invoice",),
        },
    ] == item["child_events"]


def test_birth_holds_the_first_values() -> None:
    """A Create has no previous value."""
    children = ticket_event(BORN, with_comments=False)["child_events"]

    assert {
        "id": 10_000_000_005_121,
        "via": "Web form",
        "via_reference_id": None,
        "subject": "Where is order EX-40005?",
        "event_type": "Create",
    } == children[0]
    assert ["Create"] * 7 + ["Comment"] == [child["event_type"] for child in children]


def test_comment_without_the_sideload_is_two_booleans() -> None:
    """Only that there is a comment, and whether customers see it; no metadata either."""
    item = ticket_event(NOTED, with_comments=False)

    assert {
        "id": 10_000_000_005_169,
        "via": "Web form",
        "via_reference_id": None,
        "event_type": "Comment",
        "comment_present": True,
        "comment_public": False,
    } == item["child_events"][0]
    assert "metadata" not in item


def test_comment_with_the_sideload_is_complete() -> None:
    """The text three times, the channel as an object, and metadata beside it."""
    item = ticket_event(NOTED, with_comments=True)

    assert {
        "id": 10_000_000_005_169,
        "via": {"channel": "web", "source": {"from": {}, "to": {}, "rel": None}},
        "via_reference_id": None,
        "event_type": "Comment",
        "type": "Comment",
        "author_id": 21_900_000_047_030,
        "body": "Called the depot about EX-40005: shelf 14. Customer not told yet.",
        "html_body": '<div class="zd-comment" dir="auto">Called the depot about EX-40005: shelf 14. '
        "Customer not told yet.</div>",
        "plain_body": "Called the depot about EX-40005: shelf 14. Customer not told yet.",
        "public": False,
        "attachments": [],
        "audit_id": 10_000_000_005_168,
        "created_at": "2026-01-01T10:25:12Z",
    } == item["child_events"][0]
    assert {} == item["metadata"]


def test_metric_event() -> None:
    """Its time is text; there is no timestamp."""
    status = next(event for event in tell_metrics(CASE) if event.type == "update_status")

    assert {
        "id": status.id,
        "ticket_id": 11,
        "metric": "agent_work_time",
        "instance_id": 1,
        "type": "update_status",
        "time": "2026-01-01T10:25:12Z",
        "status": {"calendar": 25, "business": 25},
    } == ticket_metric_event(status)


def test_time_as_zendesk_writes_it() -> None:
    """UTC, to the second, with a Z."""
    assert "2024-02-15T16:23:07Z" == iso(1_708_014_187)


def test_a_day_shows_every_variety() -> None:
    """Whoever tests against a day meets each shape that was recorded."""
    items = one_day(with_comments=True)
    comments = [child for item in items for child in item["child_events"] if child["event_type"] == "Comment"]
    systems = Counter(tuple(item["system"].values()) for item in items)

    assert {"Web form", "Email", "Chat Transcript", "Mobile", "API", "Rule"} == {item["via"] for item in items}
    assert {dict, str} == {type(comment["via"]) for comment in comments}
    assert {True, False} == {comment["public"] for comment in comments}
    assert any(comment["attachments"] for comment in comments)
    assert {(), (None,) * 4} < set(systems)
    assert any("merged_ticket_ids" in item for item in items)
    assert not all(comment["body"].isascii() for comment in comments)


def test_all_statuses_occur() -> None:
    """A week holds every status that Zendesk has, deleted tickets included."""
    events = Simulator().events("ticket_events", NEW_YEAR, NEW_YEAR + 7 * DAY)
    items = [ticket_event(event, with_comments=False) for event in events if isinstance(event, TicketEvent)]
    statuses = {child["status"] for item in items for child in item["child_events"] if "status" in child}

    assert {"new", "open", "pending", "hold", "solved", "closed", "deleted"} == statuses


def test_nobody_is_real() -> None:
    """All addresses are in the domains that are reserved for examples."""
    addresses = re.findall(r"[\w.-]+@([\w.-]+)", repr(one_day(with_comments=True)))

    assert {"example.com", "example.org"} == set(addresses)
