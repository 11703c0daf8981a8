"""A scenario: which fault acts on which request, and how often.

A scenario is a list of steps, as JSON or as Python dictionaries:

    [{"fault": "reset_in_body", "on": {"page": 2}, "times": 3},
     {"fault": "status", "status": 429, "retry_after": 7, "on": {"resource": "ticket_metric_events"}}]

Every step that matches a request acts on it: first the page faults in their order, then the response faults, then the
first connection fault. Pages are numbered by `start_time`, cursor or `page`: requests with the same one are for the
same page. Without a condition on `resource` or `path`, a step matches exports but not lists. Event faults are always active and accept neither `on` nor `times`.
"""

import json
import threading
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from airflow_zendesk.emulator.authenticator import Authenticator
from airflow_zendesk.emulator.faults import FAULTS, Fault
from airflow_zendesk.emulator.faults.event_faults import Delay, Delivery, EventSource, deliver
from airflow_zendesk.emulator.faults.page_faults import PageDraft
from airflow_zendesk.emulator.messages import HttpResponse, Json, Request, ServerAction

#: The value of `times` for a step without a limit.
ALWAYS = "always"
#: The keys of `on`, and their types.
_CONDITIONS: Mapping[str, type] = {
    "page": int,
    "resource": str,
    "path": str,
    "per_page_above": int,
    "per_page_at_most": int,
}
#: The number of undamaged pages that are kept, so that a page can repeat records of the previous one.
_KEPT_PAGES = 4


class ScenarioError(ValueError):
    """The scenario is invalid; the message says why."""


@dataclass(frozen=True, slots=True)
class Step:
    """One fault of a scenario.

    Args:
        fault: The fault.
        options: Its options.
        on: The conditions on a request; without any, every export matches. Lists only match by resource or path.
        times: How often it acts; None for no limit.
    """

    fault: Fault
    options: Json
    on: Json
    times: int | None

    @classmethod
    def of(cls, step: object) -> "Step":
        """Return the step that a scenario describes.

        Raises:
            ScenarioError: The step is invalid.
        """
        if not isinstance(step, Mapping):
            raise ScenarioError(f"a step must be an object like {{'fault': 'reset_in_body'}}, not {step!r}")
        options = dict(step)
        fault = FAULTS.get(str(options.pop("fault", None)))
        if fault is None:
            raise ScenarioError(f"unknown fault {step.get('fault')!r}; use one of: {', '.join(FAULTS)}")
        if fault.place == "events" and {"on", "times"} & options.keys():
            raise ScenarioError(f"{fault.name} is always active; remove 'on' and 'times'")
        on, times = options.pop("on", {}), options.pop("times", 1)
        if times != ALWAYS and (not _is_a(times, int) or times < 1):
            raise ScenarioError(f"{fault.name}: times must be an integer of at least 1, or {ALWAYS!r}, not {times!r}")
        _check_keys(on, _CONDITIONS, f"{fault.name}: on")
        known = fault.options
        _check_keys(options, {name: option.annotation for name, option in known.items()}, fault.name)
        required = {name for name, option in known.items() if option.default is option.empty}
        if missing := required - options.keys():
            raise ScenarioError(f"{fault.name} requires {', '.join(missing)}")
        return cls(fault, options, dict(on), None if times == ALWAYS else times)

    def matches(self, request: Request, page: int) -> bool:
        """Whether the conditions match this request, which asks for this page."""
        on, per_page = self.on, request.page_size
        is_meant: bool = request.is_export or (request.is_list and "resource" in on)
        return (
            (is_meant if "path" not in on else request.path == on["path"])
            and on.get("page", page) == page
            and on.get("resource", request.resource) == request.resource
            and on.get("per_page_above", 0) < per_page <= on.get("per_page_at_most", per_page)
        )


