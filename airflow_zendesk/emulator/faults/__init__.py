"""Everything that can go wrong on request: one function per fault, in the module of the place where it acts.

`event_faults` (what happens, and when it becomes visible), `token_faults` (access tokens), `page_faults` (the JSON),
`object_faults` (the JSON of objects and lists), `response_faults` (status, headers, body), `connection_faults` (the
bytes in transit). The name of the function is the
name of the fault, its docstring describes the effect, and its keyword arguments are the options that a step of a
scenario may set.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

from airflow_zendesk.emulator.faults import (
    connection_faults,
    event_faults,
    object_faults,
    page_faults,
    response_faults,
    token_faults,
)

Place = Literal["events", "tokens", "pages", "responses", "connections"]

_MODULES: Sequence[tuple[Place, ModuleType]] = (
    ("events", event_faults),
    ("tokens", token_faults),
    ("pages", page_faults),
    ("pages", object_faults),
    ("responses", response_faults),
    ("connections", connection_faults),
)
_NOT_FAULTS = {"deliver"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can go wrong: where it acts, and the function that does it."""

    place: Place
    act: Callable[..., Any]

    @property
    def name(self) -> str:
        """The name used in a scenario."""
        return self.act.__name__

    @property
    def description(self) -> str:
        """One sentence about the effect."""
        return (self.act.__doc__ or "").partition("\n")[0]

    @property
    def options(self) -> Mapping[str, inspect.Parameter]:
        """The options, with type and default."""
        parameters = inspect.signature(self.act).parameters
        return {name: each for name, each in parameters.items() if each.kind is each.KEYWORD_ONLY}

    @property
    def defaults(self) -> Mapping[str, Any]:
        """The default of each option; a required option has its own name in capitals."""
        return {
            name: name.upper() if each.default is each.empty else each.default for name, each in self.options.items()
        }


FAULTS: Mapping[str, Fault] = {
    name: Fault(place, function)
    for place, module in _MODULES
    for name, function in vars(module).items()
    if inspect.isfunction(function)
    and function.__module__ == module.__name__
    and not name.startswith("_")
    and name not in _NOT_FAULTS
}
