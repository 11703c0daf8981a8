"""The result of a verification: the state of every slice, and every problem found. No row data, no secret."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, Literal

from airflow_zendesk.dataset.settings import DatasetSettings
from airflow_zendesk.storage.store import Version
from airflow_zendesk.window import Slice, Window
from airflow_zendesk.wording import counted

Problem = Literal[
    "missing",  # no object for a slice of the window
    "damaged",  # not readable, or different from its footer
    "mismatched",  # another slice than its name says, or of another dataset
    "uncertified",  # the certificate does not cover the slice
    "out_of_range",  # rows outside the time of the slice
    "duplicate",  # ids that another slice has too
    "stale",  # different from Zendesk's current response
    "overlapping",  # an object for a time that is not a slice of the dataset's grain
    "unexpected",  # an object that is not a slice
]
#: Problems that block an export, which overwrites only valid slices.
BLOCKING: frozenset[Problem] = frozenset(
    {"damaged", "mismatched", "uncertified", "out_of_range", "overlapping", "unexpected"}
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem; ``affected`` is the time that is not complete because of it, if there is such a time."""

    problem: Problem
    uri: str
    reason: str
    affected: Window | None = None

    def __str__(self) -> str:
        return f"{self.problem}: {printable(self.uri)}: {printable(self.reason)}"


@dataclass(slots=True, kw_only=True)
class SliceState:
    """One slice of the window as it is stored; ``problem`` is the first that was found.

    ``version`` is the listed one; None if there is no object.
    """

    slice: Slice
    uri: str
    version: Version | None = None
    rows: int = 0
    late: int = 0
    bytes: int = 0
    digest: str | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Consecutive slices, all complete or all with the same problem."""

    start: datetime
    end: datetime
    problem: Problem | None
    slices: int
    rows: int
    late: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationProgress:
    """The progress of a verification: slices ``read`` from storage, or ``compared`` with Zendesk."""

    step: Literal["read", "compared"]
    done: int
    total: int
    rows: int
    findings: int

    def __str__(self) -> str:
        return (
            f"{self.step} {self.done:,} of {counted(self.total, 'slice')}, {counted(self.rows, 'row')}, "
            f"{counted(self.findings, 'finding')}"
        )


@dataclass(slots=True, kw_only=True)
class VerificationReport:
    """A dataset in a window: what is stored and what is wrong. ``compared`` slices were compared with Zendesk.

    ``hidden`` are objects whose names begin with a dot or an underscore, which readers ignore. ``folder_markers`` are
    empty objects that represent a folder. Neither is a problem of the dataset.
    """

    settings: DatasetSettings
    uri: str
    window: Window
    slices: list[SliceState]
    findings: list[Finding] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    folder_markers: list[str] = field(default_factory=list)
    compared: int = 0

    @property
    def complete(self) -> bool:
        """Whether no problem was found."""
        return not self.findings

    def add(self, problem: Problem, state: SliceState, reason: str) -> None:
        """Add a problem of a slice."""
        self.findings.append(Finding(problem, state.uri, reason, state.slice))
        state.problem = state.problem or problem

    def problems(self) -> dict[str, int]:
        """The number of findings of each kind."""
        return dict(Counter[str](finding.problem for finding in self.findings))

    def runs(self) -> Iterator[Run]:
        """The slices of the window; consecutive slices in the same state are one run."""
        for problem, group in groupby(self.slices, lambda state: state.problem):
            states = list(group)
            start, end = states[0].slice.start, states[-1].slice.end
            yield Run(start=start, end=end, problem=problem, slices=len(states), **_totals(states))

    def summary(self) -> dict[str, Any]:
        """Totals as JSON-able values, small enough for XCom; times are ISO 8601."""
        return {
            "resource": self.settings.resource,
            "account": self.settings.account,
            "destination": self.uri,
            "grain": str(self.settings.grain),
            **_times(self.window),
            "complete": self.complete,
            "slices": len(self.slices),
            **_totals(self.slices),
            "compared": self.compared,
            "problems": self.problems(),
        }

    def to_dict(self) -> dict[str, Any]:
        """The whole report as JSON-able values."""
        return {
            **self.summary(),
            "hidden": self.hidden,
            "folder_markers": self.folder_markers,
            "runs": [asdict(run) | _times(run) for run in self.runs()],
            "findings": [
                {"problem": finding.problem, "uri": finding.uri, "reason": finding.reason}
                | (_times(finding.affected) if finding.affected else {})
                for finding in self.findings
            ],
        }


def printable(text: str) -> str:
    """Text for a log or a terminal: a name with control characters could forge lines, so it is escaped."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def _totals(states: Sequence[SliceState]) -> dict[str, int]:
    return {name: sum(getattr(state, name) for state in states) for name in ("rows", "late", "bytes")}


def _times(period: Window | Run) -> dict[str, str]:
    return {"start": period.start.isoformat(), "end": period.end.isoformat()}
