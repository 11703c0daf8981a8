"""Users and organizations: who exists, and how they change."""

from collections import Counter
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.emulator import Simulator, fixtures
from airflow_zendesk.emulator.entities import Entity, revisions_in
from airflow_zendesk.emulator.people_shapes import serialize_organization, serialize_user
from airflow_zendesk.emulator.revisions import Revision
from airflow_zendesk.emulator.ticket import TicketEvent
from tests.emulator.object_client import Json
from tests.support.emulator_client import DAY, HOUR, NEW_YEAR, START

SIMULATOR = Simulator(opened=NEW_YEAR)
NOW = START + 60 * DAY


def users(now: int = NOW, start: int = 0) -> dict[int, Json]:
    """Return the users as of a present."""
    return {revision.id: serialize_user(revision) for revision in SIMULATOR.people.current(start, now)}


def test_every_requester_and_updater_is_a_user() -> None:
    """A customer is created in the second of their first ticket, and staff with the desk."""
    now = START + 10 * DAY
    created: dict[int, int] = {}
    updaters = set()
    for event in SIMULATOR.events("ticket_events", START, now + 1):
        assert isinstance(event, TicketEvent)
        updaters.add(event.author.updater_id)
        created.setdefault(event.ticket.requester_id, event.ticket.created)
    found = users(now)
    customers = {
        id_: int(datetime.fromisoformat(user["created_at"]).timestamp())
        for id_, user in found.items()
        if id_ >= 22_000_000_000_000
    }

    assert created == customers
    assert updaters - {-1} <= found.keys()
    assert {fixtures.ADMIN_ID, *fixtures.AGENT_IDS, fixtures.AI_AGENT_ID} == found.keys() - customers.keys()


def test_users_are_ordered_by_their_latest_change() -> None:
    """Each user occurs once."""
    revisions = list(SIMULATOR.people.current(0, NOW))

    assert sorted(revision[:2] for revision in revisions) == [revision[:2] for revision in revisions]
    assert {1} == set(Counter(revision.id for revision in revisions).values())


def test_some_users_change_and_some_are_deleted() -> None:
    """In two months; nobody changes before their creation."""
    found = users().values()
    changed = [user for user in found if user["updated_at"] > user["created_at"]]

    assert all(user["updated_at"] >= user["created_at"] for user in found)
    assert 0.02 < len(changed) / len(found) < 0.15
    assert 0.01 < len([user for user in found if not user["active"]]) / len(found) < 0.05
    assert any(user["phone"] for user in changed)
    assert any(user["tags"] for user in changed)
    assert {"admin", "agent", "end-user"} == {user["role"] for user in found}


@pytest.mark.parametrize("key", ["name", "phone", "role", "active", "tags"])
def test_a_change_shows_in_the_content(key: str) -> None:
    """Some users have another value a month later, and another time of change."""
    before, after = users(NOW - 30 * DAY), users()
    changed = [id_ for id_, user in before.items() if user[key] != after[id_][key]]

    assert changed
    assert all(before[id_]["updated_at"] < after[id_]["updated_at"] for id_ in changed)


def test_a_change_has_its_own_time() -> None:
    """Without a change, the content of a user stays the same."""
    before, after = users(NOW - 30 * DAY), users()
    same = [id_ for id_, user in before.items() if user["updated_at"] == after[id_]["updated_at"]]

    assert len(same) > 1_000
    assert {id_: before[id_] for id_ in same} == {id_: after[id_] for id_ in same}


