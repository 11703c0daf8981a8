"""The supported incremental exports and their parameters."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.zendesk import ticket_events, ticket_metric_events
from airflow_zendesk.zendesk.privacy import Privacy, option_names
from airflow_zendesk.zendesk.records import Column

#: "Lists tickets by support type"; Zendesk's own default, ``agent``, silently leaves out tickets of AI agents.
SUPPORT_TYPE_SCOPES = ("all", "agent", "ai_agent")

#: "Use this endpoint to test the incremental export format": a few records, with a rate limit of its own.
SAMPLE_PATH = "/api/v2/incremental/ticket_events/sample"
#: Any time works; this is the year 2020.
SAMPLE_START_TIME = 1_577_836_800


@dataclass(frozen=True, slots=True)
class Resource:
    """One incremental export; its name is Zendesk's path segment and the key of the records in a response."""

    name: str
    columns: tuple[Column, ...]
    sideloads: tuple[str, ...] = ()
    has_support_type_scope: bool = False

    @property
    def path(self) -> str:
        """The path of the time-based export on the account's host."""
        return f"/api/v2/incremental/{self.name}"


RESOURCES = {
    resource.name: resource
    for resource in (
        Resource("ticket_events", ticket_events.COLUMNS, ("comment_events",), has_support_type_scope=True),
        Resource("ticket_metric_events", ticket_metric_events.COLUMNS),
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
        if private_comments and "comment_events" not in sideloads:
            raise SettingsError(
                "private_comments needs the texts of comments. Include the sideload comment_events too."
            )
        privacy = Privacy.of(
            found.columns, private_comments=private_comments, drop_fields=drop_fields, hash_fields=hash_fields
        )
        return cls(found, sideloads, support_type_scope if found.has_support_type_scope else None, privacy)

    def params(self, start_time: int, per_page: int) -> dict[str, str | int]:
        """The query string of one page."""
        params: dict[str, str | int] = {"start_time": start_time, "per_page": per_page}
        if self.include:
            params["include"] = ",".join(self.include)
        if self.support_type_scope:
            params["support_type_scope"] = self.support_type_scope
        return params
