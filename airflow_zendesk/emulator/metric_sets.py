"""The metrics of a ticket as the tickets export embeds them: `include=metric_sets`.

Times are in minutes, calendar and business, and are updated by the events of the ticket only: they do not run on until
the present. Zendesk's own words: https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_metrics/
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from airflow_zendesk.emulator.messages import Json
from airflow_zendesk.emulator.metrics import business_seconds
from airflow_zendesk.emulator.ticket import Change, Comment, Create, TicketEvent
from airflow_zendesk.emulator.ticket_states import TicketState

#: Ids have fourteen digits; the metric set of a ticket has its own.
_FIRST_METRIC_SET_ID = 60_000_000_000_000

#: The statuses during which each waiting time runs.
_WAITING = {
    "agent_wait_time_in_minutes": ("pending",),
    "requester_wait_time_in_minutes": ("new", "open", "hold"),
    "on_hold_time_in_minutes": ("hold",),
}

_SOLVED = ("solved", "closed")

_Span = tuple[int, int]


def metric_set(ticket_id: int, state: TicketState) -> Json:
    """Return the metrics of a ticket in a state, without the times of creation and update."""
    statuses = list(_changes(state.events, "status"))
    assignments, groups = list(_changes(state.events, "assignee_id")), list(_changes(state.events, "group_id"))
    solved = list(_solutions(statuses))
    replies, comments = list(_replies(state.events)), list(_comments(state.events))
    return {
        "id": _FIRST_METRIC_SET_ID + ticket_id,
        "ticket_id": ticket_id,
        "group_stations": len(groups),
        "assignee_stations": len(assignments),
        "reopens": _reopens([status for _, status in statuses]),
        "replies": len(replies),
        "initially_assigned_at": assignments[0][0] if assignments else None,
        "assigned_at": assignments[-1][0] if assignments else None,
        "assignee_updated_at": assignments[-1][0] if assignments else None,
        "requester_updated_at": state.created,
        "status_updated_at": statuses[-1][0],
        "latest_comment_added_at": comments[-1] if comments else None,
        "solved_at": solved[-1] if solved else None,
        "reply_time_in_minutes": _minutes_until(state.created, replies[:1]),
        "first_resolution_time_in_minutes": _minutes_until(state.created, solved[:1]),
        "full_resolution_time_in_minutes": _minutes_until(state.created, solved[-1:]),
        **_waiting_times(statuses),
    }


def _changes(events: Sequence[TicketEvent], name: str) -> Iterator[tuple[int, str]]:
    """Yield the second and the new value of each change of a field, starting with its initial value."""
    for event in events:
        for child in event.children:
            if isinstance(child, Create | Change) and child.field == name:
                yield event.timestamp, str(child.value)


def _comments(events: Sequence[TicketEvent]) -> Iterator[int]:
    return (event.timestamp for event in events if any(isinstance(child, Comment) for child in event.children))


def _replies(events: Sequence[TicketEvent]) -> Iterator[int]:
    """Yield the seconds of the public comments that are not the customer's."""
    for event in events:
        is_public = any(isinstance(child, Comment) and child.public for child in event.children)
        if is_public and event.author.updater_id != event.ticket.requester_id:
            yield event.timestamp


def _solutions(statuses: Sequence[tuple[int, str]]) -> Iterator[int]:
    """Yield the seconds in which the ticket was solved; a merged ticket is closed at once."""
    for (_, before), (second, after) in pairwise(statuses):
        if after in _SOLVED and before not in _SOLVED:
            yield second


def _reopens(statuses: Sequence[str]) -> int:
    return sum(before == "solved" and after == "open" for before, after in pairwise(statuses))


def _minutes_until(created: int, seconds: Sequence[int]) -> Json:
    """Return the time from the creation to a second; unknown if that has not happened."""
    return _minutes([(created, second) for second in seconds]) if seconds else {"calendar": None, "business": None}


def _waiting_times(statuses: Sequence[tuple[int, str]]) -> Json:
    """Return the time that the ticket spent in certain statuses until it last changed its status."""
    spans: dict[str, list[_Span]] = defaultdict(list)
    for (start, status), (end, _) in pairwise(statuses):
        spans[status].append((start, end))
    return {
        name: _minutes([span for status in waiting for span in spans[status]]) for name, waiting in _WAITING.items()
    }


def _minutes(spans: Sequence[_Span]) -> Json:
    calendar = sum(end - start for start, end in spans)
    business = sum(business_seconds(end) - business_seconds(start) for start, end in spans)
    return {"calendar": calendar // 60, "business": business // 60}
