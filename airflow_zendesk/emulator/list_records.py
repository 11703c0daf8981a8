"""The records of the account's lists: groups, brands, forms, SLA policies, schedules, statuses. All are invented.

They contain everything that events and tickets refer to. The ticket fields are in `ticket_fields.py`.
"""

from collections.abc import Callable, Mapping

from airflow_zendesk.emulator import fixtures
from airflow_zendesk.emulator.messages import Json
from airflow_zendesk.emulator.ticket_fields import ticket_fields
from airflow_zendesk.emulator.ticket_shapes import DESK_URL

_CREATED, _UPDATED = "2014-12-01T09:00:00Z", "2015-03-02T10:30:00Z"
_TIMES: Json = {"created_at": _CREATED, "updated_at": _UPDATED}
_DELETED_GROUP_ID, _DELETED_BRAND_ID = 21_900_000_700_014, 21_900_000_001_003
_NEW_YORK_ID, _UTC_ID = 21_900_000_003_001, 21_900_000_003_002
_DAY = 1_440  # minutes


def _groups() -> list[Json]:
    names = dict(zip(map(int, fixtures.GROUP_IDS), ("Parcels", "Invoices", "Lockers"), strict=True))
    names[_DELETED_GROUP_ID] = "Pallets"
    return [
        {
            "url": f"{DESK_URL}/api/v2/groups/{id_}.json",
            "id": id_,
            "is_public": True,
            "name": name,
            "description": "",
            "default": id_ == int(fixtures.GROUP_IDS[0]),
            "deleted": id_ == _DELETED_GROUP_ID,
            **_TIMES,
        }
        for id_, name in names.items()
    ]


def _brands() -> list[Json]:
    names = dict(zip((*fixtures.BRAND_IDS, _DELETED_BRAND_ID), ("parcels", "pallets", "letters"), strict=True))
    return [
        {
            "url": f"{DESK_URL}/api/v2/brands/{id_}.json",
            "id": id_,
            "name": f"Example {name.title()}",
            "brand_url": f"https://{name}.example.com",
            "subdomain": name,
            "host_mapping": None,
            "has_help_center": id_ == fixtures.BRAND_IDS[0],
            "help_center_state": "enabled" if id_ == fixtures.BRAND_IDS[0] else "disabled",
            "active": id_ != _DELETED_BRAND_ID,
            "default": id_ == fixtures.BRAND_IDS[0],
            "is_deleted": id_ == _DELETED_BRAND_ID,
            "logo": None,
            "ticket_form_ids": list(fixtures.TICKET_FORM_IDS),
            "signature_template": "{{agent.signature}}",
            **_TIMES,
        }
        for id_, name in names.items()
    ]


def _ticket_forms() -> list[Json]:
    fields = [field["id"] for field in ticket_fields() if field["active"]]
    return [
        {
            "url": f"{DESK_URL}/api/v2/ticket_forms/{id_}.json",
            "id": id_,
            "name": name,
            "raw_name": name,
            "display_name": name,
            "raw_display_name": name,
            "end_user_visible": True,
            "position": position,
            "active": True,
            "default": position == 0,
            "in_all_brands": True,
            "restricted_brand_ids": [],
            "ticket_field_ids": fields,
            "agent_conditions": [],
            "end_user_conditions": [],
            **_TIMES,
        }
        for position, (id_, name) in enumerate(zip(fixtures.TICKET_FORM_IDS, ("Default", "Incident"), strict=True))
    ]


def _sla_policies() -> list[Json]:
    return [
        {
            "url": f"{DESK_URL}/api/v2/slas/policies/{policy.id}.json",
            "id": policy.id,
            "title": policy.title,
            "description": policy.description,
            "position": position,
            "filter": {
                "all": [{"field": f"custom_fields_{fixtures.PLAN_FIELD_ID}", "operator": "is", "value": plan}],
                "any": [],
            },
            "policy_metrics": [
                {
                    "priority": priority,
                    "metric": metric,
                    "target": seconds // 60,
                    "target_in_seconds": seconds,
                    "business_hours": False,
                }
                for metric, targets in _targets(policy).items()
                for priority, seconds in targets.items()
            ],
            **_TIMES,
        }
        for position, (plan, policy) in enumerate(fixtures.SLA_POLICIES.items(), start=1)
    ]


def _targets(policy: fixtures.SlaPolicy) -> Mapping[str, Mapping[str, int]]:
    """Return the targets of a policy; those of the first and of the following replies are the same."""
    return {
        "first_reply_time": policy.reply_seconds,
        "next_reply_time": policy.reply_seconds,
        "requester_wait_time": policy.wait_seconds,
    }


def _schedules() -> list[Json]:
    """Return the schedules; intervals are minutes since Sunday. The metric events follow the one in UTC."""
    new_york = [{"start_time": day * _DAY + 540, "end_time": day * _DAY + 1_020} for day in range(1, 6)]
    utc = [{"start_time": day * _DAY + 360, "end_time": day * _DAY + 1_320} for day in range(7)]
    return [
        {"id": _NEW_YORK_ID, "name": "New York", "time_zone": "Eastern Time (US & Canada)", "intervals": new_york}
        | _TIMES,
        {"id": _UTC_ID, "name": "Every day", "time_zone": "UTC", "intervals": utc} | _TIMES,
    ]


def _custom_roles() -> list[Json]:
    return [
        {
            "id": 21_900_000_005_000 + number,
            "name": name,
            "description": f"Invented: {name.lower()}",
            "role_type": 0,
            "team_member_count": number,
            "configuration": {"assign_tickets_to_any_group": number == 1, "ticket_access": "within-groups"},
            **_TIMES,
        }
        for number, name in enumerate(("Team lead", "Night shift"), start=1)
    ]


def _custom_statuses() -> list[Json]:
    """Return the custom statuses: the default of each category, and one that is no longer used."""
    defaults = {name: id_ for name, id_ in fixtures.DEFAULT_STATUS_IDS.items() if name != "closed"}
    statuses = [(id_, name, name.title(), True) for name, id_ in defaults.items()]
    statuses.append((21_900_000_800_006, "pending", "Waiting for the depot", False))
    return [
        {
            "url": f"{DESK_URL}/api/v2/custom_statuses/{id_}.json",
            "id": id_,
            "status_category": category,
            "agent_label": label,
            "raw_agent_label": label,
            "end_user_label": label,
            "raw_end_user_label": label,
            "description": "",
            "raw_description": "",
            "end_user_description": "",
            "raw_end_user_description": "",
            "active": is_active,
            "default": is_active,
            **_TIMES,
        }
        for id_, category, label, is_active in sorted(statuses)
    ]


def holidays(schedule_id: int) -> list[Json] | None:
    """Return the holidays of a schedule; None if there is no such schedule. The one in UTC has none."""
    days = {"New Year 2026": "2026-01-01", "Independence Day 2026": "2026-07-03", "Inventory": "2026-10-30"}
    listed = [
        {"id": 21_900_000_004_001 + number, "name": name, "start_date": day, "end_date": day}
        for number, (name, day) in enumerate(days.items())
    ]
    return {_NEW_YORK_ID: listed, _UTC_ID: []}.get(schedule_id)


#: The records of each list, ordered by id or by position.
LISTS: Mapping[str, Callable[[], list[Json]]] = {
    "groups": _groups,
    "brands": _brands,
    "ticket_fields": ticket_fields,
    "ticket_forms": _ticket_forms,
    "sla_policies": _sla_policies,
    "schedules": _schedules,
    "custom_statuses": _custom_statuses,
    "custom_roles": _custom_roles,
}
