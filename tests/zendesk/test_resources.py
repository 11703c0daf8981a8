"""What can be asked of Zendesk."""

import pytest

from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.zendesk.resources import RESOURCES, Query


def test_support_type_scope_is_always_sent_for_ticket_events() -> None:
    """Zendesk's own default leaves out the tickets of AI agents in silence."""
    expected = {"start_time": 5, "per_page": 1000, "support_type_scope": "all"}
    assert expected == Query.of("ticket_events").params(start_time=5, per_page=1000)
    with_comments = Query.of("ticket_events", ["comment_events"], "agent")
    expected = {"start_time": 5, "per_page": 10, "include": "comment_events", "support_type_scope": "agent"}
    assert expected == with_comments.params(start_time=5, per_page=10)


def test_metric_events_take_neither_sideload_nor_scope() -> None:
    """Parameters that an export does not know are not sent."""
    assert {"start_time": 5, "per_page": 1000} == Query.of("ticket_metric_events").params(start_time=5, per_page=1000)
    with pytest.raises(
        SettingsError, match=r"ticket_metric_events has no sideload 'comment_events'\. Sideloads to include: none"
    ):
        Query.of("ticket_metric_events", ["comment_events"])


def test_unknown_words_are_refused() -> None:
    """Zendesk would ignore them in silence."""
    with pytest.raises(SettingsError, match="resource 'ticket_audits' is unknown"):
        Query.of("ticket_audits")
    with pytest.raises(
        SettingsError, match=r"ticket_events has no sideload 'users'\. Sideloads to include: comment_events"
    ):
        Query.of("ticket_events", "users")
    with pytest.raises(SettingsError, match=r"support_type_scope 'bots' is unknown\. Use one of all, agent, ai_agent"):
        Query.of("ticket_events", support_type_scope="bots")


def test_paths_are_zendesks() -> None:
    """Those of its reference."""
    assert {name: resource.path.removeprefix("/api/v2/") for name, resource in RESOURCES.items()} == {
        "ticket_events": "incremental/ticket_events",
        "ticket_metric_events": "incremental/ticket_metric_events",
        "tickets": "incremental/tickets/cursor",
        "users": "incremental/users/cursor",
        "organizations": "incremental/organizations",
        "groups": "groups",
        "brands": "brands",
        "ticket_fields": "ticket_fields",
        "ticket_forms": "ticket_forms",
        "sla_policies": "slas/policies",
        "schedules": "business_hours/schedules",
        "custom_statuses": "custom_statuses",
        "custom_roles": "custom_roles",
    }


def test_parameters_of_states_and_lists() -> None:
    """Tickets ask for all scopes, groups for deleted ones too."""
    tickets = Query.of("tickets", "metric_sets")
    assert {"cursor": "x", "include": "metric_sets", "support_type_scope": "all"} == tickets.params(cursor="x")
    assert {"exclude_deleted": "false"} == Query.of("groups").params()
    assert {} == Query.of("schedules").params()
