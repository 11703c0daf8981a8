"""The steps of a run, as fine as they get: each line of the code that makes and publishes a slice.

Nothing in the product knows of this. Python itself tells when a thread comes to a line (``sys.settrace``), and there a
test may do to the process what it likes.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import airflow_zendesk

_PACKAGE = Path(airflow_zendesk.__file__).parent
#: What stands between an answer of Zendesk and an object that readers see, by its place in the package.
_FILES = {
    str(path): str(path.relative_to(_PACKAGE))
    for path in (_PACKAGE / "export.py", *(_PACKAGE / "dataset").rglob("*.py"))
}

Trace = Callable[[FrameType, str, Any], Any]


@contextmanager
def watched(come_to: Callable[[str], None]) -> Iterator[None]:
    """Call ``come_to`` with the name of every line of the publisher before it is run, by this thread or one to come.

    A name is like ``dataset/store.py:131 put``. What ``come_to`` raises is raised at that line.
    """

    def enter(frame: FrameType, _event: str, _argument: Any) -> Trace | None:
        return line if frame.f_code.co_filename in _FILES else None

    def line(frame: FrameType, event: str, _argument: Any) -> Trace:
        if event == "line":
            code = frame.f_code
            come_to(f"{_FILES[code.co_filename]}:{frame.f_lineno} {code.co_name}")
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
def at(step: str, act: Callable[[], None]) -> Iterator[None]:
    """Do something when a step is come to for the first time."""
    left = [act]

    def come_to(here: str) -> None:
        if here == step and left:
            left.pop()()

    with watched(come_to):
        yield


def steps_of(run: Callable[[], object]) -> list[str]:
    """The steps that a run takes, each once, in order."""
    steps: dict[str, None] = {}
    with watched(steps.setdefault):
        run()
    return list(steps)
