"""Columns of the objects that events refer to: tickets, users, organizations, and the small lists.

Keys that are missing here are kept in ``extra``. ``timestamp`` is the time of the last change, by which Zendesk orders
an incremental export; in a list it is the time of the snapshot.

Sources: https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/#json-format and the same section of the
pages of users, organizations, groups, brands, ticket fields, ticket forms, SLA policies, schedules and custom statuses.
"""

from airflow_zendesk.zendesk.records import EXTRA, LATE, TIMESTAMP, Column, Kind


def _columns(**names: str) -> tuple[Column, ...]:
    """The columns that every object has, and those of one kind of object, by the kind of their values."""
    kinds: dict[str, Kind] = {
        "integers": "int64",
        "seconds": "unix",
        "times": "iso8601",
        "texts": "string",
        "flags": "bool",
        "channels": "via",
    }
    named = [Column(name, kinds.get(kind, "json")) for kind in names for name in names[kind].split()]
    return (
        Column("id", "int64", nullable=False),
        Column(TIMESTAMP, "unix", nullable=False),
        Column("created_at", "iso8601"),
        Column("updated_at", "iso8601"),
        *named,
        Column(LATE, "bool", nullable=False),
        Column(EXTRA, "json"),
    )


TICKETS = _columns(
    integers="requester_id submitter_id assignee_id group_id organization_id brand_id ticket_form_id custom_status_id "
    "problem_id forum_topic_id",
    seconds="generated_timestamp",
    times="due_at",
    texts="url external_id encoded_id type subject raw_subject description priority status recipient support_type",
    channels="via",
    flags="is_public has_incidents allow_channelback allow_attachments from_messaging_channel",
    json="tags custom_fields collaborator_ids follower_ids email_cc_ids sharing_agreement_ids satisfaction_rating "
    "metric_set followup_ids fields",
)
USERS = _columns(
    integers="organization_id default_group_id custom_role_id role_type locale_id",
    times="last_login_at",
    texts="url external_id name alias email phone role locale time_zone iana_time_zone details notes signature "
    "ticket_restriction",
    flags="active suspended verified shared shared_agent restricted_agent moderator shared_phone_number "
    "two_factor_auth_enabled only_private_comments report_csv chat_only",
    json="tags user_fields photo",
)
ORGANIZATIONS = _columns(
    integers="group_id",
    times="deleted_at",
    texts="url external_id name details notes",
    flags="shared_tickets shared_comments",
    json="tags domain_names organization_fields",
)
GROUPS = _columns(texts="url name description", flags="default deleted is_public")
BRANDS = _columns(
    texts="url name subdomain brand_url host_mapping help_center_state signature_template",
    flags="active default is_deleted has_help_center",
    json="ticket_form_ids logo",
)
TICKET_FIELDS = _columns(
    integers="position creator_user_id",
    texts="url type key title raw_title description raw_description agent_description title_in_portal "
    "raw_title_in_portal tag regexp_for_validation relationship_target_type",
    flags="active agent_can_edit required removable visible_in_portal editable_in_portal required_in_portal "
    "collapsed_for_agents",
    json="system_field_options custom_field_options",
)
TICKET_FORMS = _columns(
    integers="position",
    texts="url name raw_name display_name raw_display_name",
    flags="active default end_user_visible in_all_brands",
    json="ticket_field_ids restricted_brand_ids agent_conditions end_user_conditions",
)
SLA_POLICIES = _columns(integers="position", texts="url title description", json="filter policy_metrics")
SCHEDULES = _columns(texts="name time_zone", json="intervals holidays")
CUSTOM_STATUSES = _columns(
    texts="url status_category agent_label raw_agent_label end_user_label raw_end_user_label description "
    "raw_description end_user_description raw_end_user_description",
    flags="active default",
)
CUSTOM_ROLES = _columns(integers="role_type team_member_count", texts="name description", json="configuration")
