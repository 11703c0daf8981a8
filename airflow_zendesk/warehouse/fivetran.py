"""Views with the names and columns of Fivetran's Zendesk connector, for models that are written for its tables.

docs/dbt.md lists the columns, and what the models need besides.

Source: https://fivetran.com/docs/connectors/applications/zendesk, https://github.com/fivetran/dbt_zendesk
"""

from airflow_zendesk.warehouse.shape_view import JsonSyntax, ShapeColumn, ShapeView
from airflow_zendesk.warehouse.tables import Kind


def views(json: JsonSyntax) -> list[ShapeView]:
    """Return the views; a loaded table is named like ``$schema.tickets``."""
    return [*_objects(), *_events(json), *_members(json), *_policies(json), *_schedules(json)]


def _columns(**names: str) -> tuple[ShapeColumn, ...]:
    """Columns that are selected as they are, by kind."""
    kinds: dict[str, Kind] = {"integers": "integer", "times": "timestamp", "texts": "text", "flags": "boolean"}
    return tuple(
        ShapeColumn(name, kinds[kind], f't."{name}"') for kind, listed in names.items() for name in listed.split()
    )


_SYNCED = ShapeColumn("_fivetran_synced", "timestamp", "l.loaded_at")


def _deleted(expression: str) -> ShapeColumn:
    return ShapeColumn("_fivetran_deleted", "boolean", f"coalesce({expression}, false)")


def _table(resource: str, rows: str = "") -> str:
    """The rows of a resource, or rows made of them, with the time of their load."""
    return (
        f"FROM {rows or f'$schema.{resource}'} AS t\n"
        f"LEFT JOIN $schema.loaded_slices AS l ON l.resource = '{resource}' AND l.slice_start = t.slice_start"
    )


def _gone(resource: str) -> str:
    """Whether an object of a list is not in its newest snapshot."""
    return f"t.slice_start < (SELECT max(slice_start) FROM $schema.loaded_slices WHERE resource = '{resource}')"


_TIMES = "created_at updated_at"
_TICKET = (
    *_columns(
        integers="id requester_id submitter_id assignee_id group_id organization_id brand_id ticket_form_id problem_id "
        "forum_topic_id",
        times=f"{_TIMES} due_at",
        texts="status priority type subject description external_id recipient url",
        flags="is_public has_incidents allow_channelback",
    ),
    ShapeColumn("via_channel", "text", "t.via"),
)
_USER = _columns(
    integers="id organization_id locale_id",
    times=f"{_TIMES} last_login_at",
    texts="role name alias email phone locale time_zone external_id ticket_restriction url details notes",
    flags="active suspended verified shared shared_agent moderator restricted_agent only_private_comments "
    "chat_only two_factor_auth_enabled",
)
_ORGANIZATION = _columns(
    integers="id group_id",
    times=_TIMES,
    texts="name external_id url details notes",
    flags="shared_tickets shared_comments",
)
_GROUP = _columns(integers="id", times=_TIMES, texts="name url")
_BRAND = _columns(integers="id", texts="name subdomain brand_url url help_center_state", flags="active has_help_center")
_TICKET_FORM = _columns(integers="id", times=_TIMES, texts="name display_name", flags="active end_user_visible")


def _objects() -> list[ShapeView]:
    """The views with one row for each object."""
    views = [
        ("ticket", "tickets", _TICKET, "t.status = 'deleted'"),
        ("user", "users", _USER, "NOT t.active"),
        ("organization", "organizations", _ORGANIZATION, "t.deleted_at IS NOT NULL"),
        ("group", "groups", _GROUP, "t.deleted OR {gone}"),
        ("brand", "brands", _BRAND, "t.is_deleted OR {gone}"),
        ("ticket_form_history", "ticket_forms", _TICKET_FORM, "{gone}"),
    ]
    return [
        ShapeView(
            name,
            (*columns, _deleted(deleted.format(gone=_gone(resource))), _SYNCED),
            _table(resource),
        )
        for name, resource, columns, deleted in views
    ]


def _events(json: JsonSyntax) -> list[ShapeView]:
    """The views that are derived from events."""
    loaded = "(SELECT max(loaded_at) FROM $schema.loaded_slices WHERE resource = '{}')"
    history = _columns(integers="ticket_id user_id", times="updated", texts="field_name value")
    synced = ShapeColumn("_fivetran_synced", "timestamp", loaded.format("ticket_events"))
    comments = _columns(integers="id ticket_id user_id", times="created", texts="body", flags="public")
    kinds = {"voice_comment": "= 'VoiceComment'", "facebook_comment": "LIKE 'Facebook%'", "tweet": "= 'Tweet'"}
    flags = [ShapeColumn(name, "boolean", f"coalesce(t.event_type {kind}, false)") for name, kind in kinds.items()]
    targets = "$schema.sla_targets AS s JOIN $schema.ticket_metric_events AS e ON e.id = s.id AND e.type = 'apply_sla'"
    applied = (
        ShapeColumn("ticket_id", "integer", "t.ticket_id"),
        ShapeColumn("sla_policy_id", "integer", json.integer.format("t.policy_id")),
        ShapeColumn("policy_applied_at", "timestamp", "min(t.applied_at)"),
        ShapeColumn("_fivetran_synced", "timestamp", loaded.format("ticket_metric_events")),
    )
    return [
        ShapeView("ticket_field_history", (*history, synced), f"FROM (\n{_history(targets)}\n) AS t"),
        ShapeView("ticket_comment", (*comments, *flags, synced), "FROM $schema.ticket_comments AS t"),
        ShapeView(
            "ticket_sla_policy",
            applied,
            f"FROM (SELECT s.* FROM {targets}) AS t\nWHERE t.policy_id IS NOT NULL\nGROUP BY t.ticket_id, t.policy_id",
        ),
    ]


