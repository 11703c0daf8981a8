"""The cursor exports of tickets and users over HTTP, and the time-based export of organizations."""

from collections import Counter
from datetime import UTC, datetime

import pytest
import requests

from airflow_zendesk.emulator import Credentials, Simulator, ZendeskEmulator
from airflow_zendesk.emulator.limits import Limits
from tests.emulator.object_client import cursor_pages, get, objects
from tests.support.emulator_client import DAY, HOUR, NEW_YEAR, START, Clock, export_all

INVALID_CURSOR = {
    "error": "InvalidPaginationParameter",
    "description": "The pagination cursor is invalid or has expired",
}
resources = pytest.mark.parametrize("resource", ["tickets", "users"])


def visible(emulator: ZendeskEmulator, clock: Clock, resource: str, since: int) -> list[tuple[int, int]]:
    """Return second and id of the objects that an export must contain, in order."""
    at, first = datetime.fromtimestamp(clock.now, UTC), datetime.fromtimestamp(since, UTC)
    expected = emulator.expected_objects(resource, at, since=first)
    return sorted((second, id_) for id_, second in expected.items() if second < int(clock.now) - 60)


@pytest.mark.parametrize("per_page", [7, 100, 1_000])
@resources
def test_all_pages_together_contain_every_object_once(
    session: requests.Session, emulator: ZendeskEmulator, clock: Clock, resource: str, per_page: int
) -> None:
    """This holds for any page size; the objects are in order."""
    start = int(clock.now) - 5 * HOUR
    pages = cursor_pages(
        session, emulator, resource, start_time=start, per_page=per_page, support_type_scope="all"
    )  # fmt: skip
    items = [item for page in pages for item in page[resource]]
    places = [
        (item.get("generated_timestamp") or int(datetime.fromisoformat(item["updated_at"]).timestamp()), item["id"])
        for item in items
    ]

    assert visible(emulator, clock, resource, start) == places
    assert places
    assert [per_page] * (len(pages) - 1) == [len(page[resource]) for page in pages[:-1]]


def test_ticket_that_changes_again_leaves_its_place(session: requests.Session, clock: Clock) -> None:
    """It is returned once, at its latest change; while that change is withheld, it is not returned at all."""
    with ZendeskEmulator(Simulator(opened=NEW_YEAR), clock=clock) as emulator:
        clock.now = START + 11 * HOUR + 45 * 60
        before = {item["id"]: item for item in objects(session, emulator, "tickets", start_time=START)}
        changing = [id_ for id_, item in before.items() if item["status"] == "solved"]
        clock.now = START + DAY + 90
        after = Counter(item["id"] for item in objects(session, emulator, "tickets", start_time=START))
        later = Counter(item["id"] for item in objects(session, emulator, "tickets", start_time=START + 12 * HOUR))

    assert changing
    assert {1} == set(after.values())
    assert {1} == {later[id_] for id_ in changing}


