"""The ticket fields of the account: Zendesk's own, the custom ones, and many that are no longer used."""

from airflow_zendesk.emulator import fixtures
from airflow_zendesk.emulator.messages import Json
from airflow_zendesk.emulator.ticket_shapes import DESK_URL

#: Type and title of Zendesk's own fields.
_SYSTEM_FIELDS = (
    ("subject", "Subject"),
    ("description", "Description"),
    ("status", "Status"),
    ("tickettype", "Type"),
    ("priority", "Priority"),
    ("group", "Group"),
    ("assignee", "Assignee"),
)
_FIRST_SYSTEM_FIELD_ID = 21_900_000_499_001
#: The list needs two pages.
_FIRST_OLD_FIELD_ID, _OLD_FIELDS = 21_900_000_500_101, 119
_TITLES = ("Plan", "Product", "Parcel number", "Weight")
_TYPES = ("tagger", "tagger", "text", "decimal")


def ticket_fields() -> list[Json]:
    """Return all ticket fields, ordered by id."""
    plan, product = int(fixtures.PLAN_FIELD_ID), int(fixtures.PRODUCT_FIELD_ID)
    options = {plan: sorted(set(fixtures.PLANS)), product: list(fixtures.PRODUCTS)}
    fields = [
        _field(_FIRST_SYSTEM_FIELD_ID + number, type_, title, removable=False)
        for number, (type_, title) in enumerate(_SYSTEM_FIELDS)
    ]
    for id_, type_, title in zip(fixtures.TICKET_FIELD_IDS, _TYPES, _TITLES, strict=True):
        fields.append(_field(id_, type_, title) | _options(id_, options.get(id_)))
    fields += [
        _field(_FIRST_OLD_FIELD_ID + number, "text", f"Old field {number + 1}", active=False)
        for number in range(_OLD_FIELDS)
    ]
    return [field | {"position": position} for position, field in enumerate(fields)]


def _options(field_id: int, values: list[str] | None) -> Json:
    """Return the options of a drop-down field; other fields do not have the key."""
    if values is None:
        return {}
    options = [
        {
            "id": field_id * 10 + number,
            "name": value.title(),
            "raw_name": value.title(),
            "value": value,
            "default": False,
        }
        for number, value in enumerate(values)
    ]
    return {"custom_field_options": options}


def _field(id_: int, type_: str, title: str, *, active: bool = True, removable: bool = True) -> Json:
    return {
        "url": f"{DESK_URL}/api/v2/ticket_fields/{id_}.json",
        "id": id_,
        "type": type_,
        "title": title,
        "raw_title": title,
        "description": "",
        "raw_description": "",
        "position": 0,
        "active": active,
        "required": False,
        "collapsed_for_agents": False,
        "regexp_for_validation": None,
        "title_in_portal": title,
        "raw_title_in_portal": title,
        "visible_in_portal": not removable,
        "editable_in_portal": False,
        "required_in_portal": False,
        "agent_can_edit": True,
        "tag": None,
        "key": None,
        "removable": removable,
        "agent_description": None,
        "created_at": "2014-12-01T09:00:00Z",
        "updated_at": "2015-03-02T10:30:00Z",
    }
