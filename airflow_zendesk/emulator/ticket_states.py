"""The state of a ticket: what its events up to a second add up to."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from airflow_zendesk.emulator import fixtures
from airflow_zendesk.emulator.ticket import Activity, Change, Create, TicketEvent, Value


@dataclass(slots=True)
class TicketState:
    """The fields of a ticket, after some of its events.

    Args:
        events: These events, ordered by time and id.
        fields: The value of each field that an event has set.
        custom_fields: The same for the custom fields, by their ids.
        custom_status_id: The custom status. Deleting a ticket does not change it.
        rating_comment: The comment of the customer's rating.
    """

    events: Sequence[TicketEvent]
    fields: dict[str, Value] = field(default_factory=dict)
    custom_fields: dict[str, str] = field(default_factory=dict)
    custom_status_id: int | None = None
    rating_comment: str | None = None

    @property
    def created(self) -> int:
        """The second of the first event."""
        return self.events[0].timestamp

    @property
    def updated(self) -> int:
        """The second of the last event."""
        return self.events[-1].timestamp

    def integer(self, name: str) -> int | None:
        """Return the value of a field that contains an id; events give ids as text."""
        value = self.fields.get(name)
        return int(value) if isinstance(value, str) else None


def state_of(lifecycle: Sequence[TicketEvent], ticket_id: int, second: int) -> TicketState:
    """Return the state of a ticket at the end of a second.

    Args:
        lifecycle: All events of the ticket and its duplicate.
        ticket_id: The id of one of the two.
        second: The second of an event of this ticket, or a later one.
    """
    events = (event for event in lifecycle if event.ticket_id == ticket_id and event.timestamp <= second)
    state = TicketState(sorted(events, key=lambda event: (event.timestamp, event.id)))
    for event in state.events:
        for child in event.children:
            if isinstance(child, Create | Change):
                _apply(state, child)
            elif isinstance(child, Activity) and child.event_type == "SatisfactionRating":
                state.rating_comment = child.details["body"]
    return state


def _apply(state: TicketState, child: Create | Change) -> None:
    if child.field == "custom_ticket_fields":
        assert isinstance(child.value, dict)
        state.custom_fields |= child.value
        return
    state.fields[child.field] = child.value
    if child.field == "status":
        state.custom_status_id = fixtures.DEFAULT_STATUS_IDS.get(str(child.value), state.custom_status_id)
