"""The paths of Zendesk's API that the emulator serves to exporters, and how the pages of each follow one another."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

EXPORTS = "/api/v2/incremental/"
TOKENS = "/oauth/tokens"

#: `time`: `start_time` and `end_time`. `cursor`: the cursor of an export. `list_cursor`: `page[after]`. `list_number`:
#: `page`. `list_single`: one page.
Paging = Literal["time", "cursor", "list_cursor", "list_number", "list_single"]
#: Whose rate limit a request counts against, besides that of the account. Only the export of users has its own.
Bucket = Literal["exports", "users", "account"]

_HOLIDAYS = re.compile(r"/api/v2/business_hours/schedules/(\d+)/holidays")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint.

    Args:
        resource: The key of the records in a response.
        paging: How its pages follow one another.
        bucket: The rate limit that its requests count against.
        parent: The object in the path whose records it lists.
    """

    resource: str
    paging: Paging
    bucket: Bucket
    parent: int | None = None

    @property
    def is_list(self) -> bool:
        """Whether it lists a small collection as a whole."""
        return self.paging.startswith("list")


ENDPOINTS: Mapping[str, Endpoint] = {
    f"{EXPORTS}ticket_events": Endpoint("ticket_events", "time", "exports"),
    f"{EXPORTS}ticket_metric_events": Endpoint("ticket_metric_events", "time", "exports"),
    f"{EXPORTS}organizations": Endpoint("organizations", "time", "exports"),
    f"{EXPORTS}tickets/cursor": Endpoint("tickets", "cursor", "exports"),
    f"{EXPORTS}users/cursor": Endpoint("users", "cursor", "users"),
    "/api/v2/groups": Endpoint("groups", "list_cursor", "account"),
    "/api/v2/brands": Endpoint("brands", "list_cursor", "account"),
    "/api/v2/ticket_fields": Endpoint("ticket_fields", "list_cursor", "account"),
    "/api/v2/ticket_forms": Endpoint("ticket_forms", "list_number", "account"),
    "/api/v2/slas/policies": Endpoint("sla_policies", "list_number", "account"),
    "/api/v2/custom_statuses": Endpoint("custom_statuses", "list_single", "account"),
    "/api/v2/custom_roles": Endpoint("custom_roles", "list_single", "account"),
    "/api/v2/business_hours/schedules": Endpoint("schedules", "list_single", "account"),
}


def endpoint_of(path: str) -> Endpoint | None:
    """Return the endpoint of a path, which may end in `.json`, or None if there is none."""
    path = path.removesuffix(".json")
    if match := _HOLIDAYS.fullmatch(path):
        return Endpoint("holidays", "list_single", "account", parent=int(match[1]))
    return ENDPOINTS.get(path)


def bucket_of(path: str) -> Bucket | None:
    """Return the rate limit that requests for a path count against; unknown exports count as exports."""
    endpoint = endpoint_of(path)
    if endpoint is not None:
        return endpoint.bucket
    return "exports" if path.startswith(EXPORTS) else None
