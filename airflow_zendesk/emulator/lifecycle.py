"""The lifecycle of a ticket: a pure function of its random bytes.

Nothing is stored, and the events of any hour can be computed at any time: who wrote when, which rule fired, how the
status changed, whether the customer wrote again.
"""

from airflow_zendesk.emulator import fixtures
from airflow_zendesk.emulator.activities import Moment, activities_of, satisfaction_rating
from airflow_zendesk.emulator.ticket import (
    FIRST_EVENT_ID,
    IDS_PER_EVENT,
    IDS_PER_TICKET,
    Activity,
    Author,
    Change,
    Child,
    Comment,
    Create,
    Ticket,
    TicketEvent,
    choose,
)

#: The longest lifecycle. An hour therefore only has events of tickets created in the 72 hours before its end.
MAX_LIFECYCLE_HOURS = 72

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_SHIFT_STARTS, _SHIFT_ENDS = 6 * _HOUR, 22 * _HOUR  # in UTC; no agent works at night
_CLOSE_AFTER = 4 * _HOUR
_RATING_BYTE, _PLAN_BYTE = 14, 15  # of the activity bytes; the kinds of activities use the first ones
_TRIAGE = Author(fixtures.SYSTEM_UPDATER_ID, "Rule", fixtures.TRIAGE_TRIGGER_ID)
_AUTOMATION = Author(fixtures.SYSTEM_UPDATER_ID, "Rule", fixtures.CLOSE_AUTOMATION_ID)


def events_of(ticket: Ticket) -> list[TicketEvent]:
    """Return all events of a ticket and its duplicate."""
    lifecycle = _Lifecycle(ticket)
    lifecycle.create()
    lifecycle.triage()
    if ticket.is_ai_agent:
        lifecycle.solve_by_ai_agent()
    elif lifecycle.draw(percent=2):
        lifecycle.delete_as_spam()
        return lifecycle.events
    else:
        lifecycle.maybe_merge_duplicate()
        lifecycle.solve_by_agent()
    lifecycle.close()
    return lifecycle.events


