"""How Zendesk's time-based incremental export pages through time: its rules, as recorded from real responses.

There is no cursor. A client requests everything *at or after* a second, `start_time`; the response names another
second, `end_time`, which is the next `start_time`. Five rules make sure that this loses no items and always advances:

1.  Items ascend by timestamp. Within one second they have **no order**: it may differ between requests.
2.  The newest minute is withheld.
3.  If N items a page are requested, Zendesk returns the first N, even if that **cuts a second in two**. `end_time` is
    the second of the last item. The next page therefore starts with that whole second again, in another order: items
    are repeated, and a client must drop the ids it has already seen.
4.  If the first N items share **one** second, rule 3 would return the same page for ever. Therefore the page contains
    *every* item of that second, even if they are more than N, and `end_time` is the second **after** it.
5.  If no more than N items remain, this is the last page: `end_of_stream` is true. `end_time` is still the second of
    the last item, not the present, and `next_page` is still set: following it returns that second again and again.

No page without items has been recorded on a ticket export, so its `end_time` is an argument here. Rules 3 to 5 were
measured on the exports of tickets and users; that they also apply to ticket events is likely, but not proven.

Zendesk's own words: https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby, takewhile
from typing import Generic, Literal, Protocol, TypeVar

#: "Data isn't provided for the most recent minute."
WITHHELD_SECONDS = 60
#: Both the default and the maximum of `per_page`.
MAX_PER_PAGE = 1_000

#: The `end_time` of a page without items: null, 0, 1 (as in the export of articles) or the requested `start_time`.
EmptyEndTime = Literal["start", 0, 1] | None


class Timed(Protocol):
    """Anything with a timestamp."""

    @property
    def timestamp(self) -> int:
        """Unix seconds."""


Item = TypeVar("Item", bound=Timed)


@dataclass(frozen=True, slots=True)
class EventPage(Generic[Item]):
    """One page of the export."""

    items: tuple[Item, ...]
    end_of_stream: bool
    end_time: int | None

    @property
    def count(self) -> int:
        """The number of items in this page, not the number of all that remain."""
        return len(self.items)

    def next_page(self, url: str, per_page: int | None) -> str | None:
        """Return the URL of the next page: it echoes `per_page` if that was given, but no other parameter."""
        if not self.items:
            return None
        echo = "" if per_page is None else f"per_page={per_page}&"
        return f"{url}?{echo}start_time={self.end_time}"


def build_page(
    items: Iterable[Item],
    *,
    start_time: int,
    per_page: int,
    now: int,
    shuffle: int,
    empty_end_time: EmptyEndTime = None,
) -> EventPage[Item]:
    """Build the page that Zendesk returns for a request, by the rules above.

    Args:
        items: All items at or after `start_time`, ascending by timestamp; read only as far as needed.
        start_time: The requested second.
        per_page: The requested number of items.
        now: The present, in unix seconds.
        shuffle: Determines the order within each second; pass another number for every request.
        empty_end_time: The `end_time` of a page without items.
    """
    visible = takewhile(lambda item: item.timestamp < now - WITHHELD_SECONDS, items)
    first_items = _whole_seconds(visible, more_than=per_page, order=random.Random(shuffle))  # noqa: S311 - no secret
    if not first_items:
        return EventPage((), end_of_stream=True, end_time=start_time if empty_end_time == "start" else empty_end_time)
    if len(first_items) <= per_page:
        return EventPage(tuple(first_items), end_of_stream=True, end_time=first_items[-1].timestamp)
    first_second, last_second = first_items[0].timestamp, first_items[per_page - 1].timestamp
    if first_second == last_second:
        one_second = tuple(item for item in first_items if item.timestamp == first_second)
        return EventPage(one_second, end_of_stream=False, end_time=first_second + 1)
    return EventPage(tuple(first_items[:per_page]), end_of_stream=False, end_time=last_second)


def _whole_seconds(items: Iterable[Item], *, more_than: int, order: random.Random) -> list[Item]:
    """Return the items of the first seconds, each second complete and shuffled, until there are enough of them."""
    taken: list[Item] = []
    for _, group in groupby(items, key=lambda item: item.timestamp):
        second = list(group)
        order.shuffle(second)
        taken += second
        if len(taken) > more_than:
            break
    return taken
