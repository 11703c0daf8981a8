"""How Zendesk's time-based incremental export pages through time: its rules, as recorded from real answers.

There is no cursor. A client asks for everything *at or after* a second, `start_time`; the answer names another second,
`end_time`, which is the next `start_time`. That this neither loses items nor runs in circles rests on five rules:

1.  Items ascend by timestamp. Inside one second they have **no order**: it may differ at every request.
2.  The newest minute is redacted_comments.
3.  Asked for N items a page, Zendesk answers with the first N, even if that **cuts a second in two**. `end_time` is the
    second of the last item. So the next page begins with that second again, whole, in another order: items come twice,
    and only who drops the ids already seen has each once.
4.  If the first N items share **one** second, rule 3 would give that same page for ever. Therefore it holds *every*
    item of the second, be they more than N, and `end_time` is the second **after** it.
5.  If no more than N items remain, this is the last page: `end_of_stream` is true. `end_time` is still the second of
    the last item, not the present, and `next_page` is still there: who follows it gets that second again and again.

A page without items has been seen on no ticket export; its `end_time` is therefore an argument here. Rules 3 to 5 were
measured on the exports of tickets and users; that ticket events obey them too is likely, not proven.

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

#: The `end_time` of a page without items: null, 0, 1 (as the export of articles has it) or the `start_time` asked for.
EmptyEndTime = Literal["start", 0, 1] | None


class Timed(Protocol):
    """Anything that happened in a second."""

    @property
    def timestamp(self) -> int:
        """Unix seconds."""


Item = TypeVar("Item", bound=Timed)


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One answer of the export."""

    items: tuple[Item, ...]
    end_of_stream: bool
    end_time: int | None

    @property
    def count(self) -> int:
        """The number of items in this page: not of all that remain."""
        return len(self.items)

    def next_page(self, url: str, per_page: int | None) -> str | None:
        """The address of the next page: it echoes `per_page` if that was given, but no other parameter."""
        if not self.items:
            return None
        echo = "" if per_page is None else f"per_page={per_page}&"
        return f"{url}?{echo}start_time={self.end_time}"


def answer_page(
    items: Iterable[Item],
    *,
    start_time: int,
    per_page: int,
    now: int,
    shuffle: int,
    empty_end_time: EmptyEndTime = None,
) -> Page[Item]:
    """The page that answers a request, by the rules above.

    Args:
        items: All that happened at or after `start_time`, ascending by timestamp; read no further than needed.
        start_time: The second asked for.
        per_page: How many items are wanted.
        now: The present, in unix seconds.
        shuffle: Decides the order inside each second: another number for every request.
        empty_end_time: The `end_time` of a page without items.
    """
    visible = takewhile(lambda item: item.timestamp < now - WITHHELD_SECONDS, items)
    first_items = _whole_seconds(visible, more_than=per_page, order=random.Random(shuffle))  # noqa: S311 - no secret
    if not first_items:
        return Page((), end_of_stream=True, end_time=start_time if empty_end_time == "start" else empty_end_time)
    if len(first_items) <= per_page:
        return Page(tuple(first_items), end_of_stream=True, end_time=first_items[-1].timestamp)
    first_second, last_second = first_items[0].timestamp, first_items[per_page - 1].timestamp
    if first_second == last_second:
        one_second = tuple(item for item in first_items if item.timestamp == first_second)
        return Page(one_second, end_of_stream=False, end_time=first_second + 1)
    return Page(tuple(first_items[:per_page]), end_of_stream=False, end_time=last_second)


def _whole_seconds(items: Iterable[Item], *, more_than: int, order: random.Random) -> list[Item]:
    """The items of the first seconds, each second whole and shuffled: more than so many, or all there are."""
    taken: list[Item] = []
    for _, group in groupby(items, key=lambda item: item.timestamp):
        second = list(group)
        order.shuffle(second)
        taken += second
        if len(taken) > more_than:
            break
    return taken
