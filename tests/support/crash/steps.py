"""The steps of an export: every line of the code between Zendesk's response and the object that readers see.

A test can stop or kill a process at any step, or raise an error there. The product has no hooks for this: Python calls
``watched`` before each line (``sys.settrace``).

A step is named by its function and the number of its line within that function, so edits elsewhere in a file rename
nothing. Tests select steps by function, class or module (``Step.is_in``) and never write a name or a number.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any, NamedTuple

import airflow_zendesk

_PACKAGE = Path(airflow_zendesk.__file__).parent
#: The modules between Zendesk's response and the stored object, by file.
_MODULES = {
    str(path): ".".join(("airflow_zendesk", *path.relative_to(_PACKAGE).with_suffix("").parts)).removesuffix(
        ".__init__"
    )
    for folder in ("export", "dataset", "storage")
    for path in (_PACKAGE / folder).rglob("*.py")
}

Trace = Callable[[FrameType, str, Any], Any]


class Step(NamedTuple):
    """A line of a function, counted from the function's first line, which is 1."""

    module: str
    function: str
    line: int

    def is_in(self, *scopes: ModuleType | Callable[..., Any]) -> bool:
        """Whether the step belongs to one of these modules (or packages), classes or functions."""
        return any(self._is_in(scope) for scope in scopes)

    def _is_in(self, scope: ModuleType | Callable[..., Any]) -> bool:
        if isinstance(scope, ModuleType):
            return f"{self.module}.".startswith(f"{scope.__name__}.")
        return self.module == scope.__module__ and f"{self.function}.".startswith(f"{scope.__qualname__}.")

    def __str__(self) -> str:
        return f"{self.module}:{self.function} line {self.line}"


@contextmanager
def watched(on_step: Callable[[Step], object]) -> Iterator[None]:
    """Call ``on_step`` before each step, in this thread and in threads started from now on.

    An exception of ``on_step`` is raised at the step.
    """

    def enter(frame: FrameType, _event: str, _argument: Any) -> Trace | None:
        return line if frame.f_code.co_filename in _MODULES else None

    def line(frame: FrameType, event: str, _argument: Any) -> Trace:
        if event == "line":
            on_step(_step(frame.f_code.co_filename, frame.f_code.co_qualname, frame.f_lineno))
        return line

    before, before_in_threads = sys.gettrace(), threading.gettrace()
    threading.settrace(enter)
    sys.settrace(enter)
    try:
        yield
    finally:
        sys.settrace(before)
        threading.settrace(before_in_threads)


@contextmanager
def at(step: Step, act: Callable[[], None]) -> Iterator[None]:
    """Call ``act`` when the step is reached for the first time."""
    pending = [act]

    def on_step(reached: Step) -> None:
        if reached == step and pending:
            pending.pop()()

    with watched(on_step):
        yield


def steps_of(run: Callable[[], object]) -> list[Step]:
    """The steps that a run takes, each once, in order."""
    steps: dict[Step, None] = {}
    with watched(steps.setdefault):
        run()
    return list(steps)


def first_step_in(steps: list[Step], function: Callable[..., Any]) -> int:
    """The position of the first step that belongs to the function."""
    return next(number for number, step in enumerate(steps) if step.is_in(function))


def _step(path: str, function: str, line: int) -> Step:
    return Step(_MODULES[path], function, _line_numbers(path)[function].index(line) + 1)


@cache
def _line_numbers(path: str) -> dict[str, list[int]]:
    """The numbers of the lines of code in a file, by function. Functions of one name, such as lambdas, are one."""
    lines: dict[str, set[int]] = {}
    codes = [compile(Path(path).read_bytes(), path, "exec")]
    for code in codes:
        codes += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
        lines.setdefault(code.co_qualname, set()).update(line for _, _, line in code.co_lines() if line)
    return {function: sorted(numbers) for function, numbers in lines.items()}