class ScenarioRunner:
    """Applies a scenario to requests, and counts how often each step has acted.

    Args:
        scenario: The steps, as read from JSON.

    Raises:
        ScenarioError: The scenario is invalid.
    """

    def __init__(self, scenario: object = ()) -> None:
        if isinstance(scenario, str | Mapping) or not isinstance(scenario, Iterable):
            raise ScenarioError("a scenario must be a list of steps")
        self._steps = [Step.of(step) for step in scenario]
        self._remaining = [step.times for step in self._steps]
        try:
            event_faults = [step.fault.act(**step.options) for step in self._steps if step.fault.place == "events"]
        except ValueError as error:
            raise ScenarioError(f"invalid option: {error}") from None
        self._delays = [each for each in event_faults if isinstance(each, Delay)]
        self._bulk_updates = [each for each in event_faults if not isinstance(each, Delay)]
        self._page_numbers: dict[str, dict[int | str, int]] = defaultdict(dict)
        self._kept_pages: dict[str, deque[tuple[int, bytes]]] = defaultdict(lambda: deque(maxlen=_KEPT_PAGES))
        self._lock = threading.Lock()

    def with_bulk_updates(self, source: EventSource) -> EventSource:
        """Return a source that adds the scenario's bulk updates to the events of another."""
        for with_bulk_update in self._bulk_updates:
            source = with_bulk_update(source)
        return source

    def deliveries(self, source: EventSource, resource: str, start: int, end: int) -> Iterator[Delivery]:
        """Yield what becomes visible in `[start, end)`, in that order."""
        return deliver(source, self._delays, resource, start, end)

    def take_steps(self, request: Request) -> list[Step]:
        """Return the steps that act on a request, and count them as having acted."""
        with self._lock:
            page = self._page_number(request) if request.bucket else 0
            due = [number for number, step in enumerate(self._steps) if self._is_due(number, step, request, page)]
            for number in due:
                remaining = self._remaining[number]
                self._remaining[number] = None if remaining is None else remaining - 1
            return [self._steps[number] for number in due]

    def apply(self, request: Request, steps: Sequence[Step], undamaged: HttpResponse) -> HttpResponse:
        """Return the response with the page and response faults applied; page faults leave error responses alone."""
        response = undamaged
        if request.bucket and undamaged.status == 200:  # noqa: PLR2004 - HTTP's own
            page_steps = [step for step in steps if step.fault.place == "pages"]
            if page_steps:
                response = replace(undamaged, body=self._edit_page(request, page_steps, undamaged.body))
            self._kept_pages[request.path].append((self._place(request), undamaged.body))
        for step in steps:
            if step.fault.place == "responses":
                response = step.fault.act(response, **step.options)
        return response

    def _is_due(self, number: int, step: Step, request: Request, page: int) -> bool:
        return step.fault.place != "events" and self._remaining[number] != 0 and step.matches(request, page)

    def _page_number(self, request: Request) -> int:
        """Return the number of the requested page: 1 for the first `start_time` or cursor of this scenario."""
        numbers = self._page_numbers[request.path]
        requested = request.cursor or request.integer("start_time", request.integer("page", 0))
        return numbers.setdefault(requested, len(numbers) + 1)

    def _place(self, request: Request) -> int:
        """Return a number by which the pages of a resource are ordered."""
        is_by_time = request.endpoint is None or request.endpoint.paging == "time"
        return request.integer("start_time", 0) if is_by_time else self._page_number(request)

    def _edit_page(self, request: Request, steps: Sequence[Step], body: bytes) -> bytes:
        place = self._place(request)
        earlier = [(at, page) for at, page in list(self._kept_pages[request.path]) if at < place]
        previous = json.loads(max(earlier)[1])[request.resource] if earlier else []
        page = PageDraft.of(request, body, previous)
        for step in steps:
            page = step.fault.act(page, **step.options)
        return page.encode()


def apply_token_faults(steps: Sequence[Step], authenticator: Authenticator) -> None:
    """Apply the token faults among the steps."""
    for step in steps:
        if step.fault.place == "tokens":
            step.fault.act(authenticator, **step.options)


def server_actions(steps: Sequence[Step], head: bytes, body: bytes) -> Iterable[ServerAction]:
    """Return what the server does to send a response; the first connection fault determines it."""
    for step in steps:
        if step.fault.place == "connections":
            actions: Iterable[ServerAction] = step.fault.act(head, body, **step.options)
            return actions
    return [head + body]


def _check_keys(given: Any, known: Mapping[str, Any], name: str) -> None:
    if not isinstance(given, Mapping):
        raise ScenarioError(f"{name} must be an object, not {given!r}")
    for key, value in given.items():
        if key not in known:
            raise ScenarioError(f"{name}: unknown key {key!r}; use one of: {', '.join(known) or '(none)'}")
        if not _is_a(value, known[key]):
            raise ScenarioError(f"{name}: {key} cannot be {value!r}")


def _is_a(value: object, kind: Any) -> bool:
    """Like isinstance, but a boolean is not a number, and an integer is also a float."""
    if isinstance(value, bool):
        return isinstance(value, kind) and kind is not int and kind is not float
    return isinstance(value, kind) or (kind is float and isinstance(value, int))
