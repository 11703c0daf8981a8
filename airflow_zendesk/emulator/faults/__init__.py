"""Everything that can go wrong on request: one function per fault, in the place where it goes wrong.

`desk` (what happens, and surfaces when), `access` (who is let in), `pages` (the JSON), `answers` (status, headers,
body), `wires` (the bytes on their way). A function's name is the fault's name, its first line says what happens, and
its keyword arguments are the options that a step of a scenario may set.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

from airflow_zendesk.emulator.faults import access, answers, desk, pages, wires

Place = Literal["desk", "access", "pages", "answers", "wires"]

_MODULES: Mapping[Place, ModuleType] = {
    "desk": desk,
    "access": access,
    "pages": pages,
    "answers": answers,
    "wires": wires,
}
_NOT_FAULTS = {"deliver"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can go wrong: where, and the function that does it."""

    place: Place
    act: Callable[..., Any]

    @property
    def name(self) -> str:
        """How a scenario calls it."""
        return self.act.__name__

    @property
    def sentence(self) -> str:
        """What happens."""
        return (self.act.__doc__ or "").partition("\n")[0]

    @property
    def options(self) -> Mapping[str, inspect.Parameter]:
        """What can be set, with type and default."""
        parameters = inspect.signature(self.act).parameters
        return {name: each for name, each in parameters.items() if each.kind is each.KEYWORD_ONLY}

    @property
    def defaults(self) -> Mapping[str, Any]:
        """The options with what they are if nothing is said; text in capitals for those that must be given."""
        return {
            name: name.upper() if each.default is each.empty else each.default for name, each in self.options.items()
        }


FAULTS: Mapping[str, Fault] = {
    name: Fault(place, function)
    for place, module in _MODULES.items()
    for name, function in vars(module).items()
    if inspect.isfunction(function)
    and function.__module__ == module.__name__
    and not name.startswith("_")
    and name not in _NOT_FAULTS
}
