"""What an audit tells: what is there, slice by slice, and everything that is wrong with it. No row data, no secret."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from airflow_zendesk.dataset.settings import DatasetSettings
from airflow_zendesk.window import Slice, Window

Problem = Literal[
    "missing",  # no object for a slice of the window
    "damaged",  # not readable, or not what its footer says
    "mismatched",  # not the slice that its name says, or of another dataset
    "unproven",  # the certificate does not cover the slice
    "misplaced",  # rows outside the time of the slice
    "doubled",  # ids that another slice has too
    "different",  # not what Zendesk answers now
    "overlapping",  # an object for a time that is no slice of the dataset's grain
    "foreign",  # an object that is no slice at all
]
#: What stands in the way of an export, which overwrites only slices that are what they claim to be.
BLOCKING: frozenset[Problem] = frozenset({"damaged", "mismatched", "unproven", "misplaced", "overlapping", "foreign"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; ``affected`` is the time that is not whole because of it, if there is such a time."""

    problem: Problem
    uri: str
    reason: str
    affected: Window | None = None

    def __str__(self) -> str:
        return f"{self.problem}: {self.uri}: {self.reason}"


@dataclass(slots=True)
class SliceState:
    """One slice of the window, as it was found; ``problem`` is the first that was."""

    slice: Slice
    uri: str
    rows: int = 0
    late: int = 0
    bytes: int = 0
    digest: str | None = None
    problem: Problem | None = None


@dataclass(slots=True)
class Run:
    """Slices that follow upon each other, all whole or all with the same problem."""

    start: datetime
    end: datetime
    problem: Problem | None
    slices: int = 0
    rows: int = 0
    late: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class VerificationProgress:
    """How far an audit is: slices ``read`` from storage, or ``compared`` with Zendesk."""

    step: Literal["read", "compared"]
    done: int
    total: int
    rows: int
    findings: int

    def __str__(self) -> str:
        return f"{self.step} {self.done:,} of {self.total:,} slices, {self.rows:,} rows, {self.findings:,} findings"


@dataclass(slots=True)
class Audit:
    """A dataset in a window: what is there and what is wrong. ``compared`` slices were asked of Zendesk again.

    ``hidden`` are objects whose names begin with a dot or an underscore, which no reader takes for data.
    """

    settings: DatasetSettings
    uri: str
    window: Window
    slices: list[SliceState]
    findings: list[Finding] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    compared: int = 0

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def add(self, problem: Problem, state: SliceState, reason: str) -> None:
        """Note what is wrong with a slice."""
        self.findings.append(Finding(problem, state.uri, reason, state.slice))
        state.problem = state.problem or problem

    def problems(self) -> dict[str, int]:
        """How many findings there are of each kind."""
        return dict(Counter[str](finding.problem for finding in self.findings))

    def runs(self) -> Iterator[Run]:
        """The slices of the window, those alike taken together."""
        run: Run | None = None
        for state in self.slices:
            if run is None or run.problem != state.problem:
                if run:
                    yield run
                run = Run(state.slice.start, state.slice.end, state.problem)
            run.end = state.slice.end
            run.slices += 1
            run.rows += state.rows
            run.late += state.late
            run.bytes += state.bytes
        if run:
            yield run

    def summary(self) -> dict[str, Any]:
        """Totals as JSON-able values, small enough for XCom; times are ISO 8601."""
        return {
            "resource": self.settings.resource,
            "account": self.settings.account,
            "destination": self.uri,
            "grain": self.settings.grain,
            **_times(self.window),
            "whole": self.whole,
            "slices": len(self.slices),
            **{name: sum(getattr(state, name) for state in self.slices) for name in ("rows", "late", "bytes")},
            "compared": self.compared,
            "problems": self.problems(),
        }

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON-able values."""
        return {
            **self.summary(),
            "hidden": self.hidden,
            "runs": [asdict(run) | _times(run) for run in self.runs()],
            "findings": [
                {"problem": finding.problem, "uri": finding.uri, "reason": finding.reason}
                | (_times(finding.affected) if finding.affected else {})
                for finding in self.findings
            ],
        }


def _times(slice_: Window | Run) -> dict[str, str]:
    return {"start": slice_.start.isoformat(), "end": slice_.end.isoformat()}
