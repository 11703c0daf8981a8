"""A bad day, as data: which fault acts on which request, and how often.

A scenario is a list of steps, as JSON or as Python's dictionaries:

    [{"fault": "reset_in_body", "on": {"page": 2}, "times": 3},
     {"fault": "status", "status": 429, "retry_after": 7, "on": {"resource": "ticket_metric_events"}}]

Every step that fits a request acts on it: those of the page in their order, then those of the answer, then the first of
the wire. Pages are counted by their `start_time`: whoever asks for the same second again asks for the same page. Faults
of the desk hold all the time and take neither `on` nor `times`.
"""

import json
import threading
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from airflow_zendesk.emulator.access import Door
from airflow_zendesk.emulator.faults import FAULTS, Fault
from airflow_zendesk.emulator.faults.desk import Delay, Delivery, Source, deliver
from airflow_zendesk.emulator.faults.pages import Sheet
from airflow_zendesk.emulator.messages import Act, Answer, Json, Request
from airflow_zendesk.emulator.paging import MAX_PER_PAGE

#: A step for good.
ALWAYS = "always"
#: What `on` can name, and of which type.
_CONDITIONS: Mapping[str, type] = {
    "page": int,
    "resource": str,
    "path": str,
    "per_page_above": int,
    "per_page_at_most": int,
}
#: Honest answers that are remembered, so that a page can repeat what the page before had.
_REMEMBERED = 4


class ScenarioError(ValueError):
    """No scenario: the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One fault of a scenario.

    Args:
        fault: What goes wrong.
        options: How.
        on: Which requests it is for; any export if nothing is said.
        times: How often it acts; None for good.
    """

    fault: Fault
    options: Json
    on: Json
    times: int | None

    @classmethod
    def read(cls, step: object) -> "Step":
        """The step that a scenario describes.

        Raises:
            ScenarioError: it is none; the message says why.
        """
        if not isinstance(step, Mapping):
            raise ScenarioError(f"a step is an object like {{'fault': 'reset_in_body'}}, not {step!r}")
        options = dict(step)
        fault = FAULTS.get(str(options.pop("fault", None)))
        if fault is None:
            raise ScenarioError(f"there is no fault {step.get('fault')!r}; known are: {', '.join(FAULTS)}")
        if fault.place == "desk" and {"on", "times"} & options.keys():
            raise ScenarioError(f"{fault.name} holds all the time: it takes neither on nor times")
        on, times = options.pop("on", {}), options.pop("times", 1)
        if times != ALWAYS and (not _is_a(times, int) or times < 1):
            raise ScenarioError(f"{fault.name}: times is {times!r}, neither a number from 1 nor {ALWAYS!r}")
        _check(on, _CONDITIONS, f"{fault.name}: on")
        known = fault.options
        _check(options, {name: option.annotation for name, option in known.items()}, fault.name)
        needed = {name for name, option in known.items() if option.default is option.empty}
        if missing := needed - options.keys():
            raise ScenarioError(f"{fault.name} needs {', '.join(missing)}")
        return cls(fault, options, dict(on), None if times == ALWAYS else times)

    def fits(self, request: Request, page: int) -> bool:
        """Whether it is for this request, which asks for this page."""
        on, per_page = self.on, request.number_of("per_page", MAX_PER_PAGE)
        return (
            (request.is_export if "path" not in on else request.path == on["path"])
            and on.get("page", page) == page
            and on.get("resource", request.resource) == request.resource
            and on.get("per_page_above", 0) < per_page <= on.get("per_page_at_most", per_page)
        )


