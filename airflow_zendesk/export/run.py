"""One export: the events of a window become slices in storage, each published once it is proven complete.

All that the operator and the command have in common.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal

from airflow_zendesk.dataset.layout import folder_key, slice_key
from airflow_zendesk.dataset.publish import PublishResult, publish
from airflow_zendesk.dataset.settings import DatasetSettings, check_settings, read_settings
from airflow_zendesk.dataset.slice_file import Certificate, SealedSlice, SliceWriter
from airflow_zendesk.destination import open_destination
from airflow_zendesk.export.report import ExportReport, Progress, SliceReport
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.storage.store import Store, Version
from airflow_zendesk.window import DEFAULT_GRAIN, Grain, Window
from airflow_zendesk.zendesk.paging import Page, Sweep
from airflow_zendesk.zendesk.records import Record
from airflow_zendesk.zendesk.redaction import Redactor
from airflow_zendesk.zendesk.resources import Query
from airflow_zendesk.zendesk.settling import DEFAULT_SETTLE, settle_seconds

IfExists = Literal["replace", "skip"]
#: What is done with a slice that is complete, given the token of the stored version from before the first request.
Deliver = Callable[[SealedSlice, Version | None], PublishResult]


def export_window(
    hook: ZendeskHook,
    destination: str | Store,
    query: Query,
    window: Window,
    *,
    grain: Grain | None = None,
    settle: timedelta = DEFAULT_SETTLE,
    if_exists: IfExists = "replace",
    allow_shrink: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> ExportReport:
    """Export a window into a dataset.

    Slices are published in order, each as soon as it is complete: what is published before an error stays, and is
    whole. A slice whose rows have not changed is not written again.

    Args:
        hook: the account.
        destination: where the dataset lies, as a URL that Airflow's object storage understands, or opened already.
        query: what is exported.
        window: the time to export: whole slices.
        grain: the length of a slice; None for the dataset's own, or a day for a new dataset.
        settle: how old an event must be, by Zendesk's clock, to be exported.
        if_exists: ``skip`` leaves slices alone that are there, and asks nothing about them.
        allow_shrink: whether a slice may lose events that are stored.
        on_progress: called after each page.

    Raises:
        ZendeskError: see ``airflow_zendesk.exceptions``.
    """
    store = destination if isinstance(destination, Store) else open_destination(destination)
    store.check_access()
    keep = Redactor(query.privacy, hook.account.hash_key)
    if grain is None:
        stored = read_settings(store, query.resource.name)
        grain = Grain.of(stored.grain) if stored else DEFAULT_GRAIN
    slices = grain.slices(window)
    settings = DatasetSettings.of(query, hook.account.host, str(grain), hook.account.hash_key)
    check_settings(store, settings)
    report = ExportReport(settings.resource, settings.account, store.uri(settings.resource), settings.grain, window)
    deliver = partial(publish, store, settings, allow_shrink=allow_shrink)
    _Export(hook, store, settings, query, keep, settle, deliver, on_progress, report).run(slices, if_exists)
    return report


def extract_slices(
    hook: ZendeskHook, store: Store, settings: DatasetSettings, slices: Sequence[Window], deliver: Deliver
) -> None:
    """Extract slices of a dataset that is there, just as an export would, but let ``deliver`` have them.

    Raises:
        ZendeskError: see ``airflow_zendesk.exceptions``.
    """
    query = settings.query()
    keep = Redactor(query.privacy, hook.account.hash_key)
    window = Window(slices[0].start, slices[-1].end)
    report = ExportReport(settings.resource, settings.account, store.uri(settings.resource), settings.grain, window)
    _Export(hook, store, settings, query, keep, DEFAULT_SETTLE, deliver, lambda _: None, report).run(slices, "replace")


@dataclass(slots=True)
class _Export:
    """One export under way; see ``export_window`` and ``extract_slices``."""

    hook: ZendeskHook
    store: Store
    settings: DatasetSettings
    query: Query
    keep: Redactor
    settle: timedelta
    deliver: Deliver
    on_progress: Callable[[Progress], None]
    report: ExportReport
    started: float = field(default_factory=time.monotonic)
    asked: Sequence[Window] = ()
    published: int = 0

    def run(self, slices: Sequence[Window], if_exists: IfExists) -> None:
        # The tokens are read before the first request, so that a version which somebody writes from now on is noticed.
        stored = self._stored_versions(slices)
        asked = []
        for slice_ in slices:
            key = slice_key(self.settings.resource, slice_)
            if if_exists == "skip" and key in stored:
                self.report.slices.append(SliceReport(slice_.start, slice_.end, self.store.uri(key), "skipped"))
            else:
                asked.append(slice_)
        self.asked = asked
        if asked:
            self._sweep(asked, stored)
        self.report.slices.sort(key=lambda slice_: slice_.start)

    def _stored_versions(self, slices: Sequence[Window]) -> dict[str, Version]:
        folders = dict.fromkeys(folder_key(self.settings.resource, slice_.start) for slice_ in slices)
        return {key: version for folder in folders for key, version in self.store.list(folder).items()}

    def _sweep(self, slices_: Sequence[Window], stored: Mapping[str, Version]) -> None:
        """Crawl once from the first slice to the last, and publish each as it is passed; gaps are leapt over."""
        sweep = Sweep(self.query.resource, Window(slices_[0].start, slices_[-1].end), self.settle)
        todo = deque(slices_)
        writer = SliceWriter(self.settings, todo[0])
        duplicates = 0
        try:
            for page in self.hook.iter_sweep(self.query, sweep):
                records = deque(page.records)
                while todo:
                    self._write(writer, records, page.start_time)
                    if page.covered < todo[0].end_time:
                        break
                    self._publish(writer, page, sweep.anomalies.duplicates - duplicates, stored)
                    duplicates = sweep.anomalies.duplicates
                    todo.popleft()
                    writer.close()
                    if todo:
                        writer = SliceWriter(self.settings, todo[0])
                if todo:
                    sweep.leap_to(todo[0].start_time)
                self._count(page)
        finally:
            writer.close()
            self.report.anomalies += sweep.anomalies

    def _write(self, writer: SliceWriter, records: "deque[Record]", start_time: int) -> None:
        """Write those of the sorted items that belong to the writer's slice, or came too late for an earlier one.

        What lies between the page's ``start_time`` and the slice belongs to slices that are not asked for.
        """
        due = []
        while records and records[0].second < writer.slice.end_time:
            record = records.popleft()
            if record.second >= writer.slice.start_time or record.second < start_time:
                due.append(record)
        if due:
            rows = writer.write(self.keep.apply(due))
            self.report.redacted_comments = self.keep.redacted_comments
            self.report.events += len(due)
            self.report.unknown_keys += rows.unknown
            self.report.type_mismatches += rows.type_mismatches

    def _publish(self, writer: SliceWriter, page: Page, duplicates: int, stored: Mapping[str, Version]) -> None:
        slice_ = writer.slice
        certificate = Certificate(
            by="end_of_stream" if page.end_of_stream else "end_time",
            end_time=page.end_time,
            server_date_at_least=slice_.end_time + settle_seconds(self.settle),
        )
        sealed = writer.seal(certificate, duplicates)
        key = slice_key(self.settings.resource, slice_)
        done = self.deliver(sealed, stored.get(key))
        footer, difference = sealed.footer, done.difference
        self.published += 1
        self.report.late += footer.late
        self.report.slices.append(
            SliceReport(
                slice_.start,
                slice_.end,
                self.store.uri(key),
                done.outcome,
                footer.rows,
                footer.late,
                sealed.size,
                footer.digest,
                added=difference.added if difference else 0,
                removed=difference.removed if difference else 0,
                changed=difference.changed if difference else 0,
                seconds_late=done.seconds_late,
            )
        )

    def _count(self, page: Page) -> None:
        report, traffic = self.report, self.hook.traffic
        report.pages += 1
        report.requests, report.retries = traffic.requests, traffic.retries
        report.seconds_waited = traffic.seconds_waited
        self.on_progress(
            Progress(
                covered=datetime.fromtimestamp(page.covered, UTC),
                fraction=self._fraction(page.covered),
                pages=report.pages,
                events=report.events,
                late=report.late,
                requests=report.requests,
                seconds_limited=traffic.seconds_limited,
                elapsed=timedelta(seconds=time.monotonic() - self.started),
            )
        )

    def _fraction(self, covered: int) -> float:
        """The part of the slices asked for that is covered; they are all of one length."""
        whole = self.published
        if whole == len(self.asked):
            return 1.0
        under_way = self.asked[whole]
        seconds = max(0, covered - under_way.start_time)
        return (whole + seconds / (under_way.end_time - under_way.start_time)) / len(self.asked)
