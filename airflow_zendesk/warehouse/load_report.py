"""What a load tells about itself. No row data, no secret."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

#: A load of more slices tells only the totals: what Airflow keeps of a task should stay small.
_MOST_SLICES_TOLD = 100


@dataclass(frozen=True, slots=True)
class SliceLoad:
    """What became of one slice.

    ``rows`` are those of the slice, ``children`` the rows that its ``child_events`` became, ``doubles`` the ids that
    stand in another slice as well, and ``nulls_replaced`` the NUL characters that the warehouse cannot hold.
    ``unreadable`` counts, by table and column, what the views cannot read.
    """

    start: datetime
    end: datetime
    uri: str
    digest: str
    outcome: Literal["loaded", "unchanged"]
    rows: int
    children: int = 0
    doubles: int = 0
    nulls_replaced: int = 0
    unreadable: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class LoadReport:
    """What a load did, and what was odd about it."""

    resource: str
    warehouse: str
    slices: list[SliceLoad] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-able values; times are ISO 8601."""
        outcomes = Counter(slice_.outcome for slice_ in self.slices)
        told: dict[str, Any] = {
            "resource": self.resource,
            "warehouse": self.warehouse,
            "loaded": outcomes["loaded"],
            "unchanged": outcomes["unchanged"],
            "rows": sum(slice_.rows for slice_ in self.slices),
        }
        if len(self.slices) <= _MOST_SLICES_TOLD:
            told["slices"] = [
                {**asdict(slice_), "start": slice_.start.isoformat(), "end": slice_.end.isoformat()}
                for slice_ in self.slices
            ]
        return told

    def warnings(self) -> list[str]:
        """A sentence for each thing that somebody should know; empty on an ordinary day."""
        doubles = sum(slice_.doubles for slice_ in self.slices)
        nulls = sum(slice_.nulls_replaced for slice_ in self.slices)
        unreadable = sum((Counter(slice_.unreadable) for slice_ in self.slices), Counter[str]())
        sentences = []
        if doubles:
            sentences.append(
                f"{doubles:,} ids of {self.resource} stand in another slice as well: the table has the row of the "
                f"later slice, {self.resource}_doubles the other."
            )
        if nulls:
            sentences.append(f"{nulls:,} NUL characters, which the warehouse cannot hold, became U+FFFD.")
        sentences += [
            f"{count:,} values of {part} are not of a form that the views can read; the view unreadable lists them."
            for part, count in sorted(unreadable.items())
        ]
        return sentences
