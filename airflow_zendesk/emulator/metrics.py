"""The ticket metric events that follow from a ticket's lifecycle.

Zendesk runs timers on every ticket and reports what they do; an SLA policy sets a target for some of them. The types of
events: https://developer.zendesk.com/documentation/ticketing/reference-guides/ticket-metric-event-types-reference
"""

from dataclasses import dataclass, replace

from airflow_zendesk.emulator import fixtures
from airflow_zendesk.emulator.lifecycle import events_of
from airflow_zendesk.emulator.ticket import Change, Comment, Create, Ticket, TicketEvent

#: Ids have fourteen digits, and a ticket has more of them than it ever needs.
FIRST_METRIC_EVENT_ID = 50_000_000_000_000
METRIC_IDS_PER_TICKET = 1_024

_MINUTE, _DAY = 60, 86_400
_OPENS, _BUSINESS_DAY = 6 * 3_600, 16 * 3_600  # business hours are 06:00 to 22:00 UTC

Details = dict[str, object]


@dataclass(frozen=True, slots=True)
class MetricEvent:
    """One event of one metric of one ticket."""

    ticket: Ticket
    id: int
    ticket_id: int
    timestamp: int
    metric: str
    instance_id: int
    type: str
    details: Details
    deleted_at: int | None = None


def metric_events_of(ticket: Ticket) -> list[MetricEvent]:
    """Return all metric events of a ticket and its duplicate; those of a deleted ticket are marked as deleted later."""
    log: list[MetricEvent] = []
    timers: dict[int, _TicketTimers] = {}
    events = events_of(ticket)
    for event in events:
        if event.ticket_id not in timers:
            timers[event.ticket_id] = _TicketTimers(event, log)
        timers[event.ticket_id].update(event)
    if any(isinstance(child, Change) and child.value == "deleted" for child in events[-1].children):
        return [replace(event, deleted_at=events[-1].timestamp) for event in log]
    return log