class _Lifecycle:
    """Collects the events of a ticket. Each decision takes the next random byte, so the order of calls matters."""

    def __init__(self, ticket: Ticket) -> None:
        self.events: list[TicketEvent] = []
        self._ticket = ticket
        self._now = ticket.created
        self._status = "new"
        self._priority = ticket.priority
        self._tags = ticket.tags
        self._customer = Author(ticket.requester_id, ticket.channel)
        self._agent = Author(ticket.agent_id, ticket.channel if ticket.is_ai_agent else fixtures.AGENT_CHANNEL)
        self._bytes = iter(ticket.lifecycle_bytes)

    def create(self) -> None:
        self._add(self._customer, *_initial_children(self._ticket), *self._activities("created"))

    def triage(self) -> None:
        """A trigger acts on the new ticket, in the same second or soon after."""
        self._now += choose((0, 0, 1, 2), next(self._bytes))
        plan = Change("custom_ticket_fields", {fixtures.PLAN_FIELD_ID: self._ticket.plan}, None)
        self._add(_TRIAGE, plan, self._add_tag(self._ticket.plan), *self._activities("triaged"))

    def delete_as_spam(self) -> None:
        self._wait_for_agent(10 * _MINUTE, 3 * _HOUR)
        self._add(self._agent, self._set_status("deleted"))

    def maybe_merge_duplicate(self) -> None:
        """Some customers write again within minutes; an agent merges the second ticket into the first."""
        ticket = self._ticket
        sent = ticket.created + 40 + next(self._bytes)
        merged = sent + 40 + next(self._bytes)
        if not (self.draw(percent=5) and _SHIFT_STARTS < sent % _DAY < merged % _DAY < _SHIFT_ENDS):
            return
        self._add(self._customer, *_initial_children(ticket), at=sent, ticket_id=ticket.duplicate_id)
        closed = Change("status", "closed", "new")
        reason = Comment(fixtures.MERGED_NOTE, public=False)
        self._add(self._agent, closed, reason, at=merged, ticket_id=ticket.duplicate_id)
        note = Comment(fixtures.MERGE_NOTE, public=False)
        self._add(self._agent, note, at=merged, merged_ticket_ids=(ticket.duplicate_id,))

    def solve_by_ai_agent(self) -> None:
        language = self._ticket.language
        self._now += 5 + next(self._bytes) // 16
        self._add(self._agent, Change("assignee_id", str(self._ticket.agent_id), None), self._set_status("open"))
        self._add(self._agent, Comment(language.reply), self._set_status("pending"), *self._activities("replied"))
        self._wait(_MINUTE, 20 * _MINUTE)
        self._add(self._customer, Comment(language.follow_up), self._set_status("open"))
        self._now += 5 + next(self._bytes) // 16
        self._add(self._agent, Comment(language.solution), self._set_status("solved"), *self._activities("solved"))

    def solve_by_agent(self) -> None:
        ticket = self._ticket
        self._wait_for_agent(_MINUTE, _HOUR)
        assignee = Change("assignee_id", str(ticket.agent_id), None)
        group = Change("group_id", ticket.group_id, None)
        self._add(self._agent, assignee, group, self._set_status("open"), *self._maybe_cancel_plan())
        if self.draw(percent=30):
            self._add(self._agent, Comment(fixtures.INTERNAL_NOTE, public=False), self._set_status("hold"))
        self._wait_for_agent(10 * _MINUTE, 4 * _HOUR)
        self._add(
            self._agent, Comment(ticket.language.reply), self._set_status("pending"), *self._activities("replied")
        )
        for percent in (45, 25):
            if self.draw(percent=percent):
                self._follow_up(final_status="pending")
        self._wait_for_agent(5 * _MINUTE, 2 * _HOUR)
        self._solve()
        if self.draw(percent=8):
            self._follow_up(final_status="solved")

    def _solve(self) -> None:
        """An agent solves the ticket; some customers then rate it."""
        solution = Comment(self._ticket.language.solution)
        children: list[Child] = [solution, self._set_status("solved"), *self._remove_tag("escalated")]
        is_rated = self._ticket.activity_bytes[_RATING_BYTE] < 13  # noqa: PLR2004 - 5 % of 256
        if is_rated:
            children.append(Change("satisfaction_score", "offered", None))
        self._add(self._agent, *children, *self._activities("solved"))
        if is_rated:
            rated = Change("satisfaction_score", "good", "offered")
            at = self._now + _MINUTE * (1 + self._ticket.activity_bytes[_RATING_BYTE])
            self._add(self._customer, satisfaction_rating(self._ticket), rated, at=at)

    def close(self) -> None:
        """The automation runs on the hour, so all tickets that it closes share one second."""
        self._now = -(-(self._now + _CLOSE_AFTER) // _HOUR) * _HOUR
        self._add(_AUTOMATION, self._set_status("closed"))

    def draw(self, *, percent: int) -> bool:
        """Return true with this probability."""
        return next(self._bytes) * 100 < percent * 256

    def _follow_up(self, final_status: str) -> None:
        """The customer writes again, and an agent replies."""
        language = self._ticket.language
        self._wait(10 * _MINUTE, 3 * _HOUR)
        self._add(self._customer, Comment(language.follow_up), self._set_status("open"))
        self._wait_for_agent(5 * _MINUTE, 3 * _HOUR)
        if self.draw(percent=25) and self._priority in fixtures.NEXT_PRIORITY:
            self._add(self._agent, self._raise_priority(), self._add_tag("escalated"))
        self._add(self._agent, Comment(language.reply), self._set_status(final_status))

    def _set_status(self, status: str) -> Change:
        change = Change("status", status, self._status)
        self._status = status
        return change

    def _raise_priority(self) -> Change:
        change = Change("priority", fixtures.NEXT_PRIORITY[self._priority], self._priority)
        self._priority = fixtures.NEXT_PRIORITY[self._priority]
        return change

    def _add_tag(self, tag: str) -> Change:
        change = Change("tags", (*self._tags, tag), self._tags)
        self._tags = (*self._tags, tag)
        return change

    def _remove_tag(self, tag: str) -> list[Change]:
        if tag not in self._tags:
            return []
        previous, self._tags = self._tags, tuple(each for each in self._tags if each != tag)
        return [Change("tags", self._tags, previous)]

    def _maybe_cancel_plan(self) -> list[Change]:
        """Some customers have cancelled their plan, so the ticket has no SLA any more."""
        plan = self._ticket.plan
        if plan not in fixtures.SLA_POLICIES or self._ticket.activity_bytes[_PLAN_BYTE] >= 13:  # noqa: PLR2004 - 5 %
            return []
        return [Change("custom_ticket_fields", {fixtures.PLAN_FIELD_ID: "free"}, {fixtures.PLAN_FIELD_ID: plan})]

    def _activities(self, moment: Moment) -> list[Activity]:
        return activities_of(self._ticket, moment)

    def _wait(self, shortest: int, longest: int) -> None:
        """Advance the time. Short waits are more frequent than long ones; hence the square."""
        self._now += shortest + ((longest - shortest) * next(self._bytes) ** 2 >> 16)

    def _wait_for_agent(self, shortest: int, longest: int) -> None:
        """Advance the time; what would happen at night happens in the first hour of the next morning."""
        self._wait(shortest, longest)
        into_morning = next(self._bytes) * _HOUR // 256
        if not _SHIFT_STARTS <= self._now % _DAY < _SHIFT_ENDS:
            self._now += (_SHIFT_STARTS - self._now) % _DAY + into_morning

    def _add(
        self,
        author: Author,
        *children: Child,
        at: int | None = None,
        ticket_id: int | None = None,
        merged_ticket_ids: tuple[int, ...] = (),
    ) -> None:
        ticket = self._ticket
        self.events.append(
            TicketEvent(
                ticket,
                FIRST_EVENT_ID + ticket.number * IDS_PER_TICKET + len(self.events) * IDS_PER_EVENT,
                ticket.id if ticket_id is None else ticket_id,
                self._now if at is None else at,
                author,
                children,
                merged_ticket_ids,
            )
        )


def _initial_children(ticket: Ticket) -> tuple[Child, ...]:
    """Return the children of a ticket's first event."""
    return (
        Create("subject", ticket.fill_in(ticket.subject)),
        Create("status", "new"),
        Create("priority", ticket.priority),
        Create("type", ticket.type),
        Create("requester_id", str(ticket.requester_id)),
        Create("custom_ticket_fields", {fixtures.PRODUCT_FIELD_ID: ticket.product}),
        Create("tags", ticket.tags),
        Comment(ticket.language.opening),
    )
