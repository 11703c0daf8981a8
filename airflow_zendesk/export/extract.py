"""Extraction: the pages of a sweep become sealed slices, one after the other."""

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from operator import attrgetter

from airflow_zendesk.dataset.settings import DatasetSettings
from airflow_zendesk.dataset.slice_file import Certificate, SealedSlice, SliceWriter
from airflow_zendesk.dataset.versions import slice_writer
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.window import Slice
from airflow_zendesk.zendesk.cursor_paging import sweep_of
from airflow_zendesk.zendesk.page import Page
from airflow_zendesk.zendesk.records import Record
from airflow_zendesk.zendesk.redaction import Redactor
from airflow_zendesk.zendesk.settling import DEFAULT_SETTLE, settle_seconds


@dataclass(slots=True, kw_only=True)
class ExtractedPage:
    """A page whose events are written, with their counts.

    ``redacted_comments`` counts private comments whose texts were removed, by kind; ``matched_fields`` names the
    dropped and hashed fields that events had so far.
    """

    page: Page
    events: int = 0
    redacted_comments: Counter[str] = field(default_factory=Counter)
    matched_fields: frozenset[str] = frozenset()
    unknown_keys: Counter[str] = field(default_factory=Counter)
    type_mismatches: Counter[str] = field(default_factory=Counter)


def extract(
    hook: ZendeskHook,
    settings: DatasetSettings,
    slices: Sequence[Slice],
    settle: timedelta = DEFAULT_SETTLE,
    on_page: Callable[[ExtractedPage], None] = lambda _: None,
) -> Generator[SealedSlice, None, None]:
    """Extract slices from Zendesk in one pass, in order, and yield each as soon as it is complete.

    A yielded slice is valid until the next one is requested. A consumer that stops early must close the generator.
    Gaps between slices are skipped. ``on_page`` is called after each page, when its complete slices have been consumed.
    """
    query = settings.query()
    redactor = Redactor(query.privacy, hook.connection_settings.hash_key)
    remaining = deque(slices)
    writer = slice_writer(settings, remaining.popleft())
    duplicates = 0
    try:
        for page in hook.iter_sweep(query, sweep_of(query.resource, slices, settle)):
            extracted = ExtractedPage(page=page)
            duplicates += page.anomalies.duplicates
            records = list(page.records)
            _write(writer, redactor, records, extracted)
            while writer.slice.end_time <= page.complete_until:
                by = "end_of_stream" if page.end_of_stream else "end_time"
                certificate = Certificate(by, page.end_time, writer.slice.end_time + settle_seconds(settle))
                yield writer.seal(certificate, duplicates)
                duplicates = 0
                writer.close()
                if not remaining:
                    break
                writer = slice_writer(settings, remaining.popleft())
                _write(writer, redactor, records, extracted)
            on_page(extracted)
    finally:
        writer.close()


def _write(writer: SliceWriter, redactor: Redactor, records: list[Record], extracted: ExtractedPage) -> None:
    """Write the records that happened before the end of the writer's slice; those from before its start are late."""
    # They are sorted by time.
    due = bisect_left(records, writer.slice.end_time * 1_000_000, key=attrgetter("timestamp"))
    if due:
        write_records(writer, redactor, records[:due], extracted)
        del records[:due]


def write_records(writer: SliceWriter, redactor: Redactor, records: Sequence[Record], extracted: ExtractedPage) -> None:
    """Redact and write records, and count them in ``extracted``."""
    kept, redacted = redactor.apply(records)
    rows = writer.write(kept)
    extracted.events += len(records)
    extracted.redacted_comments += redacted
    extracted.matched_fields = frozenset(redactor.matched_fields)
    extracted.unknown_keys += rows.unknown
    extracted.type_mismatches += rows.type_mismatches
