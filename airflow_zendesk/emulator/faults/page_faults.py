"""Page faults: JSON that Zendesk never documented, and paging that breaks its own rules. They map a page to another."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from airflow_zendesk.emulator.messages import Json, Request
from airflow_zendesk.emulator.serialization import iso_time

_DAY = 86_400
#: Copied events get ids with one digit less, and copied tickets longer ones; the simulator never uses them.
_OFFSET_TO_UNUSED_IDS = 9_000_000_000_000


@dataclass(frozen=True, slots=True)
class PageDraft:
    """The content of a page before it is encoded.

    Args:
        resource: The exported resource.
        start_time: The requested second; 0 if there was none.
        items: The records.
        rest: The other keys of the page. A `count` is only among them if it is another number than that of the items.
        previous: The records of the previous page; empty on the first page.
        cursor: The requested cursor, if there was one.
        is_counted: Whether the page has the number of its items, as `count`.
    """

    resource: str
    start_time: int
    items: Sequence[Any]
    rest: Json
    previous: Sequence[Json]
    cursor: str | None = None
    is_counted: bool = True

    @classmethod
    def of(cls, request: Request, body: bytes, previous: Sequence[Json]) -> "PageDraft":
        """Return the content of an undamaged page."""
        rest: Json = json.loads(body)
        items = rest.pop(request.resource)
        is_counted = rest.get("count") == len(items)
        if is_counted:
            del rest["count"]
        start_time = request.integer("start_time", 0)
        return cls(request.resource, start_time, items, rest, previous, request.cursor, is_counted)

    def encode(self) -> bytes:
        """Return the body of the response; literals are inserted unchanged."""
        literals: list[bytes] = []

        def placeholder(value: object) -> str:
            assert isinstance(value, _Literal)
            literals.append(value.text)
            return f"literal {len(literals)} of the emulator"

        counted = {"count": len(self.items)} if self.is_counted else {}
        whole = {self.resource: self.items} | counted | self.rest
        body = json.dumps(whole, ensure_ascii=False, separators=(",", ":"), default=placeholder).encode()
        for number, text in enumerate(literals, start=1):
            body = body.replace(b'"literal %d of the emulator"' % number, text)
        return body


@dataclass(frozen=True, slots=True)
class _Literal:
    """Bytes that no JSON library would write."""

    text: bytes


def shuffled(page: PageDraft) -> PageDraft:
    """The records of the page are in random order."""
    items = list(page.items)
    random.Random(page.start_time).shuffle(items)  # noqa: S311 - no secret
    return replace(page, items=items)


def duplicates_inside(page: PageDraft, *, records: int = 3) -> PageDraft:
    """The first records of the page are repeated at its end."""
    return replace(page, items=[*page.items, *page.items[:records]])


def duplicates_across(page: PageDraft, *, records: int = 3) -> PageDraft:
    """The first records of the previous page are repeated on this page."""
    return replace(page, items=[*page.previous[:records], *page.items])


def conflicting_duplicates(page: PageDraft, *, records: int = 1) -> PageDraft:
    """The last records of the page are repeated with another body."""
    changed = [_with(item, {"via": "Changed"}) for item in page.items[-records:]]
    return replace(page, items=[*page.items, *changed])


def older_records(page: PageDraft, *, records: int = 3, days: int = 7) -> PageDraft:
    """The page has additional records that are older than the requested time."""
    return replace(page, items=[*(_aged(item, days * _DAY) for item in page.items[:records]), *page.items])


def empty_page(page: PageDraft, *, jumps: bool = False) -> PageDraft:
    """The page has no records; its `end_time` or cursor stays that of the request, or (with `jumps`) skips records."""
    stuck = {"end_time": page.start_time, "after_cursor": page.cursor} if not jumps else {}
    changed = {name: value for name, value in (stuck | {"end_of_stream": False}).items() if name in page.rest}
    return replace(page, items=[], rest=page.rest | changed)


def end_time(page: PageDraft, *, value: int | str | None = None) -> PageDraft:
    """The `end_time` is null, a number, `start`, `back` (an hour before `start_time`) or `ahead` (an hour after)."""
    named = {"start": page.start_time, "back": page.start_time - 3_600, "ahead": page.start_time + 3_600}
    return replace(page, rest=page.rest | {"end_time": named.get(value, value) if isinstance(value, str) else value})


def end_of_stream(page: PageDraft, *, value: bool | None = True) -> PageDraft:
    """The `end_of_stream` is true although more records follow, false although none follow, or null."""
    return replace(page, rest=page.rest | {"end_of_stream": value})


def missing_key(page: PageDraft, *, key: str = "end_of_stream") -> PageDraft:
    """A key of the page is missing; the records and their count cannot be removed."""
    return replace(page, rest={name: value for name, value in page.rest.items() if name != key})


def next_page(page: PageDraft, *, url: str | None = "https://elsewhere.example.com/api/v2/next") -> PageDraft:
    """The URL of the next page (`next_page`, `after_url` or `links.next`) points to another host."""
    changed: Json = {name: url for name in ("next_page", "after_url") if name in page.rest}
    if "links" in page.rest:
        changed["links"] = page.rest["links"] | {"next": url}
    return replace(page, rest=page.rest | changed)


def count(page: PageDraft, *, more: int = 1) -> PageDraft:
    """The `count` is higher than the number of records on the page."""
    return replace(page, rest=page.rest | {"count": len(page.items) + more})


def unknown_fields(page: PageDraft) -> PageDraft:
    """The page and each record have unknown keys."""
    unknown: Json = {"unknown_text": "news", "unknown_object": {"a": [1, 2.5, None, True]}}
    return replace(_with_members(page, unknown), rest=page.rest | unknown)


def changed_types(page: PageDraft) -> PageDraft:
    """Some values of each record have another type than usual."""
    texts: Json = {"ticket_id": "12", "child_events": "none"}
    return _with_members(page, texts | {"via": 7, "updater_id": {"id": 5}, "event_type": ["Audit"]})


def missing_id(page: PageDraft) -> PageDraft:
    """The last record has no `id`."""
    return _change_last(page, lambda item: {key: value for key, value in item.items() if key != "id"})


def not_an_object(page: PageDraft) -> PageDraft:
    """The last record is a string instead of an object."""
    return _change_last(page, lambda _: "record")


def huge_integers(page: PageDraft, *, key: str = "updater_id") -> PageDraft:
    """A key of each record holds an integer that needs more than 64 bits."""
    return _with_members(page, {key: 2**70})


def not_a_number(page: PageDraft, *, key: str = "updater_id") -> PageDraft:
    """A key of each record holds NaN, which is not valid JSON."""
    return _with_members(page, {key: _Literal(b"NaN")})


def lone_surrogates(page: PageDraft, *, key: str = "via") -> PageDraft:
    """A key of each record holds a lone surrogate, which is half of an emoji."""
    return _with_members(page, {key: _Literal(rb'"half \ud83d of it"')})


def nul_characters(page: PageDraft, *, key: str = "via") -> PageDraft:
    """A key of each record holds text with a NUL character."""
    return _with_members(page, {key: "zero \0 byte"})


def invalid_utf8(page: PageDraft, *, key: str = "via") -> PageDraft:
    """A key of each record holds a byte that is not valid UTF-8."""
    return _with_members(page, {key: _Literal(b'"byte \xff of no text"')})


def deep_nesting(page: PageDraft, *, key: str = "metadata", depth: int = 100_000) -> PageDraft:
    """A key of the last record holds arrays nested this deep."""
    return _change_last(page, lambda item: item | {key: _Literal(b"[" * depth + b"]" * depth)})


def _with_members(page: PageDraft, members: Json) -> PageDraft:
    return replace(page, items=[_with(item, members) for item in page.items])


def _with(item: Any, members: Json) -> Any:
    """Return the record with these members; an item that another fault turned into something else stays as it is."""
    return item | members if isinstance(item, dict) else item


def _change_last(page: PageDraft, change: Callable[[Any], Any]) -> PageDraft:
    """Return the page with its last record changed, if it has any."""
    return replace(page, items=[*page.items[:-1], *map(change, page.items[-1:])])


def _aged(item: Json, seconds: int) -> Json:
    """Return an older copy of a record, with its own id."""
    offset = _OFFSET_TO_UNUSED_IDS if item["id"] < _OFFSET_TO_UNUSED_IDS else -_OFFSET_TO_UNUSED_IDS
    aged = item | {"id": item["id"] + offset}
    for key in {"timestamp", "generated_timestamp"} & item.keys():
        aged[key] = item[key] - seconds
    for key in {"created_at", "updated_at", "time"} & item.keys():
        aged[key] = iso_time(int(datetime.fromisoformat(item[key]).timestamp()) - seconds)
    return aged