def _history(targets: str) -> str:
    """Field history, with a row for each SLA target that was applied, and for its policy.

    The first instance of ``reply_time`` is the first reply; the others are the next ones.
    """
    metric = (
        "CASE WHEN s.metric <> 'reply_time' THEN s.metric WHEN s.instance_id = 1 THEN 'first_reply_time' "
        "ELSE 'next_reply_time' END"
    )
    hours = "CASE WHEN s.business_hours THEN 'true' ELSE 'false' END"
    value = f"""'{{"minutes": ' || s.target_minutes || ', "in_business_hours": ' || {hours} || '}}'"""
    return "\nUNION ALL\n".join(
        [
            "SELECT ticket_id, user_id, updated, field_name, value FROM $schema.ticket_field_history",
            f"SELECT s.ticket_id, NULL, s.applied_at, {metric}, {value} FROM {targets}",
            f"SELECT s.ticket_id, NULL, s.applied_at, 'sla_policy', s.policy_title FROM {targets}",
        ]
    )


def _members(json: JsonSyntax) -> list[ShapeView]:
    """The views with one row for each member of an array."""
    views = []
    for name, resource, key, array, column in (
        ("ticket_tag", "tickets", "ticket_id", "tags", "tag"),
        ("user_tag", "users", "user_id", "tags", "tag"),
        ("organization_tag", "organizations", "organization_id", "tags", "tag"),
        ("domain_name", "organizations", "organization_id", "domain_names", "domain_name"),
    ):
        columns = [ShapeColumn(key, "integer", "t.id"), ShapeColumn(column, "text", "t.member")]
        if name == "domain_name":
            place = "row_number() OVER (PARTITION BY t.id ORDER BY t.member) - 1"
            columns.append(ShapeColumn("index", "integer", place))
        source = f"{_each(resource, json.texts.format(array))}\nWHERE t.member IS NOT NULL"
        views.append(ShapeView(name, (*columns, _SYNCED), source))
    return views


def _policies(json: JsonSyntax) -> list[ShapeView]:
    """The views of SLA policies, and of their targets."""
    ids = [
        ShapeColumn("sla_policy_id", "integer", "t.id"),
        ShapeColumn("sla_policy_updated_at", "timestamp", "t.updated_at"),
    ]
    target = [_member("metric"), _member("priority"), _integer_member("target", json)]
    hours = ShapeColumn("business_hours", "boolean", "(t.member ->> 'business_hours') = 'true'")
    return [
        ShapeView(
            "sla_policy_history",
            (*_columns(integers="id", times=_TIMES, texts="title description"), _SYNCED),
            _table("sla_policies"),
        ),
        ShapeView(
            "sla_policy_metric_history",
            (*ids, *target, hours, _SYNCED),
            _each("sla_policies", json.objects.format("policy_metrics")),
        ),
    ]


def _schedules(json: JsonSyntax) -> list[ShapeView]:
    """The views with one row for each interval and each holiday of a schedule."""
    schedule = _columns(integers="id", times="created_at", texts="name time_zone")
    hours = [_integer_member("start_time", json), _integer_member("end_time", json)]
    holiday = [_integer_member("id", json), ShapeColumn("schedule_id", "integer", "t.id"), _member("name")]
    dates = [_member("start_date"), _member("end_date")]
    gone = _deleted(_gone("schedules"))
    return [
        ShapeView("schedule", (*schedule, *hours, gone, _SYNCED), _each("schedules", json.objects.format("intervals"))),
        ShapeView(
            "schedule_holiday", (*holiday, *dates, gone, _SYNCED), _each("schedules", json.objects.format("holidays"))
        ),
    ]


def _each(resource: str, members: str) -> str:
    """The rows of a resource, once for each ``member`` of an array, with the time of their load."""
    return _table(resource, f"(SELECT *, {members} AS member FROM $schema.{resource})")


def _member(name: str) -> ShapeColumn:
    return ShapeColumn(name, "text", f"(t.member ->> '{name}')")


def _integer_member(name: str, json: JsonSyntax) -> ShapeColumn:
    return ShapeColumn(name, "integer", json.integer.format(_member(name).expression))
