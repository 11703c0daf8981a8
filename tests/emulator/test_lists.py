"""Lists: their pages, and that they contain what events and tickets refer to."""

from itertools import pairwise

import pytest
import requests

from airflow_zendesk.emulator import Simulator, ZendeskEmulator, fixtures
from airflow_zendesk.emulator.endpoints import ENDPOINTS
from tests.emulator.object_client import Json, get, objects
from tests.support.emulator_client import START, Clock

NEW_YORK, UTC_SCHEDULE = 21_900_000_003_001, 21_900_000_003_002
LISTS = {path.removeprefix("/api/v2/"): endpoint for path, endpoint in ENDPOINTS.items() if endpoint.is_list}


def listed(session: requests.Session, emulator: ZendeskEmulator, path: str, **query: object) -> list[Json]:
    """Return the records of the first page of a list."""
    records: list[Json] = get(session, emulator, path, **query).json()[LISTS[path].resource]
    return records


@pytest.mark.parametrize(
    ("path", "ids"),
    [
        ("groups", [21_900_000_700_011, 21_900_000_700_012, 21_900_000_700_013]),
        ("brands", [21_900_000_001_001, 21_900_000_001_002, 21_900_000_001_003]),
        ("ticket_forms", [21_900_000_002_001, 21_900_000_002_002]),
        ("slas/policies", [21_900_000_600_001, 21_900_000_600_002]),
        ("custom_statuses", [21_900_000_800_000 + number for number in range(1, 7)]),
        ("custom_roles", [21_900_000_005_001, 21_900_000_005_002]),
        ("business_hours/schedules", [NEW_YORK, UTC_SCHEDULE]),
    ],
)
def test_ids_of_a_list(session: requests.Session, emulator: ZendeskEmulator, path: str, ids: list[int]) -> None:
    """They are the same for every seed."""
    assert ids == sorted(record["id"] for record in listed(session, emulator, path))


