"""Zendesk's lists: small collections that are read as a whole, because they have no incremental export.

Their pages follow one another in three ways. By cursor: `page[size]`, `page[after]`, and `meta.has_more` in the
response. By number: `page`, `per_page`, and `next_page` in the response. Or there is a single page. A page has at most
100 records. See https://developer.zendesk.com/api-reference/introduction/pagination/
"""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from airflow_zendesk.emulator.cursor_pages import Position, encode_cursor
from airflow_zendesk.emulator.limits import Limits
from airflow_zendesk.emulator.list_records import LISTS, holidays
from airflow_zendesk.emulator.messages import ApiError, Json, Request
from airflow_zendesk.emulator.parameters import issue_number, page_size, position_of, required_integer
from airflow_zendesk.emulator.serialization import encode_page

_MAX_PER_PAGE = 100


def respond_with_list(request: Request, limits: Limits) -> str:
    """Return the body of the requested page of a list."""
    records = [record for record in all_records(request) if _is_listed(record, request.parameters)]
    paging = request.endpoint.paging if request.endpoint else "list_single"
    if paging == "list_cursor":
        return _cursor_page(request, records, limits)
    if paging == "list_number":
        return _numbered_page(request, records)
    return encode_page(request.resource, records, {})


def all_records(request: Request) -> list[Json]:
    """Return the records of a list, including deleted ones."""
    if request.endpoint is None or request.endpoint.parent is None:
        return LISTS[request.resource]()
    found = holidays(request.endpoint.parent)
    if found is None:
        raise ApiError(404, {"error": "RecordNotFound", "description": "Not found"})
    return found


def _is_listed(record: Json, parameters: Mapping[str, str]) -> bool:
    """Whether a record is in the response: deleted groups are left out unless requested."""
    return not record.get("deleted") or parameters.get("exclude_deleted") == "false"


def _cursor_page(request: Request, records: Sequence[Json], limits: Limits) -> str:
    """Return a page by cursor. Cursors are only set where there are more records in their direction."""
    size = page_size(request.parameters, "page[size]", _MAX_PER_PAGE) or _MAX_PER_PAGE
    after, before = request.parameters.get("page[after]"), request.parameters.get("page[before]")
    if after is not None:
        last_id = position_of(request, after, limits).id
        page = [record for record in records if record["id"] > last_id][:size]
    elif before is not None:
        first_id = position_of(request, before, limits).id
        page = [record for record in records if record["id"] < first_id][-size:]
    else:
        page = list(records[:size])
    follow = bool(page) and page[-1] is not records[-1]
    precede = bool(page) and page[0] is not records[0]
    next_cursor = _cursor(request, page[-1], limits) if follow else None
    previous_cursor = _cursor(request, page[0], limits) if precede else None
    envelope = {
        "meta": {
            "has_more": precede if after is None and before is not None else follow,
            "after_cursor": next_cursor,
            "before_cursor": previous_cursor,
        },
        "links": {
            "prev": _url(request, {"page[before]": previous_cursor}) if previous_cursor else None,
            "next": _url(request, {"page[after]": next_cursor}) if next_cursor else None,
        },
    }
    return encode_page(request.resource, page, envelope)


def _cursor(request: Request, record: Json, limits: Limits) -> str:
    return encode_cursor(request.resource, Position(0, record["id"]), issue_number(request, limits))


def _numbered_page(request: Request, records: Sequence[Json]) -> str:
    """Return a page by number; `count` is the number of records in the whole list."""
    number = required_integer({"page": "1"} | request.parameters, "page", at_least=1)
    size = page_size(request.parameters, "per_page", _MAX_PER_PAGE) or _MAX_PER_PAGE
    page = records[(number - 1) * size : number * size]
    envelope = {
        "next_page": _url(request, {"page": number + 1}) if number * size < len(records) else None,
        "previous_page": _url(request, {"page": number - 1}) if number > 1 else None,
        "count": len(records),
    }
    return encode_page(request.resource, page, envelope)


def _url(request: Request, changed: Mapping[str, object]) -> str:
    """Return the URL of another page; it echoes the other parameters."""
    moved = {"page[after]", "page[before]", "page"}
    kept = {name: value for name, value in request.parameters.items() if name not in moved}
    return f"{request.origin}{request.path}?{urlencode({**kept, **changed})}"
