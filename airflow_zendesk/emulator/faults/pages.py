"""Faults of pages: JSON that Zendesk never documented, and paging that breaks its own rules. Page in, page out."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from airflow_zendesk.emulator.messages import Json
from airflow_zendesk.emulator.wire import iso

_DAY = 86_400
#: Copies of events get ids of one digit less: no event of the desk has such a one.
_TO_A_FREE_ID = 9_000_000_000_000


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page as it is being written.

    Args:
        resource: What is exported.
        start_time: The second asked for.
        items: The records.
        rest: Whatever else stands beside them; `count` is that of the items if it does not stand there.
        before: The records of the page before; none on the first.
    """

    resource: str
    start_time: int
    items: Sequence[Any]
    rest: Json
    before: Sequence[Json]

    @classmethod
    def read(cls, resource: str, start_time: int, body: bytes, before: Sequence[Json]) -> "Sheet":
        """The page that an honest answer holds."""
        rest: Json = json.loads(body)
        items = rest.pop(resource)
        del rest["count"]
        return cls(resource, start_time, items, rest, before)

    def write(self) -> bytes:
        """The body of the answer; literals stand in it as they are."""
        literals: list[bytes] = []

        def mark(value: object) -> str:
            assert isinstance(value, _Literal)
            literals.append(value.text)
            return f"literal {len(literals)} of the emulator"

        whole = {self.resource: self.items, "count": len(self.items)} | self.rest
        body = json.dumps(whole, ensure_ascii=False, separators=(",", ":"), default=mark).encode()
        for number, text in enumerate(literals, start=1):
            body = body.replace(b'"literal %d of the emulator"' % number, text)
        return body


@dataclass(frozen=True, slots=True)
class _Literal:
    """What no JSON library would write."""

    text: bytes


def shuffled(page: Sheet) -> Sheet:
    """The records of the page come in any order."""
    items = list(page.items)
    random.Random(page.start_time).shuffle(items)  # noqa: S311 - no secret
    return replace(page, items=items)


def duplicates_inside(page: Sheet, *, records: int = 3) -> Sheet:
    """So many records stand on the page twice."""
    return replace(page, items=[*page.items, *page.items[:records]])


def duplicates_across(page: Sheet, *, records: int = 3) -> Sheet:
    """So many records of the page before come again."""
    return replace(page, items=[*page.before[:records], *page.items])


def two_bodies(page: Sheet, *, records: int = 1) -> Sheet:
    """So many records stand on the page twice, the second time with another body."""
    changed = [_with(item, {"via": "Changed"}) for item in page.items[-records:]]
    return replace(page, items=[*page.items, *changed])


def older_records(page: Sheet, *, records: int = 3, days: int = 7) -> Sheet:
    """So many records that nobody has seen yet are older than what was asked for."""
    return replace(page, items=[*(_age(item, days * _DAY) for item in page.items[:records]), *page.items])


def empty_page(page: Sheet, *, jumps: bool = False) -> Sheet:
    """The page has no records; its `end_time` is the `start_time`, or jumps over those that should be there."""
    rest = page.rest if jumps else page.rest | {"end_time": page.start_time}
    return replace(page, items=[], rest=rest | {"end_of_stream": False})


def end_time(page: Sheet, *, value: int | str | None = None) -> Sheet:
    """The page has another `end_time`: null, a number, or `start`, `back` (an hour before), `ahead` (an hour after)."""
    named = {"start": page.start_time, "back": page.start_time - 3_600, "ahead": page.start_time + 3_600}
    return replace(page, rest=page.rest | {"end_time": named.get(value, value) if isinstance(value, str) else value})


def end_of_stream(page: Sheet, *, value: bool | None = True) -> Sheet:
    """The page has another `end_of_stream`: true although more is to come, false although nothing is, or null."""
    return replace(page, rest=page.rest | {"end_of_stream": value})


def missing_key(page: Sheet, *, key: str = "end_of_stream") -> Sheet:
    """A key of the page, other than its records and their count, is not there."""
    return replace(page, rest={name: value for name, value in page.rest.items() if name != key})


def next_page(page: Sheet, *, url: str | None = "https://elsewhere.example.com/api/v2/next") -> Sheet:
    """The page leads to another host."""
    return replace(page, rest=page.rest | {"next_page": url})


def count(page: Sheet, *, more: int = 1) -> Sheet:
    """The page promises so many records more than it has."""
    return replace(page, rest=page.rest | {"count": len(page.items) + more})


def unknown_fields(page: Sheet) -> Sheet:
    """Keys that nobody has heard of, in the page and in each record."""
    unheard: Json = {"unheard_text": "news", "unheard_object": {"a": [1, 2.5, None, True]}}
    return replace(_put(page, unheard), rest=page.rest | unheard)


def changed_types(page: Sheet) -> Sheet:
    """Values of another type than ever before, in each record."""
    texts: Json = {"ticket_id": "12", "child_events": "none"}
    return _put(page, texts | {"via": 7, "updater_id": {"id": 5}, "event_type": ["Audit"]})


def no_id(page: Sheet) -> Sheet:
    """The last record has no `id`."""
    return _change_last(page, lambda item: {key: value for key, value in item.items() if key != "id"})


def no_object(page: Sheet) -> Sheet:
    """The last record is no object."""
    return _change_last(page, lambda _: "record")


def huge_integers(page: Sheet, *, key: str = "updater_id") -> Sheet:
    """A number that no 64 bits hold, in each record."""
    return _put(page, {key: 2**70})


def not_a_number(page: Sheet, *, key: str = "updater_id") -> Sheet:
    """NaN, which is not JSON, in each record."""
    return _put(page, {key: _Literal(b"NaN")})


def lone_surrogates(page: Sheet, *, key: str = "via") -> Sheet:
    """Half of an emoji in a text of each record."""
    return _put(page, {key: _Literal(rb'"half \ud83d of it"')})


def nul_characters(page: Sheet, *, key: str = "via") -> Sheet:
    """A NUL in a text of each record."""
    return _put(page, {key: "zero \0 byte"})


def invalid_utf8(page: Sheet, *, key: str = "via") -> Sheet:
    """A byte that is not UTF-8 in a text of each record."""
    return _put(page, {key: _Literal(b'"byte \xff of no text"')})


def deep_nesting(page: Sheet, *, key: str = "metadata", depth: int = 100_000) -> Sheet:
    """Arrays in arrays, so many deep, in the last record."""
    return _change_last(page, lambda item: item | {key: _Literal(b"[" * depth + b"]" * depth)})


def _put(page: Sheet, members: Json) -> Sheet:
    return replace(page, items=[_with(item, members) for item in page.items])


def _with(item: Any, members: Json) -> Any:
    """A record with these members; what another fault has made no record of stays as it is."""
    return item | members if isinstance(item, dict) else item


def _change_last(page: Sheet, change: Callable[[Any], Any]) -> Sheet:
    """A page whose last record is changed, if it has any."""
    return replace(page, items=[*page.items[:-1], *map(change, page.items[-1:])])


def _age(item: Json, seconds: int) -> Json:
    """A copy of a record, older and with an id of its own."""
    aged = item | {"id": item["id"] - _TO_A_FREE_ID}
    if "timestamp" in item:
        aged["timestamp"] = item["timestamp"] - seconds
    for key in {"created_at", "time"} & item.keys():
        aged[key] = iso(int(datetime.fromisoformat(item[key]).timestamp()) - seconds)
    return aged
