"""Faults on cursor exports and lists; those of events are in test_faults.py."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from airflow_zendesk.emulator import ZendeskEmulator
from tests.emulator.object_client import Json, get
from tests.support.emulator_client import DAY, EVENTS, START, export

TICKETS, USERS = "incremental/tickets/cursor", "incremental/users/cursor"


def second_page(session: requests.Session, emulator: ZendeskEmulator, **fault: Any) -> tuple[str, Json, Json]:
    """Return the cursor of the second page of tickets, that page undamaged, and the same page with the fault."""
    emulator.set_scenario([])
    cursor = get(session, emulator, TICKETS, start_time=START, per_page=10).json()["after_cursor"]
    good = get(session, emulator, TICKETS, cursor=cursor, per_page=10).json()
    emulator.set_scenario([fault])
    return cursor, good, get(session, emulator, TICKETS, cursor=cursor, per_page=10).json()


def ids(page: Json) -> list[int]:
    """Return the ids of the tickets."""
    return [ticket["id"] for ticket in page["tickets"]]


EFFECTS: list[tuple[Json, Callable[[str, Json, Json], bool]]] = [
    ({"fault": "after_cursor"}, lambda _, __, bad: bad["after_cursor"] is None),
    ({"fault": "after_cursor", "value": "same"}, lambda cursor, _, bad: bad["after_cursor"] == cursor),
    ({"fault": "after_cursor", "value": "long"}, lambda _, __, bad: len(bad["after_cursor"]) == 5_000),
    ({"fault": "after_cursor", "value": "other"}, lambda _, __, bad: bad["after_cursor"] == "other"),
    ({"fault": "missing_key", "key": "after_cursor"}, lambda _, __, bad: "after_cursor" not in bad),
    ({"fault": "missing_id"}, lambda _, good, bad: ids(good)[:9] == [t["id"] for t in bad["tickets"] if "id" in t]),
    (
        {"fault": "missing_time"},
        lambda _, __, bad: (
            [True] * 9 + [False]
            == [bool({"generated_timestamp", "updated_at", "created_at"} & ticket.keys()) for ticket in bad["tickets"]]
        ),
    ),
    (
        {"fault": "other_key"},
        lambda _, good, bad: "tickets" not in bad and bad["satisfaction_ratings"] == good["tickets"],
    ),
    ({"fault": "half_list"}, lambda _, good, bad: good == bad),
    ({"fault": "shuffled"}, lambda _, good, bad: ids(good) != ids(bad) and set(ids(good)) == set(ids(bad))),
    (
        {"fault": "empty_page"},
        lambda cursor, _, bad: (bad["tickets"], bad["after_cursor"], bad["end_of_stream"]) == ([], cursor, False),
    ),
    (
        {"fault": "empty_page", "jumps": True},
        lambda _, good, bad: (bad["tickets"], bad["after_cursor"]) == ([], good["after_cursor"]),
    ),
    ({"fault": "end_of_stream"}, lambda _, good, bad: (good["end_of_stream"], bad["end_of_stream"]) == (False, True)),
    (
        {"fault": "next_page", "url": "https://x.example.com/"},
        lambda _, __, bad: bad["after_url"][:11] == "https://x.e",
    ),
    (
        {"fault": "older_records", "records": 1, "days": 1},
        lambda _, good, bad: (
            bad["tickets"][1:] == good["tickets"]
            and bad["tickets"][0]["generated_timestamp"] == good["tickets"][0]["generated_timestamp"] - DAY
            and bad["tickets"][0]["id"] > 9_000_000_000_000
        ),
    ),
    ({"fault": "duplicates_inside", "records": 2}, lambda _, good, bad: ids(bad) == ids(good) + ids(good)[:2]),
]


@pytest.mark.parametrize(("fault", "has_effect"), EFFECTS, ids=[str(fault) for fault, _ in EFFECTS])
def test_fault_has_its_effect_on_a_cursor_page(
    session: requests.Session, emulator: ZendeskEmulator, fault: Json, has_effect: Callable[[str, Json, Json], bool]
) -> None:
    """Compare the page with an undamaged one; a cursor page has no count, also when it is damaged."""
    cursor, good, bad = second_page(session, emulator, **fault)

    assert has_effect(cursor, good, bad)
    assert "count" not in bad


def test_expired_cursor_gets_the_same_error_as_an_invalid_one(
    session: requests.Session, emulator: ZendeskEmulator
) -> None:
    """The fault acts on any request, here on the second page."""
    emulator.set_scenario([{"fault": "cursor_expired", "on": {"page": 2}}])
    first = get(session, emulator, TICKETS, start_time=START, per_page=10)
    second = get(session, emulator, TICKETS, cursor=first.json()["after_cursor"], per_page=10)
    invalid = get(session, emulator, TICKETS, cursor="x")

    assert [200, 400, 400] == [response.status_code for response in (first, second, invalid)]
    assert invalid.json() == second.json()


@pytest.mark.parametrize("path", [TICKETS, USERS])
def test_objects_are_repeated_on_the_next_page(session: requests.Session, emulator: ZendeskEmulator, path: str) -> None:
    """Pages are numbered by their cursors, and a repeated request keeps its number."""
    key = path.split("/")[1]
    emulator.set_scenario([{"fault": "duplicates_across", "records": 2, "on": {"page": 2}, "times": "always"}])
    first = get(session, emulator, path, start_time=START, per_page=5).json()
    pages = [get(session, emulator, path, cursor=first["after_cursor"], per_page=5).json() for _ in "ab"]
    third = get(session, emulator, path, cursor=pages[-1]["after_cursor"], per_page=5).json()

    assert [5, 7, 7, 5] == [len(page[key]) for page in (first, *pages, third)]
    assert first[key][:2] == pages[0][key][:2] == pages[1][key][:2]


def test_lists_match_by_resource_or_path(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """A step without conditions acts on exports only."""
    step: Json = {"fault": "status", "status": 503, "times": "always"}
    emulator.set_scenario([step])
    assert [200, 503] == [get(session, emulator, path, start_time=START).status_code for path in ("groups", TICKETS)]
    emulator.set_scenario([step | {"on": {"resource": "groups"}}])
    assert [503, 200, 200] == [
        get(session, emulator, path, start_time=START).status_code for path in ("groups", "brands", TICKETS)
    ]
    emulator.set_scenario([step | {"on": {"path": "/api/v2/groups"}}])
    assert [503, 200] == [get(session, emulator, path).status_code for path in ("groups", "brands")]


def damaged(session: requests.Session, emulator: ZendeskEmulator, path: str, fault: Json, **query: object) -> Json:
    """Return a page of a list with a fault."""
    emulator.set_scenario([fault | {"on": {"path": f"/api/v2/{path}"}}])
    page: Json = get(session, emulator, path, **query).json()
    return page


def test_list_shrinks_by_half(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """It looks complete: no further page, and a count that fits."""
    fields = damaged(session, emulator, "ticket_fields", {"fault": "half_list"})
    policies = damaged(session, emulator, "slas/policies", {"fault": "half_list"})
    statuses = damaged(session, emulator, "custom_statuses", {"fault": "half_list"})

    assert (50, False, None) == (
        len(fields["ticket_fields"]), fields["meta"]["has_more"], fields["meta"]["after_cursor"]
    )  # fmt: skip
    assert (None, None) == (fields["links"]["next"], policies["next_page"])
    assert (1, 1) == (len(policies["sla_policies"]), policies["count"])
    assert 3 == len(statuses["custom_statuses"])


def test_cursor_of_a_list(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """It is in `meta`, and can repeat that of the request."""
    size = {"page[size]": 10}
    cursor = get(session, emulator, "ticket_fields", **size).json()["meta"]["after_cursor"]
    query = {**size, "page[after]": cursor}
    same = damaged(session, emulator, "ticket_fields", {"fault": "after_cursor", "value": "same"}, **query)
    null = damaged(session, emulator, "ticket_fields", {"fault": "after_cursor"}, **query)

    assert (cursor, None) == (same["meta"]["after_cursor"], null["meta"]["after_cursor"])
    assert (True, True) == (same["meta"]["has_more"], null["meta"]["has_more"])


@pytest.mark.parametrize("path", ["ticket_fields", "ticket_forms", "custom_statuses"])
def test_other_faults_act_on_lists(session: requests.Session, emulator: ZendeskEmulator, path: str) -> None:
    """An object without an id, another key, a link to another host."""
    without_id = damaged(session, emulator, path, {"fault": "missing_id"})[path]
    other = damaged(session, emulator, path, {"fault": "other_key", "key": "users"})
    page = damaged(session, emulator, path, {"fault": "next_page"})
    links = [page.get("next_page"), page.get("links", {}).get("next")]

    assert [1] == [len([record for record in without_id if "id" not in record])]
    assert "users" in other
    assert path not in other
    assert (path == "custom_statuses") == (links == [None, None])


def test_pages_of_a_list_are_numbered_by_page(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """So a condition can name the second page of a list with numbers."""
    emulator.set_scenario([{"fault": "missing_id", "on": {"resource": "sla_policies", "page": 2}}])
    pages = [get(session, emulator, "slas/policies", per_page=1, page=page).json() for page in (1, 2)]

    assert [True, False] == ["id" in page["sla_policies"][0] for page in pages]
    assert [2, 2] == [page["count"] for page in pages]


def test_condition_on_the_page_size_of_a_list(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """It is `page[size]` or `per_page`, by default 100."""
    emulator.set_scenario(
        [{"fault": "html", "on": {"resource": "ticket_fields", "per_page_above": 99}, "times": "always"}]
    )
    queries: list[dict[str, int]] = [{}, {"page[size]": 100}, {"page[size]": 99}]
    kinds = [get(session, emulator, "ticket_fields", **query).headers["Content-Type"][:9] for query in queries]

    assert ["text/html", "text/html", "applicati"] == kinds


def test_missing_time_removes_all_times_of_an_event(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """Neither timestamp nor created_at remains. Faults of cursors and lists leave a page of events alone."""
    good = export(session, emulator, start_time=START, per_page=5).json()
    emulator.set_scenario([{"fault": "missing_time"}, {"fault": "after_cursor"}, {"fault": "half_list"}])
    bad = export(session, emulator, start_time=START, per_page=5).json()

    assert good.keys() == bad.keys()
    assert {"timestamp", "created_at"} == bad[EVENTS][0].keys() - bad[EVENTS][-1].keys()