def test_user() -> None:
    """All keys of the documentation, with the values of one agent."""
    assert {
        "id": 21_900_000_004_703,
        "url": "https://desk.example.com/api/v2/users/21900000004703.json",
        "name": "Emre Erable",
        "email": "agent-21900000004703@example.com",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "time_zone": "Eastern Time (US & Canada)",
        "iana_time_zone": "America/New_York",
        "phone": None,
        "shared_phone_number": None,
        "photo": None,
        "locale_id": 67,
        "locale": "ja",
        "organization_id": None,
        "role": "agent",
        "verified": True,
        "external_id": None,
        "tags": [],
        "alias": None,
        "active": True,
        "shared": False,
        "shared_agent": False,
        "last_login_at": "2026-01-01T00:00:00Z",
        "two_factor_auth_enabled": None,
        "signature": None,
        "details": "",
        "notes": None,
        "role_type": 0,
        "custom_role_id": None,
        "moderator": False,
        "ticket_restriction": "groups",
        "only_private_comments": False,
        "restricted_agent": True,
        "suspended": False,
        "default_group_id": 21_900_000_700_013,
        "report_csv": False,
        "user_fields": {},
    } == users(START)[21_900_000_004_703]


def test_all_addresses_are_in_a_reserved_domain() -> None:
    """No address is real; that of a customer is the one in the `via` of their comments."""
    found = users(START + DAY)

    assert "agent@example.com" == found[fixtures.ADMIN_ID]["email"]
    assert {"example.com"} == {user["email"].partition("@")[2] for user in found.values()}
    assert all(
        user["email"] == f"customer-{id_}@example.com" for id_, user in found.items() if user["role_type"] is None
    )


def organizations(now: int, start: int = 0) -> dict[int, Json]:
    """Return the organizations as of a present."""
    return {revision.id: serialize_organization(revision) for revision in SIMULATOR.organizations.current(start, now)}


def test_organizations_of_users_exist() -> None:
    """About half of the customers have one."""
    found = {user["organization_id"] for user in users().values()}
    without = [user for user in users().values() if user["organization_id"] is None]

    assert found - {None} == set(fixtures.IMPORTED_ORGANIZATION_IDS)
    assert 0.4 < len(without) / len(users()) < 0.6


def test_organizations_are_imported_added_changed_and_deleted() -> None:
    """48 are imported in one second; later ones follow, and some of those are deleted."""
    imported, later = organizations(START), organizations(START + 300 * DAY)

    assert ({"2026-01-01T00:00:00Z"}, 48) == ({each["updated_at"] for each in imported.values()}, len(imported))
    assert 60 == len(later)
    deleted = [each["id"] for each in later.values() if each["deleted_at"]]
    assert [21_900_001_000_104, 21_900_001_000_108, 21_900_001_000_112] == sorted(deleted)
    for key in ("name", "tags", "details", "domain_names"):
        assert any(each[key] != later[id_][key] for id_, each in imported.items())


@given(
    st.lists(
        st.builds(
            Entity,
            id=st.integers(1, 99),
            created=st.integers(START, START + DAY),
            interval=st.integers(HOUR // 4, DAY),
            deletion=st.integers(0, 3),
            randomness=st.just(bytes(48)),
        ),
        unique_by=lambda entity: entity.id,
        max_size=8,
    ),
    st.integers(START - HOUR, START + 3 * DAY),
)
def test_each_entity_has_one_current_revision(entities: list[Entity], now: int) -> None:
    """It is that of its last change up to now; before the creation there is none."""
    expected = {}
    for entity in entities:
        last = entity.created
        changes = 0
        while last + entity.interval <= now and not (entity.deletion and changes == entity.deletion):
            last, changes = last + entity.interval, changes + 1
        if entity.created <= now:
            expected[entity.id] = (last, bool(entity.deletion and changes == entity.deletion))
    current = [revision for revision in revisions_in(entities, now // HOUR) if revision.is_current(now)]

    assert expected == {revision.id: (revision.timestamp, revision.is_deletion) for revision in current}
    assert len(expected) == len(current)


def test_revision_is_current_until_the_next_one() -> None:
    """Its first second is included, and the second of the next change is not."""
    revision = Revision(10, 1, 20, False, None)

    assert [False, True, True, False] == [revision.is_current(now) for now in (9, 10, 19, 20)]
