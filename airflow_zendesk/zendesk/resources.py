"""The supported incremental exports and their parameters."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.zendesk import objects, ticket_events, ticket_metric_events
from airflow_zendesk.zendesk.privacy import Privacy, option_names
from airflow_zendesk.zendesk.rate_limit import ACCOUNT, EXPORTS, USER_EXPORTS, RateLimit
from airflow_zendesk.zendesk.records import EVENT_TIMES, Column

#: "Lists tickets by support type"; Zendesk's own default, ``agent``, silently leaves out tickets of AI agents.
SUPPORT_TYPE_SCOPES = ("all", "agent", "ai_agent")

#: "Use this endpoint to test the incremental export format": a few records, with a rate limit of its own.
SAMPLE_PATH = "/api/v2/incremental/ticket_events/sample"
#: Any time works; this is the year 2020.
SAMPLE_START_TIME = 1_577_836_800


#: How the pages of a resource follow one another: by ``start_time`` and ``end_time``, or by the cursor of an export; in
#: a list by cursor or by page number, or there is a single page.
Paging = Literal["time", "cursor", "list_cursor", "list_number", "list_single"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource of Zendesk's API.

    Args:
        name: the key of the records in a response.
        path: the path on the account's host.
        columns: the columns of its slices.
        paging: how its pages follow one another.
        times: the keys of a record's time, in the order of preference; lists have the time of the snapshot.
        is_state: whether its records are objects that change, each with its latest version, and not events.
        sideloads: what ``include`` can add.
        has_support_type_scope: whether it has the parameter ``support_type_scope``.
        fixed_params: further parameters of each request.
        embedded: the key of a list of each object that has a path of its own; it is stored in the column of that name.
        rate_limit: the limit of its requests.
    """

    name: str
    path: str
    columns: tuple[Column, ...]
    paging: Paging = "time"
    times: tuple[str, ...] = EVENT_TIMES
    is_state: bool = False
    sideloads: tuple[str, ...] = ()
    has_support_type_scope: bool = False
    fixed_params: tuple[tuple[str, str], ...] = ()
    embedded: str | None = None
    rate_limit: RateLimit = EXPORTS

    @property
    def is_list(self) -> bool:
        """Whether each export is a snapshot of the whole list, and has no window."""
        return self.paging.startswith("list")

    @property
    def noun(self) -> str:
        """What its records are, in messages."""
        return "objects" if self.is_state else "events"

    @property
    def has_moving_objects(self) -> bool:
        """Whether an object that changes again leaves its place in the export."""
        return self.is_state and not self.is_list


def _export(name: str, columns: tuple[Column, ...], path: str = "", **options: Any) -> Resource:
    return Resource(name=name, path=f"/api/v2/incremental/{path or name}", columns=columns, **options)


def _list(name: str, columns: tuple[Column, ...], paging: Paging, path: str = "", **options: Any) -> Resource:
    return Resource(
        name=name,
        path=f"/api/v2/{path or name}",
        columns=columns,
        paging=paging,
        is_state=True,
        rate_limit=ACCOUNT,
        **options,
    )


#: Tickets are ordered by ``generated_timestamp``, which also changes when Zendesk itself updates a ticket.
_TICKET_TIMES, _UPDATED_AT = ("generated_timestamp", "updated_at"), ("updated_at",)

RESOURCES = {
    resource.name: resource
    for resource in (
        _export("ticket_events", ticket_events.COLUMNS, sideloads=("comment_events",), has_support_type_scope=True),
        _export("ticket_metric_events", ticket_metric_events.COLUMNS),
        _export(
            "tickets",
            objects.TICKETS,
            "tickets/cursor",
            paging="cursor",
            times=_TICKET_TIMES,
            is_state=True,
            sideloads=("metric_sets",),
            has_support_type_scope=True,
        ),
        _export(
            "users",
            objects.USERS,
            "users/cursor",
            paging="cursor",
            times=_UPDATED_AT,
            is_state=True,
            rate_limit=USER_EXPORTS,
        ),
        _export("organizations", objects.ORGANIZATIONS, times=_UPDATED_AT, is_state=True),
        _list("groups", objects.GROUPS, "list_cursor", fixed_params=(("exclude_deleted", "false"),)),
        _list("brands", objects.BRANDS, "list_cursor"),
        _list("ticket_fields", objects.TICKET_FIELDS, "list_cursor"),
        _list("ticket_forms", objects.TICKET_FORMS, "list_number"),
        _list("sla_policies", objects.SLA_POLICIES, "list_number", "slas/policies"),
        _list("schedules", objects.SCHEDULES, "list_single", "business_hours/schedules", embedded="holidays"),
        _list("custom_statuses", objects.CUSTOM_STATUSES, "list_single"),
        _list("custom_roles", objects.CUSTOM_ROLES, "list_single"),
    )
}


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of an export that are the same for every page, and the privacy settings of its events."""

    resource: Resource
    include: tuple[str, ...] = ()
    support_type_scope: str | None = None
    privacy: Privacy = field(default_factory=Privacy)

    @classmethod
    def of(
        cls,
        resource: str,
        include: Iterable[str] = (),
        support_type_scope: str = "all",
        *,
        private_comments: bool = False,
        drop_fields: Iterable[str] = (),
        hash_fields: Iterable[str] = (),
    ) -> "Query":
        """The query with the parameters of Zendesk's reference; for the last three see ``Privacy``.

        Raises:
            SettingsError: the export or one of its options is unknown; Zendesk would silently ignore the option.
        """
        if not isinstance(resource, str) or resource not in RESOURCES:
            raise SettingsError(f"The resource {resource!r} is unknown. Use one of {', '.join(RESOURCES)}.")
        found = RESOURCES[resource]
        sideloads = option_names("include", include)
        if unknown := set(sideloads) - set(found.sideloads):
            offered = ", ".join(found.sideloads) or "none"
            raise SettingsError(
                f"{resource} has no sideload {', '.join(sorted(unknown))!r}. Sideloads to include: {offered}."
            )
        if support_type_scope not in SUPPORT_TYPE_SCOPES:
            raise SettingsError(
                f"support_type_scope {support_type_scope!r} is unknown. Use one of {', '.join(SUPPORT_TYPE_SCOPES)}."
            )
        if private_comments and "comment_events" not in sideloads and resource != "tickets":
            raise SettingsError(
                "private_comments needs the texts of comments. Include the sideload comment_events too."
            )
        privacy = Privacy.of(
            found.columns,
            private_comments=private_comments,
            drop_fields=drop_fields,
            hash_fields=hash_fields,
            can_hash_id=found.name == "users",
        )
        return cls(found, sideloads, support_type_scope if found.has_support_type_scope else None, privacy)

    def params(self, **page: str | int) -> dict[str, str | int]:
        """The query string of the page that these parameters choose."""
        params = page | dict(self.resource.fixed_params)
        if self.include:
            params["include"] = ",".join(self.include)
        if self.support_type_scope:
            params["support_type_scope"] = self.support_type_scope
        return params