class _Timer:
    """One metric of one ticket: it runs, pauses and is fulfilled; each start after that is a new instance."""

    def __init__(self, metric: str, first_event: TicketEvent, log: list[MetricEvent]) -> None:
        self._metric = metric
        self._first_event = first_event
        self._log = log
        self._instance_id = 0
        self._is_fulfilled = True
        self._running_since: int | None = None
        self._calendar_seconds = 0
        self._business_seconds = 0
        self._sla: Details | None = None
        self._target_seconds = 0
        self._sla_applied_at = 0
        self._is_breached = False
        self._add(first_event.timestamp, "measure")

    def start(self, now: int) -> None:
        if self._running_since is not None:
            return
        self._running_since = now
        if not self._is_fulfilled:
            self._add(now, "activate")
            return
        self._instance_id += 1
        self._is_fulfilled = self._is_breached = False
        self._calendar_seconds = self._business_seconds = 0
        self._add(now, "activate")
        if self._sla:
            self._add(now, "apply_sla", self._sla)

    def pause(self, now: int) -> None:
        if self._running_since is not None:
            self._stop(now)
            self._add(now, "pause")
            self._add_minutes(now)

    def fulfill(self, now: int) -> None:
        if not self._is_fulfilled:
            self._stop(now)
            self._is_fulfilled = True
            self._add(now, "fulfill")
            self._add_minutes(now)

    def apply_sla(self, now: int, seconds: int, policy: fixtures.SlaPolicy) -> None:
        """Apply an SLA target to the current instance and to the following ones."""
        self._record_breach(now)
        about = {"id": policy.id, "title": policy.title, "description": policy.description}
        in_seconds = {"target_in_seconds": seconds} if policy.has_target_in_seconds else {}
        self._sla = {"sla": {"target": seconds // _MINUTE, "business_hours": False, "policy": about, **in_seconds}}
        self._target_seconds = seconds
        self._sla_applied_at = now
        if not self._is_fulfilled:
            self._add(now, "apply_sla", self._sla)

    def remove_sla(self, now: int) -> None:
        """Remove the SLA target from the current instance and from the following ones."""
        self._record_breach(now)
        self._sla = None
        if not self._is_fulfilled:
            self._add(now, "apply_sla", {"sla": None})

    def _stop(self, now: int) -> None:
        if self._running_since is not None:
            self._record_breach(now)
            self._calendar_seconds += now - self._running_since
            self._business_seconds += business_seconds(now) - business_seconds(self._running_since)
            self._running_since = None

    def _record_breach(self, now: int) -> None:
        """Add the breach event if the target was missed before now."""
        if self._running_since is None or not self._sla or self._is_breached:
            return
        due = self._running_since + self._target_seconds - self._calendar_seconds
        if due < now:
            self._is_breached = True
            self._add(max(due, self._sla_applied_at), "breach")

    def _add_minutes(self, now: int) -> None:
        minutes = {"calendar": self._calendar_seconds // _MINUTE, "business": self._business_seconds // _MINUTE}
        self._add(now, "update_status", {"status": minutes})

    def _add(self, now: int, kind: str, details: Details | None = None) -> None:
        ticket = self._first_event.ticket
        self._log.append(
            MetricEvent(
                ticket,
                FIRST_METRIC_EVENT_ID + ticket.number * METRIC_IDS_PER_TICKET + len(self._log),
                self._first_event.ticket_id,
                now,
                self._metric,
                0 if kind == "measure" else self._instance_id,
                kind,
                details or {},
            )
        )


class _TicketTimers:
    """The timers of one ticket, driven by its events."""

    def __init__(self, first_event: TicketEvent, log: list[MetricEvent]) -> None:
        self._customer = first_event.author
        self._priority = first_event.ticket.priority
        self._policy: fixtures.SlaPolicy | None = None
        self._reply = _Timer("reply_time", first_event, log)
        self._wait = _Timer("requester_wait_time", first_event, log)
        self._work = _Timer("agent_work_time", first_event, log)
        self._resolution = _Timer("resolution_time", first_event, log)

    def update(self, event: TicketEvent) -> None:
        now = event.timestamp
        for child in event.children:
            match child:
                case Create("status", status) | Change("status", status):
                    self._update_status(str(status), now)
                case Create("priority", priority) | Change("priority", priority):
                    self._priority = str(priority)
                    self._apply_sla(now)
                case Change("custom_ticket_fields", {fixtures.PLAN_FIELD_ID: plan}):
                    self._update_policy(fixtures.SLA_POLICIES.get(plan), now)
                case Comment(public=True) if event.author == self._customer:
                    self._reply.start(now)
                case Comment(public=True):
                    self._reply.fulfill(now)

    def _update_status(self, status: str, now: int) -> None:
        if status in ("new", "open"):
            for timer in (self._wait, self._work, self._resolution):
                timer.start(now)
        elif status == "hold":
            self._work.pause(now)
        elif status == "pending":
            self._work.pause(now)
            self._wait.pause(now)
        elif status in ("solved", "closed"):
            for timer in (self._wait, self._work, self._resolution):
                timer.fulfill(now)

    def _update_policy(self, policy: fixtures.SlaPolicy | None, now: int) -> None:
        if self._policy and not policy:
            self._reply.remove_sla(now)
            self._wait.remove_sla(now)
        self._policy = policy
        self._apply_sla(now)

    def _apply_sla(self, now: int) -> None:
        if self._policy:
            self._reply.apply_sla(now, self._policy.reply_seconds[self._priority], self._policy)
            self._wait.apply_sla(now, self._policy.wait_seconds[self._priority], self._policy)


def business_seconds(now: int) -> int:
    """Return the seconds of business hours since 1970; the difference of two values is the time between them."""
    days, second = divmod(now, _DAY)
    return days * _BUSINESS_DAY + min(max(second - _OPENS, 0), _BUSINESS_DAY)
