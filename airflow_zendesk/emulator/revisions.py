"""Objects that change: their revisions, and which revision of each is the current one.

An export of objects returns each object once, at the time of its last change. When the object changes again, it leaves
that place. A revision therefore knows when the next one replaces it, so the current revisions can be found for any
present without reading the history up to it.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Generic, NamedTuple, Protocol, TypeVar

#: The `replaced_at` of the last revision of an object.
NEVER = 1 << 62

Source_co = TypeVar("Source_co", covariant=True)


class Revision(NamedTuple, Generic[Source_co]):
    """One revision of an object; revisions are ordered by time and id.

    Args:
        timestamp: When the object changed, in unix seconds.
        id: The id of the object.
        replaced_at: When it changes again; `NEVER` if it does not.
        is_deletion: Whether this change deleted the object.
        source: What the content of the object follows from.
    """

    timestamp: int
    id: int
    replaced_at: int
    is_deletion: bool
    source: Source_co

    def is_current(self, now: int) -> bool:
        """Whether the object is in this revision at a present; a change at that second has happened."""
        return self.timestamp <= now < self.replaced_at


class Revisions(Protocol[Source_co]):
    """The revisions of all objects of one kind."""

    def current(self, start: int, now: int) -> Iterator[Revision[Source_co]]:
        """Yield the revisions since `start` that are current now, ordered by time and id.

        An object that last changed before `start` is left out.
        """


def current_of(revisions: Sequence[Revision[Source_co]], start: int, now: int) -> Iterator[Revision[Source_co]]:
    """Yield those of the ordered revisions that start at or after `start` and are current now."""
    first = bisect_left(revisions, start, key=lambda revision: revision.timestamp)
    return (revision for revision in islice(revisions, first, None) if revision.is_current(now))