class Script:
    """A scenario under way.

    Args:
        scenario: Its steps, as read from JSON.

    Raises:
        ScenarioError: it is no scenario; the message says why.
    """

    def __init__(self, scenario: object = ()) -> None:
        if isinstance(scenario, str | Mapping) or not isinstance(scenario, Iterable):
            raise ScenarioError("a scenario is a list of steps")
        self._steps = [Step.read(step) for step in scenario]
        self._left = [step.times for step in self._steps]
        try:
            made = [step.fault.act(**step.options) for step in self._steps if step.fault.place == "desk"]
        except ValueError as error:
            raise ScenarioError(f"the desk cannot be so: {error}") from None
        self._delays = [each for each in made if isinstance(each, Delay)]
        self._bursts = [each for each in made if not isinstance(each, Delay)]
        self._asked: dict[str, dict[int, int]] = defaultdict(dict)
        self._answered: dict[str, deque[tuple[int, bytes]]] = defaultdict(lambda: deque(maxlen=_REMEMBERED))
        self._lock = threading.Lock()

    def desk(self, world: Source) -> Source:
        """What happens on the desk, with what the scenario makes happen there."""
        for burst in self._bursts:
            world = burst(world)
        return world

    def deliveries(self, source: Source, resource: str, start: int, end: int) -> Iterator[Delivery]:
        """What surfaces in a half-open time, in the order in which it does."""
        return deliver(source, self._delays, resource, start, end)

    def acting(self, request: Request) -> list[Step]:
        """The steps that act on a request; from now on they have done so."""
        with self._lock:
            page = self._page(request) if request.is_export else 0
            due = [number for number, step in enumerate(self._steps) if self._is_due(number, step, request, page)]
            for number in due:
                left = self._left[number]
                self._left[number] = None if left is None else left - 1
            return [self._steps[number] for number in due]

    def answer(self, request: Request, steps: Sequence[Step], honest: Answer) -> Answer:
        """The answer that the steps make of an honest one; what is no page stays as it is to faults of pages."""
        answer = honest
        if request.is_export and honest.status == 200:  # noqa: PLR2004 - HTTP's own
            edits = [step for step in steps if step.fault.place == "pages"]
            if edits:
                answer = replace(honest, body=self._edit(request, edits, honest.body))
            self._answered[request.path].append((request.number_of("start_time", 0), honest.body))
        for step in steps:
            if step.fault.place == "answers":
                answer = step.fault.act(answer, **step.options)
        return answer

    def _is_due(self, number: int, step: Step, request: Request, page: int) -> bool:
        return step.fault.place != "desk" and self._left[number] != 0 and step.fits(request, page)

    def _page(self, request: Request) -> int:
        """Which page a request asks for: the first, the second, ... `start_time` of this scenario."""
        asked = self._asked[request.path]
        return asked.setdefault(request.number_of("start_time", 0), len(asked) + 1)

    def _edit(self, request: Request, edits: Sequence[Step], body: bytes) -> bytes:
        start_time, resource = request.number_of("start_time", 0), request.resource
        earlier = [(at, page) for at, page in list(self._answered[request.path]) if at < start_time]
        before = json.loads(max(earlier)[1])[resource] if earlier else []
        page = Sheet.read(resource, start_time, body, before)
        for step in edits:
            page = step.fault.act(page, **step.options)
        return page.write()


def open_door(steps: Sequence[Step], door: Door) -> None:
    """Do to the credentials what the steps say."""
    for step in steps:
        if step.fault.place == "access":
            step.fault.act(door, **step.options)


def transmit(steps: Sequence[Step], head: bytes, body: bytes) -> Iterable[Act]:
    """What the server does to answer; the first fault of the wire decides."""
    for step in steps:
        if step.fault.place == "wires":
            acts: Iterable[Act] = step.fault.act(head, body, **step.options)
            return acts
    return [head + body]


def _check(given: Any, known: Mapping[str, Any], name: str) -> None:
    if not isinstance(given, Mapping):
        raise ScenarioError(f"{name} is an object, not {given!r}")
    for key, value in given.items():
        if key not in known:
            raise ScenarioError(f"{name} does not know {key!r}; it knows: {', '.join(known) or 'nothing'}")
        if not _is_a(value, known[key]):
            raise ScenarioError(f"{name}: {key} cannot be {value!r}")


def _is_a(value: object, kind: Any) -> bool:
    """As isinstance, but true is no number, and a whole number is one with decimals too."""
    if isinstance(value, bool):
        return isinstance(value, kind) and kind is not int and kind is not float
    return isinstance(value, kind) or (kind is float and isinstance(value, int))
