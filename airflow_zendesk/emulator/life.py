"""The life of a ticket: a pure function of the dice thrown at its birth.

So nothing is stored, and whoever asks about any hour is told the same story: who wrote when, which rule fired, how
the status went, whether the customer came back.
"""

from airflow_zendesk.emulator import desk
from airflow_zendesk.emulator.case import (
    FIRST_EVENT_ID,
    IDS_PER_CASE,
    IDS_PER_EVENT,
    Author,
    Case,
    Change,
    Child,
    Comment,
    Create,
    TicketEvent,
    pick,
)

#: Tickets live at most this long, so the events of an hour belong to tickets born in so many hours before it.
LONGEST_LIFE_HOURS = 72

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_SHIFT_STARTS, _SHIFT_ENDS = 6 * _HOUR, 22 * _HOUR  # in UTC; at night no agent works
_CLOSE_AFTER = 4 * _HOUR
_TRIAGE = Author(desk.SYSTEM_UPDATER, "Rule", desk.TRIAGE_TRIGGER)
_AUTOMATION = Author(desk.SYSTEM_UPDATER, "Rule", desk.CLOSE_AUTOMATION)


def tell(case: Case) -> list[TicketEvent]:
    """All that ever happens to a case."""
    story = _Story(case)
    story.is_created()
    story.is_triaged()
    if case.is_ai_agent:
        story.is_answered_by_ai()
    elif story.chance(percent=2):
        story.is_deleted_as_spam()
        return story.events
    else:
        story.is_sent_twice()
        story.is_answered_by_agents()
    story.is_closed()
    return story.events


class _Story:
    """Tells a case step by step. Every decision is the next roll of its dice, so the order of the calls matters."""

    def __init__(self, case: Case) -> None:
        self.events: list[TicketEvent] = []
        self._case = case
        self._now = case.created
        self._status = "new"
        self._priority = case.priority
        self._tags = case.tags
        self._customer = Author(case.requester_id, case.channel)
        self._agent = Author(case.agent_id, case.channel if case.is_ai_agent else desk.AGENT_CHANNEL)
        self._rolls = iter(case.rolls)

    def is_created(self) -> None:
        self._add(self._customer, *_birth(self._case))

    def is_triaged(self) -> None:
        """A trigger runs on the new ticket, in the same second or soon after."""
        self._now += pick((0, 0, 1, 2), next(self._rolls))
        plan = Change("custom_ticket_fields", {desk.PLAN_FIELD: self._case.plan}, None)
        self._add(_TRIAGE, plan, self._tag(self._case.plan))

    def is_deleted_as_spam(self) -> None:
        self._wait_for_agent(10 * _MINUTE, 3 * _HOUR)
        self._add(self._agent, self._become("deleted"))

    def is_sent_twice(self) -> None:
        """The impatient write again within minutes; an agent merges the second ticket into the first."""
        case = self._case
        sent = case.created + 40 + next(self._rolls)
        merged = sent + 40 + next(self._rolls)
        if not (self.chance(percent=5) and _SHIFT_STARTS < sent % _DAY < merged % _DAY < _SHIFT_ENDS):
            return
        self._add(self._customer, *_birth(case), at=sent, ticket_id=case.twin_id)
        closed = Change("status", "closed", "new")
        why = Comment(desk.MERGED_NOTE, public=False)
        self._add(self._agent, closed, why, at=merged, ticket_id=case.twin_id)
        note = Comment(desk.MERGE_NOTE, public=False)
        self._add(self._agent, note, at=merged, merged_ticket_ids=(case.twin_id,))

    def is_answered_by_ai(self) -> None:
        language = self._case.language
        self._now += 5 + next(self._rolls) // 16
        self._add(self._agent, Change("assignee_id", str(self._case.agent_id), None), self._become("open"))
        self._add(self._agent, Comment(language.reply), self._become("pending"))
        self._wait(_MINUTE, 20 * _MINUTE)
        self._add(self._customer, Comment(language.follow_up), self._become("open"))
        self._now += 5 + next(self._rolls) // 16
        self._add(self._agent, Comment(language.solution), self._become("solved"))

    def is_answered_by_agents(self) -> None:
        case = self._case
        self._wait_for_agent(_MINUTE, _HOUR)
        assignee = Change("assignee_id", str(case.agent_id), None)
        self._add(self._agent, assignee, Change("group_id", case.group_id, None), self._become("open"))
        if self.chance(percent=30):
            self._add(self._agent, Comment(desk.NOTE, public=False), self._become("hold"))
        self._wait_for_agent(10 * _MINUTE, 4 * _HOUR)
        self._add(self._agent, Comment(case.language.reply), self._become("pending"))
        for percent in (45, 25):
            if self.chance(percent=percent):
                self._is_asked_again(then="pending")
        self._wait_for_agent(5 * _MINUTE, 2 * _HOUR)
        self._add(self._agent, Comment(case.language.solution), self._become("solved"))
        if self.chance(percent=8):
            self._is_asked_again(then="solved")

    def is_closed(self) -> None:
        """The automation runs on the hour, so whatever it closes shares one second."""
        self._now = -(-(self._now + _CLOSE_AFTER) // _HOUR) * _HOUR
        self._add(_AUTOMATION, self._become("closed"))

    def chance(self, *, percent: int) -> bool:
        return next(self._rolls) * 100 < percent * 256

    def _is_asked_again(self, then: str) -> None:
        language = self._case.language
        self._wait(10 * _MINUTE, 3 * _HOUR)
        self._add(self._customer, Comment(language.follow_up), self._become("open"))
        self._wait_for_agent(5 * _MINUTE, 3 * _HOUR)
        if self.chance(percent=25) and self._priority in desk.RAISED:
            raised = Change("priority", desk.RAISED[self._priority], self._priority)
            self._priority = desk.RAISED[self._priority]
            self._add(self._agent, raised, self._tag("escalated"))
        self._add(self._agent, Comment(language.reply), self._become(then))

    def _become(self, status: str) -> Change:
        change = Change("status", status, self._status)
        self._status = status
        return change

    def _tag(self, tag: str) -> Change:
        change = Change("tags", (*self._tags, tag), self._tags)
        self._tags = (*self._tags, tag)
        return change

    def _wait(self, shortest: int, longest: int) -> None:
        """Short waits are commoner than long ones, hence the square."""
        self._now += shortest + ((longest - shortest) * next(self._rolls) ** 2 >> 16)

    def _wait_for_agent(self, shortest: int, longest: int) -> None:
        """As `_wait`; what falls into the night is done in the first hour of the morning."""
        self._wait(shortest, longest)
        into_morning = next(self._rolls) * _HOUR // 256
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
        case = self._case
        self.events.append(
            TicketEvent(
                case,
                FIRST_EVENT_ID + case.number * IDS_PER_CASE + len(self.events) * IDS_PER_EVENT,
                case.ticket_id if ticket_id is None else ticket_id,
                self._now if at is None else at,
                author,
                children,
                merged_ticket_ids,
            )
        )


def _birth(case: Case) -> tuple[Child, ...]:
    """What the first update of a ticket holds."""
    return (
        Create("subject", case.words(case.subject)),
        Create("status", "new"),
        Create("priority", case.priority),
        Create("type", case.type),
        Create("requester_id", str(case.requester_id)),
        Create("custom_ticket_fields", {desk.PRODUCT_FIELD: case.product}),
        Create("tags", case.tags),
        Comment(case.language.opening),
    )
