"""The incremental exports: from a request to the body of a page."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from airflow_zendesk.emulator.cursor_pages import Position, build_cursor_page, encode_cursor
from airflow_zendesk.emulator.export_pages import WITHHELD_SECONDS, EventPage, build_page
from airflow_zendesk.emulator.faults.event_faults import Delivery
from airflow_zendesk.emulator.limits import Limits
from airflow_zendesk.emulator.messages import ApiError, Json, Request
from airflow_zendesk.emulator.parameters import issue_number, page_size, position_of, required_integer, ticket_filter
from airflow_zendesk.emulator.people_shapes import serialize_organization, serialize_user
from airflow_zendesk.emulator.revisions import Revision
from airflow_zendesk.emulator.scenario import ScenarioRunner
from airflow_zendesk.emulator.serialization import encode_page, serialize_event
from airflow_zendesk.emulator.simulator import RESOURCES, Event, Simulator
from airflow_zendesk.emulator.ticket_shapes import serialize_ticket

#: "Returns only up to 50 results per request". Zendesk limits samples separately; here they count as exports.
_SAMPLE, _MAX_PER_SAMPLE = "ticket_events/sample", 50
#: The exports of objects. Events have the same paging as organizations, but no revisions.
OBJECTS: Final = ("tickets", "users", "organizations")


@dataclass(frozen=True, slots=True)
class Exports:
    """The incremental exports of a simulated desk.

    Args:
        simulator: Computes events and objects.
        limits: How much is returned.
        runner: Returns the runner of the current scenario.
    """

    simulator: Simulator
    limits: Limits
    runner: Callable[[], ScenarioRunner]

    def respond(self, request: Request) -> str:
        """Return the body of the requested page."""
        endpoint, resource = request.endpoint, request.resource
        if endpoint is not None and endpoint.paging == "cursor":
            return self._cursor_page(request)
        if resource == "organizations" and endpoint is not None:
            return self._time_page(request)
        if resource == _SAMPLE:
            return self._event_page(request, "ticket_events", _MAX_PER_SAMPLE)
        if resource not in RESOURCES:
            raise ApiError(404)
        return self._event_page(request, resource, self.limits.max_per_page)

    def events(self, resource: str, start: int, end: int, parameters: Mapping[str, str]) -> Iterator[Event]:
        """Yield the events of `[start, end)`; the scope, by default `all`, applies to ticket events only."""
        in_scope = _event_filter(resource, parameters, default="all")
        return filter(in_scope, self.runner().with_bulk_updates(self.simulator.events)(resource, start, end))

    def current(self, resource: str, start: int, now: int, parameters: Mapping[str, str]) -> Iterator[Revision[Any]]:
        """Yield the current revisions since `start` of the objects that the parameters select."""
        if resource == "users":
            return self.simulator.people.current(start, now)
        if resource == "organizations":
            return self.simulator.organizations.current(start, now)
        in_scope = ticket_filter(parameters, default="all")
        without_deleted = parameters.get("exclude_deleted") == "true"
        return (
            revision
            for revision in self.simulator.tickets.current(start, now)
            if in_scope(revision.source) and not (without_deleted and revision.is_deletion)
        )

    def _event_page(self, request: Request, resource: str, max_per_page: int) -> str:
        now, start_time = int(request.time), _start_time(request)
        per_page = page_size(request.parameters, "per_page", max_per_page)
        page = build_page(
            self._deliveries(resource, start_time, now, request.parameters),
            start_time=start_time,
            per_page=per_page or max_per_page,
            now=now,
            shuffle=request.number,
            empty_end_time=self.limits.empty_end_time,
        )
        with_comments = "comment_events" in _includes(request)
        items = (serialize_event(delivery.event, now, with_comments=with_comments) for delivery in page.items)
        return encode_page(resource, items, _time_envelope(request, page, per_page))

    def _deliveries(self, resource: str, start: int, end: int, parameters: Mapping[str, str]) -> Iterator[Delivery]:
        runner = self.runner()
        source = runner.with_bulk_updates(self.simulator.events)
        in_scope = _event_filter(resource, parameters, default="agent")
        return (each for each in runner.deliveries(source, resource, start, end) if in_scope(each.event))

    def _time_page(self, request: Request) -> str:
        now, start_time = int(request.time), _start_time(request)
        per_page = page_size(request.parameters, "per_page", self.limits.max_per_page)
        page = build_page(
            self.simulator.organizations.current(start_time, now),
            start_time=start_time,
            per_page=per_page or self.limits.max_per_page,
            now=now,
            shuffle=request.number,
            empty_end_time=self.limits.empty_end_time,
        )
        items = (serialize_organization(revision) for revision in page.items)
        return encode_page(request.resource, items, _time_envelope(request, page, per_page))

    def _cursor_page(self, request: Request) -> str:
        resource, now, cursor = request.resource, int(request.time), request.parameters.get("cursor")
        after = Position(_start_time(request)) if cursor is None else position_of(request, cursor, self.limits)
        per_page = page_size(request.parameters, "per_page", self.limits.max_per_page)
        parameters = {"support_type_scope": "agent"} | request.parameters
        page = build_cursor_page(
            self.current(resource, after.second, now, parameters),
            after=after,
            per_page=per_page or self.limits.max_per_page,
            now=now,
        )
        serialize = self._serializer(request)
        next_cursor = encode_cursor(resource, page.after, issue_number(request, self.limits))
        envelope = page.envelope(request.origin + request.path, next_cursor, per_page)
        return encode_page(resource, map(serialize, page.items), envelope)

    def _serializer(self, request: Request) -> Callable[[Revision[Any]], Json]:
        if request.resource == "users":
            return serialize_user
        with_metric_set = "metric_sets" in _includes(request)
        return lambda revision: serialize_ticket(
            revision, self.simulator.lifecycle(revision.source), with_metric_set=with_metric_set
        )


def _start_time(request: Request) -> int:
    start_time = required_integer(request.parameters, "start_time")
    if start_time > int(request.time) - WITHHELD_SECONDS:
        raise ApiError(400)
    return start_time


def _includes(request: Request) -> list[str]:
    return request.parameters.get("include", "").split(",")


def _time_envelope(request: Request, page: EventPage[Any], per_page: int | None) -> Json:
    """Return the keys of a time-based page besides its items."""
    return {
        "next_page": page.next_page(request.origin + request.path, per_page),
        "count": page.count,
        "end_of_stream": page.end_of_stream,
        "end_time": page.end_time,
    }


def _event_filter(resource: str, parameters: Mapping[str, str], default: str) -> Callable[[Event], bool]:
    """Return whether an event is in the requested scope, which applies to ticket events only."""
    in_scope = ticket_filter(parameters, default)
    return (lambda event: in_scope(event.ticket)) if resource == "ticket_events" else (lambda _: True)
