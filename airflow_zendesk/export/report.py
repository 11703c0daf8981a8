"""The report of an export: the outcome of each slice, totals and warnings. It contains no row data and no secret."""

import re
from bisect import insort
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from rich import filesize

from airflow_zendesk.dataset.publish import PublishResult
from airflow_zendesk.dataset.settings import DatasetSettings
from airflow_zendesk.dataset.slice_file import SealedSlice
from airflow_zendesk.export.extract import ExtractedPage
from airflow_zendesk.export.progress import Progress, completed_fraction
from airflow_zendesk.window import DEFAULT_GRAIN, Slice, Window
from airflow_zendesk.zendesk.page import Anomalies, RequestStats

#: Names of unknown keys that are reported; any other key could be customer text, and stays out of logs and XCom.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_MAX_NAMES = 20
#: With more slices than this, an asset event has only totals: XCom and events are rows of Airflow's database.
MAX_SLICES_IN_EVENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceReport:
    """The result of an export for one slice. For a skipped slice, only the URI is known.

    ``added``, ``removed`` and ``changed`` count ids in comparison with the version that was stored before, and
    ``seconds_late`` is how late the latest added event was, at least (see ``publish.PublishResult``).
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


@dataclass(slots=True, kw_only=True)
class ExportReport:
    """The result of an export, with the counts of all its pages (see ``ExtractedPage``)."""

    settings: DatasetSettings
    destination: str
    window: Window
    slices: list[SliceReport] = field(default_factory=list)
    pages: int = 0
    events: int = 0
    late: int = 0
    redacted_comments: Counter[str] = field(default_factory=Counter)
    matched_fields: frozenset[str] = frozenset()
    stats: RequestStats = field(default_factory=RequestStats)
    anomalies: Anomalies = field(default_factory=Anomalies)
    unknown_keys: Counter[str] = field(default_factory=Counter)
    type_mismatches: Counter[str] = field(default_factory=Counter)

    @property
    def noun(self) -> str:
        """What the rows are, in messages."""
        return self.settings.query().resource.noun

    def add_skipped(self, slice_: Slice, uri: str) -> None:
        """Add a slice that existed and was skipped."""
        self._insert(SliceReport(start=slice_.start, end=slice_.end, uri=uri, outcome="skipped"))

    def add(self, sealed: SealedSlice, uri: str, result: PublishResult) -> None:
        """Add a slice that was extracted."""
        footer, diff = result.footer, result.diff
        self.late += footer.late
        self._insert(
            SliceReport(
                start=sealed.slice.start,
                end=sealed.slice.end,
                uri=uri,
                outcome=result.outcome,
                rows=footer.rows,
                late=footer.late,
                bytes=result.size,
                digest=footer.digest,
                added=diff.added if diff else 0,
                removed=diff.removed if diff else 0,
                changed=diff.changed if diff else 0,
                seconds_late=result.seconds_late,
            )
        )

    def count_page(self, extracted: ExtractedPage) -> None:
        """Add the counts of a page."""
        self.pages += 1
        self.events += extracted.events
        self.redacted_comments += extracted.redacted_comments
        self.matched_fields |= extracted.matched_fields
        self.unknown_keys += extracted.unknown_keys
        self.type_mismatches += extracted.type_mismatches
        self.stats = self.stats + extracted.page.stats
        self.anomalies = self.anomalies + extracted.page.anomalies

    def progress(self, complete_until: int, pending: Sequence[Slice], elapsed: timedelta) -> Progress:
        """The progress after a page that is complete until a unix second."""
        return Progress(
            complete_until=datetime.fromtimestamp(complete_until, UTC),
            fraction=completed_fraction(complete_until, pending),
            pages=self.pages,
            events=self.events,
            noun=self.noun,
            late=self.late,
            requests=self.stats.requests,
            seconds_limited=self.stats.seconds_limited,
            elapsed=elapsed,
        )

    def slices_by_outcome(self) -> dict[str, int]:
        """How many slices were published, unchanged and skipped."""
        return dict(Counter(slice_.outcome for slice_ in self.slices))

    @property
    def seconds_late(self) -> int | None:
        """How late the latest event was that was added to a stored slice, at least; None if none was added."""
        return max((slice_.seconds_late for slice_ in self.slices if slice_.seconds_late is not None), default=None)

    def to_event(self) -> dict[str, Any]:
        """The report for XCom and asset events; above ``MAX_SLICES_IN_EVENT`` slices it has no ``slices``."""
        event = self.to_dict()
        if len(self.slices) > MAX_SLICES_IN_EVENT:
            del event["slices"]
        return event

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON values; times are ISO 8601. ``rows`` and ``bytes`` are those of all slices made."""
        return {
            "resource": self.settings.resource,
            "account": self.settings.account,
            "destination": self.destination,
            "grain": str(self.settings.grain),
            "start": self.window.start.isoformat(),
            "end": self.window.end.isoformat(),
            **{name: getattr(self, name) for name in ("pages", "events", "late")},
            "redacted_comments": _reported(self.redacted_comments),
            "requests": self.stats.requests,
            "retries": self.stats.retries,
            **{name: self._total(name) for name in ("added", "removed", "changed")},
            "seconds_late": self.seconds_late,
            "seconds_waited": round(self.stats.seconds_waited, 1),
            **{name: self._total(name) for name in ("rows", "bytes")},
            "outcomes": self.slices_by_outcome(),
            "anomalies": asdict(self.anomalies),
            "unknown_keys": _reported(self.unknown_keys),
            "type_mismatches": dict(self.type_mismatches),
            "slices": [
                {**asdict(slice_), "start": slice_.start.isoformat(), "end": slice_.end.isoformat()}
                for slice_ in self.slices
            ],
        }

    def lines(self) -> list[str]:
        """One line for each slice, for the log of a task, and the totals; of very many slices only the totals."""
        slices = self.slices if len(self.slices) <= MAX_SLICES_IN_EVENT else []
        outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in self.slices_by_outcome().items())
        counts = f"requests: {self.stats.requests:,}, retries: {self.stats.retries:,}"
        total = f"Slices: {outcomes}; {self.noun} received: {self.events:,}, {counts}."
        return [*(self._line(slice_) for slice_ in slices), total]

    def _line(self, slice_: SliceReport) -> str:
        start = f"{slice_.start:{'%Y-%m-%d' if self.settings.grain == DEFAULT_GRAIN else '%Y-%m-%d %H:%M'}}"
        if slice_.rows is None or slice_.bytes is None:
            return f"{slice_.outcome.capitalize()} {start}: {slice_.uri}"
        added = f" ({slice_.added:,} added)" if slice_.added else ""
        size = filesize.decimal(slice_.bytes)
        return f"{slice_.outcome.capitalize()} {start}: {slice_.rows:,} {self.noun}{added}, {size}, {slice_.uri}"

    def warnings(self) -> list[str]:
        """One sentence for each anomaly that a user should know about; empty if there was none."""
        anomalies, noun = self.anomalies, self.noun
        redacted = self.redacted_comments.total()
        added = (
            f"{noun} were added to stored slices: Zendesk delivered them after those slices had been exported, "
            f"the latest at least {timedelta(seconds=self.seconds_late or 0)} after it happened"
        )
        counted = [
            (self.late, f"{noun} were delivered late: they are in the first slice that was open, marked late"),
            (redacted, "private comments are stored without their texts: set private_comments to store them"),
            (anomalies.conflicting, f"{noun} were delivered twice with different bodies: the later body was kept"),
            (anomalies.replaced_surrogates, "lone surrogates, which UTF-8 cannot encode, were replaced by U+FFFD"),
            (anomalies.accepted_unproven, "pages did not advance: their end_time was accepted without evidence"),
            (self._total("added"), added),
            (self._total("removed"), f"stored {noun} were removed, because Zendesk no longer returns them"),
            (self._total("changed"), f"stored {noun} were replaced, because Zendesk now returns other bodies"),
        ]
        sentences = [f"{count:,} {what}." for count, what in counted if count]
        if self.unknown_keys:
            names = ", ".join(_reported(self.unknown_keys))
            sentences.append(f"Zendesk sent keys without a column, which are kept in extra: {names}.")
        if self.type_mismatches:
            names = ", ".join(f"{name} ({count:,})" for name, count in sorted(self.type_mismatches.items()))
            sentences.append(f"Values of an unexpected type are kept in extra, and their columns are null: {names}.")
        unmatched = {*self.settings.drop_fields, *self.settings.hash_fields} - self.matched_fields
        if self.events and unmatched:
            names = ", ".join(sorted(unmatched))
            sentences.append(
                f"None of the {noun} had these fields, so nothing was dropped or hashed: {names}. Check their names."
            )
        return sentences

    def _insert(self, slice_: SliceReport) -> None:
        """Keep the slices in the order of time; skipped ones are known first."""
        insort(self.slices, slice_, key=lambda each: each.start)

    def _total(self, name: str) -> int:
        return sum(getattr(slice_, name) or 0 for slice_ in self.slices)


def _reported(names: Counter[str]) -> dict[str, int]:
    """The most frequent names with their counts; names that are not plain words are counted together."""
    reported: Counter[str] = Counter()
    for name, count in names.most_common(_MAX_NAMES):
        reported[name if _PLAIN_NAME.fullmatch(name) else "(not a plain name)"] += count
    return dict(reported)
