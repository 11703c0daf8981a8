"""The ticket metric events that follow from a ticket's life.

Zendesk runs clocks on every ticket and reports what they do; an SLA policy gives some of them a target. The types of
events: https://developer.zendesk.com/documentation/ticketing/reference-guides/ticket-metric-event-types-reference
"""

from dataclasses import dataclass

from airflow_zendesk.emulator import desk
from airflow_zendesk.emulator.case import Case, Change, Comment, Create, TicketEvent
from airflow_zendesk.emulator.life import tell

#: Fourteen digits, and more ids for a case than it ever needs.
FIRST_METRIC_EVENT_ID = 50_000_000_000_000
METRIC_IDS_PER_CASE = 1_024

_MINUTE, _DAY = 60, 86_400
_OPENS, _BUSINESS_DAY = 6 * 3_600, 16 * 3_600  # business hours are 06:00 to 22:00 UTC

Details = dict[str, object]


@dataclass(frozen=True, slots=True)
class MetricEvent:
    """What one clock of one ticket did."""

    case: Case
    id: int
    ticket_id: int
    timestamp: int
    metric: str
    instance_id: int
    type: str
    details: Details


def tell_metrics(case: Case) -> list[MetricEvent]:
    """All that the clocks of a case ever do."""
    log: list[MetricEvent] = []
    clocks: dict[int, _TicketClocks] = {}
    for event in tell(case):
        if event.ticket_id not in clocks:
            clocks[event.ticket_id] = _TicketClocks(event, log)
        clocks[event.ticket_id].see(event)
    return log


class _Clock:
    """One metric of one ticket: it runs, pauses, is fulfilled; when it starts again that is a new instance."""

    def __init__(self, metric: str, birth: TicketEvent, log: list[MetricEvent]) -> None:
        self._metric = metric
        self._birth = birth
        self._log = log
        self._instance_id = 0
        self._is_fulfilled = True
        self._running_since: int | None = None
        self._calendar_seconds = 0
        self._business_seconds = 0
        self._sla: Details | None = None
        self._target_seconds = 0
        self._aimed_at = 0
        self._is_breached = False
        self._add(birth.timestamp, "measure")

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
            self._halt(now)
            self._add(now, "pause")
            self._add_minutes(now)

    def fulfill(self, now: int) -> None:
        if not self._is_fulfilled:
            self._halt(now)
            self._is_fulfilled = True
            self._add(now, "fulfill")
            self._add_minutes(now)

    def aim(self, now: int, minutes: int, policy: desk.Policy) -> None:
        """Apply an SLA to the running instance, and to those that follow."""
        self._notice_breach(now)
        about = {"id": policy.id, "title": policy.title, "description": policy.description}
        self._sla = {"sla": {"target": minutes, "business_hours": False, "policy": about}}
        self._target_seconds = minutes * _MINUTE
        self._aimed_at = now
        if not self._is_fulfilled:
            self._add(now, "apply_sla", self._sla)

    def _halt(self, now: int) -> None:
        if self._running_since is not None:
            self._notice_breach(now)
            self._calendar_seconds += now - self._running_since
            self._business_seconds += _business_time(now) - _business_time(self._running_since)
            self._running_since = None

    def _notice_breach(self, now: int) -> None:
        if self._running_since is None or not self._sla or self._is_breached:
            return
        due = self._running_since + self._target_seconds - self._calendar_seconds
        if due < now:
            self._is_breached = True
            self._add(max(due, self._aimed_at), "breach")

    def _add_minutes(self, now: int) -> None:
        minutes = {"calendar": self._calendar_seconds // _MINUTE, "business": self._business_seconds // _MINUTE}
        self._add(now, "update_status", {"status": minutes})

    def _add(self, now: int, kind: str, details: Details | None = None) -> None:
        case = self._birth.case
        self._log.append(
            MetricEvent(
                case,
                FIRST_METRIC_EVENT_ID + case.number * METRIC_IDS_PER_CASE + len(self._log),
                self._birth.ticket_id,
                now,
                self._metric,
                0 if kind == "measure" else self._instance_id,
                kind,
                details or {},
            )
        )


class _TicketClocks:
    """The clocks of one ticket, moved by what happens to it."""

    def __init__(self, birth: TicketEvent, log: list[MetricEvent]) -> None:
        self._customer = birth.author
        self._priority = birth.case.priority
        self._policy: desk.Policy | None = None
        self._reply = _Clock("reply_time", birth, log)
        self._wait = _Clock("requester_wait_time", birth, log)
        self._work = _Clock("agent_work_time", birth, log)
        self._resolution = _Clock("resolution_time", birth, log)

    def see(self, event: TicketEvent) -> None:
        now = event.timestamp
        for child in event.children:
            match child:
                case Create("status", status) | Change("status", status):
                    self._status_becomes(str(status), now)
                case Create("priority", priority) | Change("priority", priority):
                    self._priority = str(priority)
                    self._aim(now)
                case Change("custom_ticket_fields", {desk.PLAN_FIELD: plan}):
                    self._policy = desk.POLICIES.get(plan)
                    self._aim(now)
                case Comment(public=True) if event.author == self._customer:
                    self._reply.start(now)
                case Comment(public=True):
                    self._reply.fulfill(now)

    def _status_becomes(self, status: str, now: int) -> None:
        if status in ("new", "open"):
            for clock in (self._wait, self._work, self._resolution):
                clock.start(now)
        elif status == "hold":
            self._work.pause(now)
        elif status == "pending":
            self._work.pause(now)
            self._wait.pause(now)
        elif status in ("solved", "closed"):
            for clock in (self._wait, self._work, self._resolution):
                clock.fulfill(now)

    def _aim(self, now: int) -> None:
        if self._policy:
            self._reply.aim(now, self._policy.reply_minutes[self._priority], self._policy)
            self._wait.aim(now, self._policy.wait_minutes[self._priority], self._policy)


def _business_time(now: int) -> int:
    """Seconds of business hours since 1970: a closed form, so a difference of two is the time between them."""
    days, second = divmod(now, _DAY)
    return days * _BUSINESS_DAY + min(max(second - _OPENS, 0), _BUSINESS_DAY)
