"""What an export tells about itself: progress while it runs, a report when it is done. No row data, no secret."""

import re
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from airflow_zendesk.window import Window
from airflow_zendesk.zendesk.paging import Anomalies

#: Names of unknown keys that are told as they are; whatever else a key may hold stays out of logs and XCom.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_MAX_NAMES = 20
#: Of more slices than this an asset event tells the sums: XCom and events are rows of Airflow's database.
MAX_SLICES_IN_EVENT = 100


@dataclass(frozen=True, slots=True)
class SliceReport:
    """What became of one slice. Of a skipped one only the place is known: nothing was asked or read.

    The last four compare with the version that was there before: how many ids were added, removed and changed, and how
    late the latest of the added events was, at the least (see ``publish.PublishResult``).
    """

    start: datetime
    end: datetime
    uri: str
    outcome: Literal["published", "unchanged", "skipped"]
    rows: int | None = None
    late: int | None = None
    bytes: int | None = None
    digest: str | None = None
    added: int = 0
    removed: int = 0
    changed: int = 0
    seconds_late: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an export is: after each page, with the time since its first request.

    ``fraction`` is the covered part of the time that is asked for, from 0 to 1: skipped slices are not.
    ``seconds_limited`` is the time spent waiting because of the limits of requests.
    """

    covered: datetime
    fraction: float
    pages: int
    events: int
    late: int
    requests: int
    seconds_limited: float
    elapsed: timedelta

    @property
    def events_per_second(self) -> float:
        """The mean since the start."""
        return self.events / max(self.elapsed.total_seconds(), 1e-3)

    @property
    def remaining(self) -> timedelta | None:
        """Time to the expected end, if what is still to cover is like what is covered; None at the very start."""
        return self.elapsed * (1 / self.fraction - 1) if self.fraction else None

    def __str__(self) -> str:
        rest = "" if self.remaining is None else f", about {str(self.remaining).partition('.')[0]} to go"
        return (
            f"Covered up to {self.covered:%Y-%m-%dT%H:%M:%SZ} ({self.fraction:.0%} of what is asked for): "
            f"{self.events:,} events, {self.pages:,} page{'s' * (self.pages != 1)}, "
            f"{self.events_per_second:,.0f} events/s{rest}"
        )


@dataclass(slots=True)
class ExportReport:
    """What an export did, and what was odd about it."""

    resource: str
    account: str
    destination: str
    grain: str
    window: Window
    slices: list[SliceReport] = field(default_factory=list)
    pages: int = 0
    events: int = 0
    late: int = 0
    #: Private comments whose texts are not kept.
    redacted_comments: int = 0
    requests: int = 0
    retries: int = 0
    seconds_waited: float = 0.0
    anomalies: Anomalies = field(default_factory=Anomalies)
    unknown_keys: Counter[str] = field(default_factory=Counter)
    type_mismatches: Counter[str] = field(default_factory=Counter)

    def slices_by_outcome(self) -> dict[str, int]:
        """How many slices were published, unchanged and skipped."""
        return dict(Counter(slice_.outcome for slice_ in self.slices))

    @property
    def seconds_late(self) -> int | None:
        """How late the latest event came that was added to a stored slice, at the least; None if none was added."""
        return max((slice_.seconds_late for slice_ in self.slices if slice_.seconds_late is not None), default=None)

    def to_event(self) -> dict[str, Any]:
        """The report for XCom and asset events: beyond ``MAX_SLICES_IN_EVENT``, there are no ``slices`` in it."""
        told = self.to_dict()
        if len(self.slices) > MAX_SLICES_IN_EVENT:
            del told["slices"]
        return told

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-able values; times are ISO 8601. ``rows`` and ``bytes`` are those of the slices made."""
        return {
            **{name: getattr(self, name) for name in ("resource", "account", "destination", "grain")},
            "start": self.window.start.isoformat(),
            "end": self.window.end.isoformat(),
            **{
                name: getattr(self, name)
                for name in ("pages", "events", "late", "redacted_comments", "requests", "retries")
            },
            **{name: self._total(name) for name in ("added", "removed", "changed")},
            "seconds_late": self.seconds_late,
            "seconds_waited": round(self.seconds_waited, 1),
            "rows": sum(slice_.rows or 0 for slice_ in self.slices),
            "bytes": sum(slice_.bytes or 0 for slice_ in self.slices),
            "outcomes": self.slices_by_outcome(),
            "anomalies": asdict(self.anomalies),
            "unknown_keys": _told(self.unknown_keys),
            "type_mismatches": dict(self.type_mismatches),
            "slices": [
                {**asdict(slice_), "start": slice_.start.isoformat(), "end": slice_.end.isoformat()}
                for slice_ in self.slices
            ],
        }

    def warnings(self) -> list[str]:
        """A sentence for each thing that somebody should know; empty on an ordinary day."""
        odd = self.anomalies
        told = [
            (self.late, "events came late: they lie in the first slice that was open, marked late"),
            (
                self.redacted_comments,
                "private comments are kept without their texts: private_comments would keep those too",
            ),
            (odd.conflicting, "events came twice with different bodies: the later was kept"),
            (odd.repaired, "halves of surrogate pairs, which no UTF-8 text can hold, became U+FFFD"),
            (odd.forced, "pages were empty or did not advance, and were left on the word of their end_time alone"),
        ]
        sentences = [f"{count:,} {what}." for count, what in told if count] + self._changes()
        if self.unknown_keys:
            names = ", ".join(_told(self.unknown_keys))
            sentences.append(f"Zendesk sent keys that have no column, kept in extra: {names}.")
        if self.type_mismatches:
            names = ", ".join(f"{name} ({count:,})" for name, count in sorted(self.type_mismatches.items()))
            sentences.append(f"Values of unexpected type were kept in extra and left their columns null: {names}.")
        return sentences

    def _total(self, name: str) -> int:
        return sum(getattr(slice_, name) for slice_ in self.slices)

    def _changes(self) -> list[str]:
        """What became of slices that were there before."""
        sentences = []
        if added := self._total("added"):
            sentences.append(
                f"{added:,} events were added to slices that were stored before: they surfaced after those had been "
                f"exported, the latest at least {timedelta(seconds=self.seconds_late or 0)} after it happened."
            )
        if removed := self._total("removed"):
            sentences.append(f"{removed:,} stored events were removed, for Zendesk no longer answers them.")
        if changed := self._total("changed"):
            sentences.append(f"{changed:,} stored events were replaced by what Zendesk answers for them now.")
        return sentences


def _told(names: Counter[str]) -> dict[str, int]:
    """The commonest names with their counts; names that are not plain words go together."""
    told: Counter[str] = Counter()
    for name, count in names.most_common(_MAX_NAMES):
        told[name if _PLAIN_NAME.fullmatch(name) else "(not a plain name)"] += count
    return dict(told)
