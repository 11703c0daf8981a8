"""How Zendesk's cursor-based incremental export pages through objects.

1.  Objects ascend by the time of their last change, and within one second by id.
2.  The first request names a second, `start_time`, which is inclusive. Its response names a cursor, `after_cursor`: the
    position after the last object of the page. The next request names that cursor.
3.  A page never has more than N objects. A second with more of them continues on the next page, without repetition.
4.  The newest minute is withheld. An object that changed in it is on no page until that minute is over.
5.  If no objects remain, `end_of_stream` is true. `after_cursor` is still set: a client continues with it later.

The text of a cursor is opaque. Here it is a position with a checksum, and a cursor of one resource is invalid for
another. Zendesk's own words: https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/
"""

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice, takewhile
from typing import Any, Generic, NamedTuple, Protocol, TypeVar
from urllib.parse import urlencode

from airflow_zendesk.emulator.export_pages import WITHHELD_SECONDS

#: An id that is less than any other.
_BEFORE_ALL_IDS = -1
_CURSOR = re.compile(r"(\d+)\|(-1|\d+)\|(\d+)\|[0-9a-f]{8}", re.ASCII)


class Identified(Protocol):
    """Anything with a timestamp and an id."""

    @property
    def timestamp(self) -> int:
        """Unix seconds."""

    @property
    def id(self) -> int:
        """The id."""


Item = TypeVar("Item", bound=Identified)


class Position(NamedTuple):
    """The place after an object: the second of its last change, and its id."""

    second: int
    id: int = _BEFORE_ALL_IDS


@dataclass(frozen=True, slots=True)
class CursorPage(Generic[Item]):
    """One page of the export, and the position after it."""

    items: tuple[Item, ...]
    end_of_stream: bool
    after: Position

    def envelope(self, url: str, cursor: str, per_page: int | None) -> dict[str, Any]:
        """Return the keys besides the objects; the URL of the next page echoes `per_page` and no other parameter."""
        echo = {} if per_page is None else {"per_page": per_page}
        return {
            "after_url": f"{url}?{urlencode(echo | {'cursor': cursor})}",
            "after_cursor": cursor,
            "before_url": None,
            "before_cursor": None,
            "end_of_stream": self.end_of_stream,
        }


def build_cursor_page(items: Iterable[Item], *, after: Position, per_page: int, now: int) -> CursorPage[Item]:
    """Build the page that follows a position, by the rules above.

    Args:
        items: All objects at or after the second of the position, in order; read only as far as needed.
        after: The position after the previous page.
        per_page: The maximum number of objects.
        now: The present, in unix seconds.
    """
    visible = takewhile(lambda item: item.timestamp < now - WITHHELD_SECONDS, items)
    remaining = (item for item in visible if (item.timestamp, item.id) > after)
    found = tuple(islice(remaining, per_page + 1))
    page = found[:per_page]
    position = Position(page[-1].timestamp, page[-1].id) if page else after
    return CursorPage(page, len(found) <= per_page, position)


def encode_cursor(resource: str, position: Position, issued: int = 0) -> str:
    """Return the text of a cursor.

    Args:
        resource: The exported resource.
        position: Where the cursor continues.
        issued: The number of the request whose response contains it; 0 if cursors do not expire.
    """
    content = f"{position.second}|{position.id}|{issued}"
    checksum = sha256(f"{resource}|{content}".encode()).hexdigest()[:8]
    return urlsafe_b64encode(f"{content}|{checksum}".encode()).decode().rstrip("=")


def decode_cursor(resource: str, text: str) -> tuple[Position, int]:
    """Return the position of a cursor and the number of the request whose response contained it.

    Raises:
        ValueError: The text is not a cursor of this resource.
    """
    try:
        content = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except (binascii.Error, UnicodeError) as error:
        raise ValueError("the cursor is not valid base64") from error
    match = _CURSOR.fullmatch(content)
    if match is None:
        raise ValueError("the cursor has another form")
    position, issued = Position(int(match[1]), int(match[2])), int(match[3])
    if encode_cursor(resource, position, issued) != text:
        raise ValueError("the cursor has another checksum")
    return position, issued
