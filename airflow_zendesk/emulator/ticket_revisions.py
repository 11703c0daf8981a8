"""The revisions of tickets: each event of a ticket is the end of one revision and the start of the next."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from airflow_zendesk.emulator.revisions import NEVER, Revision
from airflow_zendesk.emulator.ticket import Change, Ticket, TicketEvent

_HOUR = 3_600

#: Returns the events of each ticket (and of its duplicate) that has events in an hour.
Lifecycles = Callable[[int], Iterator[Sequence[TicketEvent]]]


class TicketRevisions:
    """The revisions of all tickets of the desk.

    Args:
        lifecycles: Returns the lifecycles of an hour.
        opened_hour: The first hour with tickets, counted from 1970.
        cached_hours: The number of hours whose revisions are kept.
    """

    def __init__(self, lifecycles: Lifecycles, opened_hour: int, cached_hours: int) -> None:
        self._lifecycles = lifecycles
        self._opened_hour = opened_hour
        self._hour = lru_cache(maxsize=cached_hours)(self._compute_hour)

    def current(self, start: int, now: int) -> Iterator[Revision[Ticket]]:
        """Yield the revisions since `start` that are current now, ordered by time and id."""
        for hour in range(max(start // _HOUR, self._opened_hour), now // _HOUR + 1):
            for revision in self._hour(hour):
                if revision.timestamp >= start and revision.is_current(now):
                    yield revision

    def _compute_hour(self, hour: int) -> tuple[Revision[Ticket], ...]:
        """Return the revisions that start in an hour. They are the same for every present, so they can be cached."""
        revisions = (revision for events in self._lifecycles(hour) for revision in _revisions(events, hour))
        return tuple(sorted(revisions, key=lambda revision: revision[:2]))


def _revisions(events: Sequence[TicketEvent], hour: int) -> Iterator[Revision[Ticket]]:
    """Yield the revisions of a ticket and of its duplicate that start in an hour; one second has one revision."""
    seconds: dict[int, set[int]] = defaultdict(set)
    for event in events:
        seconds[event.ticket_id].add(event.timestamp)
    # Only the last event of a lifecycle deletes the ticket.
    is_deleted = any(isinstance(child, Change) and child.value == "deleted" for child in events[-1].children)
    for ticket_id, changes in seconds.items():
        for changed, replaced in pairwise([*sorted(changes), NEVER]):
            if changed // _HOUR == hour:
                is_deletion = is_deleted and changed == events[-1].timestamp
                yield Revision(changed, ticket_id, replaced, is_deletion, events[0].ticket)
