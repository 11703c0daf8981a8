"""The JSON shapes of users and organizations.

https://developer.zendesk.com/api-reference/ticketing/users/users/ and
https://developer.zendesk.com/api-reference/ticketing/organizations/organizations/
"""

from airflow_zendesk.emulator import fixtures
from airflow_zendesk.emulator.entities import Entity
from airflow_zendesk.emulator.messages import Json
from airflow_zendesk.emulator.revisions import Revision
from airflow_zendesk.emulator.serialization import iso_time
from airflow_zendesk.emulator.ticket import choose
from airflow_zendesk.emulator.ticket_shapes import DESK_URL, organization_of

#: What the changes of a user and of an organization are about.
_USER_CHANGES = (*["name"] * 5, *["phone"] * 5, *["tags"] * 3, *["details"] * 2, "role")
_ORGANIZATION_CHANGES = ("name", "details", "tags", "domains")

_FIRST_NAMES = ("Alma", "Bruno", "Chidi", "Dörte", "Emre", "Fátima", "Goro", "Hélène", "Ida", "Jon", "Kaja", "Lê")
_LAST_NAMES = (
    "Ahorn",
    "Birke",
    "Castaño",
    "Dąb",
    "Erable",
    "Fenyő",
    "Ginkgo",
    "Hazel",
    "Ilex",
    "Jasmin",
    "楓",
    "Lind",
)
_TRADES = ("Bakery", "Bikes", "Books", "Café", "Garden", "Kontor", "Läden", "商店")
#: Zendesk's name of a time zone, and the name in the time zone database.
_TIME_ZONES = (("Berlin", "Europe/Berlin"), ("Tokyo", "Asia/Tokyo"), ("Eastern Time (US & Canada)", "America/New_York"))
_LOCALES = ((1, "en-US"), (8, "de"), (16, "fr"), (67, "ja"))
#: The random bytes of an entity that its content uses; the first four determine when it changes.
_FIRST_NAME, _LAST_NAME, _ZONE, _LOCALE = 4, 5, 6, 7


def serialize_user(revision: Revision[Entity]) -> Json:
    """Return one item of `users`, after the last change up to the second of the revision."""
    user, number = revision.source, revision.source.changes_until(revision.timestamp)
    changes = user.count_changes(_USER_CHANGES, number)
    is_staff = user.id < fixtures.FIRST_CUSTOMER_ID
    time_zone, iana_time_zone = choose(_TIME_ZONES, user.randomness[_ZONE])
    locale_id, locale = choose(_LOCALES, user.randomness[_LOCALE])
    return {
        "id": user.id,
        "url": f"{DESK_URL}/api/v2/users/{user.id}.json",
        "name": _user_name(user, changes["name"]),
        "email": email_of(user.id),
        "created_at": iso_time(user.created),
        "updated_at": iso_time(revision.timestamp),
        "time_zone": time_zone,
        "iana_time_zone": iana_time_zone,
        "phone": f"+1 555 01{(user.id + changes['phone']) % 100:02}" if changes["phone"] else None,
        "locale_id": locale_id,
        "locale": locale,
        "organization_id": None if is_staff else organization_of(user.id),
        "tags": [f"tier_{changes['tags']}"] if changes["tags"] else [],
        "details": f"Details, version {changes['details']}" if changes["details"] else "",
        "active": not revision.is_deletion,
        "last_login_at": iso_time(user.created) if is_staff else None,
        **_role(user, changes["role"], is_staff=is_staff),
        **_CONSTANT,
    }


#: What is the same for all users of the desk.
_CONSTANT: Json = {
    "shared_phone_number": None,
    "photo": None,
    "verified": True,
    "external_id": None,
    "alias": None,
    "shared": False,
    "shared_agent": False,
    "two_factor_auth_enabled": None,
    "signature": None,
    "notes": None,
    "custom_role_id": None,
    "only_private_comments": False,
    "suspended": False,
    "report_csv": False,
    "user_fields": {},
}


def serialize_organization(revision: Revision[Entity]) -> Json:
    """Return one item of `organizations`, after the last change up to the second of the revision."""
    organization, number = revision.source, revision.source.changes_until(revision.timestamp)
    changes = organization.count_changes(_ORGANIZATION_CHANGES, number)
    domains = [f"org-{organization.id % 1_000}-{domain}.example.com" for domain in range(1 + changes["domains"] % 3)]
    return {
        "id": organization.id,
        "url": f"{DESK_URL}/api/v2/organizations/{organization.id}.json",
        "name": _organization_name(organization, changes["name"]),
        "shared_tickets": False,
        "shared_comments": False,
        "external_id": None,
        "created_at": iso_time(organization.created),
        "updated_at": iso_time(revision.timestamp),
        "domain_names": domains,
        "details": f"Details, version {changes['details']}" if changes["details"] else None,
        "notes": None,
        "group_id": int(fixtures.GROUP_IDS[0]),
        "tags": [f"tier_{changes['tags']}"] if changes["tags"] else [],
        "organization_fields": {"region": choose(("north", "south", None), organization.randomness[_ZONE])},
        "deleted_at": iso_time(revision.timestamp) if revision.is_deletion else None,
    }


def email_of(user_id: int) -> str:
    """Return the email address of a user; that of a customer is the one in the `via` of comments."""
    return f"{'customer' if user_id >= fixtures.FIRST_CUSTOMER_ID else 'agent'}-{user_id}@example.com"


def _user_name(user: Entity, renamed: int) -> str:
    if user.id == fixtures.ADMIN_ID:
        return "Example Admin"
    if user.id == fixtures.AI_AGENT_ID:
        return "Example AI agent"
    first = choose(_FIRST_NAMES, user.randomness[_FIRST_NAME])
    last = choose(_LAST_NAMES, (user.randomness[_LAST_NAME] + renamed * 22) % 256)
    return f"{first} {last}"


def _organization_name(organization: Entity, renamed: int) -> str:
    owner = choose(_LAST_NAMES, (organization.randomness[_LAST_NAME] + renamed * 22) % 256)
    return f"{owner} {choose(_TRADES, organization.randomness[_FIRST_NAME])} {organization.id % 1_000}"


def _role(user: Entity, changed: int, *, is_staff: bool) -> Json:
    """Return the role and what goes with it: some customers become light agents, and some agents administrators."""
    role_type: int | None
    if user.id == fixtures.ADMIN_ID:
        role, role_type = "admin", 4
    elif is_staff:
        role, role_type = ("admin", 4) if changed % 2 else ("agent", 0)
    else:
        role, role_type = ("agent", 1) if changed % 2 else ("end-user", None)
    group = fixtures.GROUP_IDS[user.id % len(fixtures.GROUP_IDS)]
    return {
        "role": role,
        "role_type": role_type,
        "moderator": role == "admin",
        "restricted_agent": role != "admin",
        "ticket_restriction": {"admin": None, "agent": "groups"}.get(role, "requested"),
        "default_group_id": None if role == "end-user" else int(group),
    }