def test_envelope_of_a_page(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """The URL of the next page echoes per_page, but no other parameter."""
    page = get(session, emulator, "incremental/tickets/cursor.json", start_time=START, per_page=3).json()

    assert ["tickets", "after_url", "after_cursor", "before_url", "before_cursor", "end_of_stream"] == list(page)
    assert (None, None, False) == (page["before_url"], page["before_cursor"], page["end_of_stream"])
    url = f"{emulator.url}/api/v2/incremental/tickets/cursor.json?per_page=3&cursor={page['after_cursor']}"
    assert url == page["after_url"]
    assert 3 == len(session.get(url, timeout=30).json()["tickets"])


def test_second_with_many_objects_is_divided_between_pages(session: requests.Session, clock: Clock) -> None:
    """The automation closes tickets on the hour; pages of two divide that second without loss."""
    clock.now = START + DAY + 11 * HOUR + 100
    with ZendeskEmulator(Simulator(), clock=clock) as emulator:
        start = START + DAY + 11 * HOUR
        pages = cursor_pages(session, emulator, "tickets", start_time=start, per_page=2)
        closed = [item["id"] for page in pages for item in page["tickets"] if item["generated_timestamp"] == start]

    assert len(closed) > 10
    assert sorted(set(closed)) == closed


def test_last_cursor_continues_with_later_changes(
    session: requests.Session, emulator: ZendeskEmulator, clock: Clock
) -> None:
    """The cursor of the last page is set, also on a page without objects."""
    last = cursor_pages(session, emulator, "tickets", start_time=int(clock.now) - HOUR)[-1]
    same = get(session, emulator, "incremental/tickets/cursor", cursor=last["after_cursor"]).json()
    clock.now += HOUR
    later = get(session, emulator, "incremental/tickets/cursor", cursor=same["after_cursor"]).json()

    assert ([], last["after_cursor"], True) == (same["tickets"], same["after_cursor"], same["end_of_stream"])
    assert later["tickets"]
    assert min(item["generated_timestamp"] for item in later["tickets"]) > clock.now - HOUR - 61


def test_ai_agent_tickets_are_left_out_by_default(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """Zendesk's default scope is `agent`; only the scope `all` returns all tickets."""
    start = START + 2 * DAY
    ids = {
        scope: {
            item["id"]: item["support_type"]
            for item in objects(session, emulator, "tickets", start_time=start, support_type_scope=scope)
        }
        for scope in ("agent", "ai_agent", "all")
    }

    assert ids["agent"] == {item["id"]: "agent" for item in objects(session, emulator, "tickets", start_time=start)}
    assert {"ai_agent"} == set(ids["ai_agent"].values())
    assert ids["all"] == ids["agent"] | ids["ai_agent"]


def test_deleted_tickets_can_be_excluded(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """By default they are included, with the status `deleted`."""
    start = START + DAY
    with_deleted = {item["id"]: item["status"] for item in objects(session, emulator, "tickets", start_time=start)}
    without = {item["id"] for item in objects(session, emulator, "tickets", start_time=start, exclude_deleted="true")}
    deleted = {id_ for id_, status in with_deleted.items() if status == "deleted"}

    assert deleted
    assert without == with_deleted.keys() - deleted


def test_metric_sets_require_the_sideload(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """Without it, the key is absent."""
    query = {"start_time": START, "per_page": 1}
    plain = get(session, emulator, "incremental/tickets/cursor", **query).json()["tickets"][0]
    full = get(session, emulator, "incremental/tickets/cursor", include="users,metric_sets", **query).json()

    assert "metric_set" not in plain
    assert plain["id"] == full["tickets"][0]["metric_set"]["ticket_id"]


@resources
@pytest.mark.parametrize("cursor", ["", "x", "MTc2NzIyNTYwMHwxMXwwfDMyMTE1M2M1"])
def test_invalid_cursor_gets_a_400(
    session: requests.Session, emulator: ZendeskEmulator, resource: str, cursor: str
) -> None:
    """It is not ignored, even if the request also has a start_time."""
    response = get(session, emulator, f"incremental/{resource}/cursor", cursor=cursor, start_time=START)

    assert (400, INVALID_CURSOR) == (response.status_code, response.json())


def test_cursor_of_one_export_is_invalid_for_another(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """The cursor of a page of tickets is not one of users."""
    cursor = get(session, emulator, "incremental/tickets/cursor", start_time=START).json()["after_cursor"]

    assert 400 == get(session, emulator, "incremental/users/cursor", cursor=cursor).status_code


def test_cursor_expires_after_a_number_of_requests(session: requests.Session, clock: Clock) -> None:
    """With a lifetime of two, the second request after it succeeds and the third does not."""
    with ZendeskEmulator(Simulator(), clock=clock, cursor_lifetime=2) as emulator:
        cursor = get(session, emulator, "incremental/tickets/cursor", start_time=START).json()["after_cursor"]
        responses = [get(session, emulator, "incremental/tickets/cursor", cursor=cursor) for _ in range(3)]

    assert [200, 200, 400] == [response.status_code for response in responses]
    assert INVALID_CURSOR == responses[-1].json()


@resources
def test_start_time_is_required_and_a_minute_old(
    session: requests.Session, emulator: ZendeskEmulator, clock: Clock, resource: str
) -> None:
    """As in the time-based exports."""
    path = f"incremental/{resource}/cursor"
    missing, recent = get(session, emulator, path), get(session, emulator, path, start_time=int(clock.now) - 59)

    assert (400, "ParameterMissing") == (missing.status_code, missing.json()["error"])
    assert (400, "StartTimeTooRecent") == (recent.status_code, recent.json()["error"])


@pytest.mark.parametrize("query", [{"per_page": 0}, {"per_page": "x"}, {"support_type_scope": "x"}])
def test_invalid_parameters_are_rejected(
    session: requests.Session, emulator: ZendeskEmulator, query: dict[str, object]
) -> None:
    """The known parameters are validated."""
    assert 400 == get(session, emulator, "incremental/tickets/cursor", start_time=START, **query).status_code


@pytest.mark.parametrize(
    "path", ["incremental/tickets/cursor", "incremental/users/cursor", "incremental/organizations", "groups"]
)
def test_only_an_admin_may_read(path: str, session: requests.Session, clock: Clock) -> None:
    """Other users get a 403, and requests without credentials a 401; both are logged."""
    with ZendeskEmulator(Simulator(), clock=clock, credentials=Credentials(role="agent")) as emulator:
        forbidden = get(session, emulator, path, start_time=START)
        anonymous = requests.get(f"{emulator.url}/api/v2/{path}", timeout=30)
        statuses = [(request.path, request.status) for request in emulator.requests]

    assert [(f"/api/v2/{path}", 403), (f"/api/v2/{path}", 401)] == statuses
    assert [403, 401] == [forbidden.status_code, anonymous.status_code]


def test_users_have_a_rate_limit_of_their_own(session: requests.Session, clock: Clock) -> None:
    """Their header replaces that of the other exports, whose limit they do not use up."""
    clock.now = START + DAY + 20
    with ZendeskEmulator(
        Simulator(opened=NEW_YEAR), clock=clock, requests_per_minute=2, users_requests_per_minute=2
    ) as emulator:  # fmt: skip
        paths = ["incremental/users/cursor"] * 3 + ["incremental/tickets/cursor"] * 3 + ["groups"]
        responses = [get(session, emulator, path, start_time=START, per_page=1) for path in paths]

    assert [200, 200, 429, 200, 200, 429, 200] == [response.status_code for response in responses]
    users, exports = "zendesk-ratelimit-incremental-exports-cursor", "zendesk-ratelimit-incremental-exports"
    assert [f"total=2; remaining={n}; resets=40" for n in (1, 0, 0)] == [
        response.headers.get(users) for response in responses[:3]
    ]
    assert [None] * 3 + [f"total=2; remaining={n}; resets=40" for n in (1, 0, 0)] + [None] == [
        response.headers.get(exports) for response in responses
    ]
    assert "40" == responses[2].headers["Retry-After"]
    assert ["699", "698", "697", "696", "695", "694", "693"] == [
        response.headers["X-Rate-Limit-Remaining"] for response in responses
    ]


def test_limits_are_off_by_default() -> None:
    """Tests are not slowed down by Zendesk's limits."""
    limits = Limits()

    assert (None, None) == (limits.users_requests_per_minute, limits.cursor_lifetime)


@pytest.mark.parametrize("per_page", [1, 7, 1_000])
def test_organizations_are_exported_by_time(
    session: requests.Session, emulator: ZendeskEmulator, clock: Clock, per_page: int
) -> None:
    """Each organization is returned once, by the paging rules of ticket events."""
    start = START - 40 * DAY
    ids = export_all(session, emulator, "organizations", start_time=start, per_page=per_page)

    assert [id_ for _, id_ in visible(emulator, clock, "organizations", start)] == ids
    assert len(ids) > 10


def test_envelope_of_organizations(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """It is that of ticket events."""
    page = get(session, emulator, "incremental/organizations", start_time=START, per_page=1).json()

    assert ["organizations", "next_page", "count", "end_of_stream", "end_time"] == list(page)
    assert (1, False) == (page["count"], page["end_of_stream"])


def test_imported_organizations_share_one_second(session: requests.Session, clock: Clock) -> None:
    """A page of one item contains that whole second."""
    clock.now = START + 2 * HOUR
    with ZendeskEmulator(Simulator(opened=NEW_YEAR), clock=clock) as emulator:
        page = get(session, emulator, "incremental/organizations", start_time=START, per_page=1).json()

    assert (48, START + 1) == (page["count"], page["end_time"])
