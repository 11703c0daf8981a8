"""The report of a load. It contains no row data and no secret."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

#: A load of more slices reports only totals, so that the XCom of the task stays small.
_MAX_SLICES_LISTED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceLoad:
    """The result for one slice.

    Args:
        rows: the rows of the slice.
        children: the rows of ``ticket_child_events`` that were written for its events.
        duplicates: the ids that another slice contains too.
        nul_characters_replaced: the NUL characters that the warehouse cannot store.
        unreadable: the number of values that the views cannot read, by table and column.
    """

    start: datetime
    end: datetime
    uri: str
    digest: str
    outcome: Literal["loaded", "unchanged"]
    rows: int
    children: int = 0
    duplicates: int = 0
    nul_characters_replaced: int = 0
    unreadable: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class LoadReport:
    """The results of a load, and its warnings."""

    resource: str
    warehouse: str
    slices: list[SliceLoad] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON-serializable values; times are ISO 8601."""
        outcomes = Counter(slice_.outcome for slice_ in self.slices)
        report: dict[str, Any] = {
            "resource": self.resource,
            "warehouse": self.warehouse,
            "loaded": outcomes["loaded"],
            "unchanged": outcomes["unchanged"],
            "rows": sum(slice_.rows for slice_ in self.slices),
        }
        if len(self.slices) <= _MAX_SLICES_LISTED:
            report["slices"] = [
                {**asdict(slice_), "start": slice_.start.isoformat(), "end": slice_.end.isoformat()}
                for slice_ in self.slices
            ]
        return report

    def warnings(self) -> list[str]:
        """Return a sentence for each anomaly; empty if there was none."""
        duplicates = sum(slice_.duplicates for slice_ in self.slices)
        nuls = sum(slice_.nul_characters_replaced for slice_ in self.slices)
        unreadable = sum((Counter(slice_.unreadable) for slice_ in self.slices), Counter[str]())
        sentences = []
        if duplicates:
            sentences.append(
                f"{duplicates:,} ids of {self.resource} also occur in another slice; the table has the row of the "
                f"later slice, and {self.resource}_duplicates has the other."
            )
        if nuls:
            sentences.append(
                f"{nuls:,} NUL characters were replaced by U+FFFD, because the warehouse cannot store them."
            )
        sentences += [
            f"{count:,} values of {part} have a form that the views cannot read; the view unreadable lists them."
            for part, count in sorted(unreadable.items())
        ]
        return sentences