def test_deleted_groups_are_hidden_unless_requested(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """Deleted brands are always listed."""
    groups = listed(session, emulator, "groups", exclude_deleted="false")
    brands = listed(session, emulator, "brands")

    assert [False, False, False, True] == [group["deleted"] for group in groups]
    assert [False, False, True] == [brand["is_deleted"] for brand in brands]
    assert [True, False, False] == [brand["default"] for brand in brands]


def follow(session: requests.Session, emulator: ZendeskEmulator, size: int) -> list[Json]:
    """Return all pages of the ticket fields, of this size."""
    pages = [get(session, emulator, "ticket_fields", **{"page[size]": size}).json()]
    while pages[-1]["meta"]["has_more"]:
        cursor = pages[-1]["meta"]["after_cursor"]
        pages.append(get(session, emulator, "ticket_fields", **{"page[size]": size, "page[after]": cursor}).json())
    return pages


@pytest.mark.parametrize(("size", "pages"), [(100, 2), (1_000, 2), (65, 2), (64, 3), (7, 19)])
def test_cursor_list_is_complete(session: requests.Session, emulator: ZendeskEmulator, size: int, pages: int) -> None:
    """130 ticket fields, at most 100 on a page; only the last page has no cursor for the next one."""
    found = follow(session, emulator, size)
    ids = [field["id"] for page in found for field in page["ticket_fields"]]

    assert (130, pages) == (len(ids), len(found))
    assert sorted(set(ids)) == ids
    assert [True] * (pages - 1) + [False] == [page["meta"]["after_cursor"] is not None for page in found]


def test_links_of_a_cursor_list(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """Following `next` and then `prev` returns the same page."""
    first, second, _ = follow(session, emulator, 64)
    assert second == session.get(first["links"]["next"], timeout=30).json()
    assert first["ticket_fields"] == session.get(second["links"]["prev"], timeout=30).json()["ticket_fields"]
    assert (None, None) == (first["links"]["prev"], first["meta"]["before_cursor"])
    assert f"page%5Bsize%5D=64&page%5Bafter%5D={first['meta']['after_cursor']}" in first["links"]["next"]


@pytest.mark.parametrize("path", ["slas/policies", "ticket_forms"])
def test_numbered_list(session: requests.Session, emulator: ZendeskEmulator, path: str) -> None:
    """`count` is that of the whole list; a page after the last one is empty."""
    key = LISTS[path].resource
    first, second, third = (get(session, emulator, path, per_page=1, page=page).json() for page in (1, 2, 3))
    url = f"{emulator.url}/api/v2/{path}?per_page=1&page="

    assert [1, 1, 0] == [len(page[key]) for page in (first, second, third)]
    assert [2, 2, 2] == [page["count"] for page in (first, second, third)]
    assert [f"{url}2", None, None] == [page["next_page"] for page in (first, second, third)]
    assert [None, f"{url}1", f"{url}2"] == [page["previous_page"] for page in (first, second, third)]


@pytest.mark.parametrize("path", ["custom_statuses", "business_hours/schedules"])
def test_list_of_one_page(session: requests.Session, emulator: ZendeskEmulator, path: str) -> None:
    """There are no other keys; the suffix `.json` is accepted."""
    assert [LISTS[path].resource] == list(get(session, emulator, f"{path}.json").json())


def test_schedules_and_holidays(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """One schedule is in a zone with daylight saving time, and one is in UTC. Intervals are minutes since Sunday."""
    schedules = {each["id"]: each for each in listed(session, emulator, "business_hours/schedules")}
    days = get(session, emulator, f"business_hours/schedules/{NEW_YORK}/holidays").json()["holidays"]

    assert ["Eastern Time (US & Canada)", "UTC"] == [each["time_zone"] for each in schedules.values()]
    assert {"start_time": 1_980, "end_time": 2_460} == schedules[NEW_YORK]["intervals"][0]
    assert {"start_time": 360, "end_time": 1_320} == schedules[UTC_SCHEDULE]["intervals"][0]
    assert {
        "id": 21_900_000_004_001, "name": "New Year 2026", "start_date": "2026-01-01", "end_date": "2026-01-01",
    } == days[0]  # fmt: skip
    assert {"holidays": []} == get(session, emulator, f"business_hours/schedules/{UTC_SCHEDULE}/holidays").json()


def test_holidays_of_an_unknown_schedule(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """The record is missing, not the endpoint."""
    response = get(session, emulator, "business_hours/schedules/1/holidays")

    assert (404, {"error": "RecordNotFound", "description": "Not found"}) == (response.status_code, response.json())


@pytest.mark.parametrize(
    ("path", "query", "error"),
    [
        ("groups", {"page[after]": "x"}, "InvalidPaginationParameter"),
        ("groups", {"page[size]": "0"}, None),
        ("ticket_forms", {"page": "0"}, None),
        ("ticket_forms", {"per_page": "x"}, None),
    ],
)
def test_invalid_paging_is_rejected(
    session: requests.Session, emulator: ZendeskEmulator, path: str, query: dict[str, str], error: str | None
) -> None:
    """A cursor has an error of its own."""
    response = get(session, emulator, path, **query)

    assert 400 == response.status_code
    assert error is None or error == response.json()["error"]


def test_cursors_of_lists_expire_too(session: requests.Session, clock: Clock) -> None:
    """They use the same option as those of exports."""
    with ZendeskEmulator(Simulator(), clock=clock, cursor_lifetime=1) as emulator:
        cursor = get(session, emulator, "ticket_fields").json()["meta"]["after_cursor"]
        statuses = [get(session, emulator, "ticket_fields", **{"page[after]": cursor}).status_code for _ in "ab"]

    assert [200, 400] == statuses


@pytest.mark.parametrize("path", LISTS)
def test_lists_are_get_only(session: requests.Session, emulator: ZendeskEmulator, path: str) -> None:
    """Any other method is unknown."""
    assert 404 == session.post(f"{emulator.url}/api/v2/{path}", timeout=30).status_code


def test_lists_contain_what_tickets_refer_to(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """Groups, brands, forms, fields and statuses of two days of tickets."""
    tickets = objects(session, emulator, "tickets", start_time=START, support_type_scope="all")
    ids = {
        path: {record["id"] for record in listed(session, emulator, path)}
        for path in ("groups", "brands", "ticket_forms", "custom_statuses")
    }
    fields = {
        field["id"]: field["active"] for page in follow(session, emulator, 100) for field in page["ticket_fields"]
    }

    assert {ticket["group_id"] for ticket in tickets} - {None} == ids["groups"]
    assert {ticket["brand_id"] for ticket in tickets} < ids["brands"]
    assert {ticket["ticket_form_id"] for ticket in tickets} == ids["ticket_forms"]
    assert {ticket["custom_status_id"] for ticket in tickets} < ids["custom_statuses"]
    assert {True} == {fields[field["id"]] for ticket in tickets for field in ticket["custom_fields"]}


def test_sla_policy(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """The targets are those that the metric events apply."""
    gold, standard = listed(session, emulator, "slas/policies")
    targets = {(each["metric"], each["priority"]): each["target_in_seconds"] for each in gold["policy_metrics"]}

    assert ("Gold", "Standard") == (gold["title"], standard["title"])
    assert (1_890, 7_200) == (targets["first_reply_time", "urgent"], targets["next_reply_time", "normal"])
    assert 14_400 == targets["requester_wait_time", "urgent"]
    assert {"all": [{"field": "custom_fields_21900000500001", "operator": "is", "value": "gold"}], "any": []} == (
        gold["filter"]
    )


def test_most_ticket_fields_are_inactive(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """The eleven active ones are on the first page."""
    fields = listed(session, emulator, "ticket_fields")

    assert [True] * 11 + [False] * 89 == [field["active"] for field in fields]
    assert list(fixtures.TICKET_FIELD_IDS) == [field["id"] for field in fields[7:11]]
    assert all(before["position"] < after["position"] for before, after in pairwise(fields))
    assert ["free", "gold", "standard"] == [option["value"] for option in fields[7]["custom_field_options"]]
