"""Page faults of cursor exports and lists: cursors that do not advance, and objects that lack what identifies them.

They map a page to another, and do nothing to a page that has no such key. An object that is out of order is `shuffled`,
one without an id is `missing_id`, and one on two consecutive pages is `duplicates_across`.
"""

from dataclasses import replace

from airflow_zendesk.emulator.faults.page_faults import PageDraft
from airflow_zendesk.emulator.messages import Json

_TIMES = {"generated_timestamp", "updated_at", "created_at", "timestamp", "time"}
_LONG_CURSOR = "x" * 5_000


def after_cursor(page: PageDraft, *, value: str | None = None) -> PageDraft:
    """The `after_cursor` is null, `same` (that of the request), `long` (5,000 characters) or another text."""
    changed = {"same": page.cursor, "long": _LONG_CURSOR}.get(value, value) if value else value
    if "after_cursor" in page.rest:
        return replace(page, rest=page.rest | {"after_cursor": changed})
    if "meta" in page.rest:
        return replace(page, rest=page.rest | {"meta": page.rest["meta"] | {"after_cursor": changed}})
    return page


def other_key(page: PageDraft, *, key: str = "satisfaction_ratings") -> PageDraft:
    """The records are under the key of another resource."""
    return replace(page, resource=key)


def missing_time(page: PageDraft) -> PageDraft:
    """The last record has no time, under any of the keys by which exports are ordered."""
    last = [_without_times(item) for item in page.items[-1:]]
    return replace(page, items=[*page.items[:-1], *last])


def half_list(page: PageDraft) -> PageDraft:
    """The second half of a list is missing, and its page says that no more records follow; exports are left alone."""
    if "end_of_stream" in page.rest:
        return page
    rest = page.rest
    if "next_page" in rest:
        rest = rest | {"next_page": None}
    if "meta" in rest:
        rest = rest | {
            "meta": rest["meta"] | {"has_more": False, "after_cursor": None},
            "links": rest["links"] | {"next": None},
        }
    return replace(page, items=page.items[: len(page.items) // 2], rest=rest)


def _without_times(item: Json | str) -> Json | str:
    """Return a record without its times; an item that another fault turned into something else stays as it is."""
    return {key: value for key, value in item.items() if key not in _TIMES} if isinstance(item, dict) else item
