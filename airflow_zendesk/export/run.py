"""One export: a window becomes slices in storage, each published once it is proven complete.

The operator and the command share this module.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args

from airflow_zendesk.dataset.layout import folder_key, slice_key
from airflow_zendesk.dataset.publish import publish
from airflow_zendesk.dataset.settings import DatasetSettings, check_settings, read_settings
from airflow_zendesk.destination import open_destination
from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.export.extract import ExtractedPage, extract
from airflow_zendesk.export.progress import Progress
from airflow_zendesk.export.report import ExportReport
from airflow_zendesk.export.snapshot import publish_snapshot, take_snapshot
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.storage.store import Store, Version
from airflow_zendesk.window import DEFAULT_GRAIN, Grain, Slice, Window
from airflow_zendesk.zendesk.resources import Query
from airflow_zendesk.zendesk.settling import DEFAULT_SETTLE

IfExists = Literal["replace", "skip"]


def export_window(
    hook: ZendeskHook,
    destination: str | Store,
    query: Query,
    window: Window | None,
    *,
    grain: Grain | None = None,
    settle: timedelta = DEFAULT_SETTLE,
    if_exists: IfExists = "replace",
    allow_shrink: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> ExportReport:
    """Export a window into a dataset.

    Slices are published in order, each as soon as it is complete, and remain if a later one fails. A slice whose rows
    have not changed is not written again.

    Args:
        hook: the account.
        destination: where the dataset is, as a URL of Airflow's object storage or as an open store.
        query: what to export.
        window: the time to export, made of whole slices; None for a list, which is exported as it is now.
        grain: the length of a slice; None for the dataset's own, or a day for a new dataset.
        settle: how old an event or a change must be, by Zendesk's clock, to be exported.
        if_exists: ``skip`` keeps existing slices unchanged and requests nothing for them.
        allow_shrink: whether a slice may lose events that are stored.
        on_progress: called after each page.
    """
    _check_options(query, window, grain, if_exists)
    store = _open(destination)
    settings = _settings(hook, store, query, grain)
    if window is None:
        return _export_list(hook, store, settings, allow_shrink=allow_shrink)
    slices = settings.grain.slices(window)
    report = ExportReport(settings=settings, destination=store.uri(settings.resource), window=window)
    # Versions are read before the first request, so that a version which another run writes later is noticed.
    versions = _stored_versions(store, settings.resource, slices)
    pending = _pending_slices(store, slices, versions if if_exists == "skip" else {}, report)
    if not pending:
        return report
    with closing(extract(hook, settings, pending, settle, _page_counter(report, pending, on_progress))) as extracted:
        for sealed in extracted:
            result = publish(store, settings, sealed, versions.get(sealed.key), allow_shrink=allow_shrink)
            report.add(sealed, store.uri(sealed.key), result)
    return report


def _export_list(hook: ZendeskHook, store: Store, settings: DatasetSettings, *, allow_shrink: bool) -> ExportReport:
    """Export a list as it is now."""
    stored = store.walk(settings.resource)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    report = ExportReport(
        settings=settings, destination=store.uri(settings.resource), window=Window(today, today + timedelta(days=1))
    )
    with closing(take_snapshot(hook, settings, report.count_page)) as snapshots:
        for sealed in snapshots:
            # The day is that of Zendesk's clock.
            report.window = sealed.slice
            result = publish_snapshot(store, settings, sealed, stored, allow_shrink=allow_shrink)
            report.add(sealed, store.uri(sealed.key), result)
    return report


def _open(destination: str | Store) -> Store:
    store = destination if isinstance(destination, Store) else open_destination(destination)
    store.check_access()
    return store


def _check_options(query: Query, window: Window | None, grain: Grain | None, if_exists: str) -> None:
    name = query.resource.name
    if query.resource.is_list and window is not None:
        raise SettingsError(f"{name} is a list, which has no window. Leave out start and end.")
    if not query.resource.is_list and window is None:
        raise SettingsError(f"The export of {name} needs a window. Set start and end.")
    if if_exists not in get_args(IfExists):
        raise SettingsError(f"if_exists is {if_exists!r}. Use one of {', '.join(get_args(IfExists))}.")
    if query.resource.is_list and (if_exists == "skip" or grain not in (None, DEFAULT_GRAIN)):
        raise SettingsError(
            f"{name} is a list, of which each export stores a snapshot of the day. Leave out grain and if_exists."
        )


def _settings(hook: ZendeskHook, store: Store, query: Query, grain: Grain | None) -> DatasetSettings:
    """The settings that the dataset has or will have; without a grain, it is the dataset's own."""
    connection = hook.connection_settings
    if grain is None:
        stored = read_settings(store, query.resource.name)
        grain = stored.grain if stored else DEFAULT_GRAIN
    settings = DatasetSettings.from_query(query, connection.host, grain, connection.hash_key)
    check_settings(store, settings)
    return settings


def _pending_slices(
    store: Store, slices: Iterable[Slice], skipped: Mapping[str, Version], report: ExportReport
) -> list[Slice]:
    """The slices to export; the report gets those whose keys are to be skipped."""
    pending = []
    for slice_ in slices:
        key = slice_key(report.settings.resource, slice_)
        if key in skipped:
            report.add_skipped(slice_, store.uri(key))
        else:
            pending.append(slice_)
    return pending


def _stored_versions(store: Store, resource: str, slices: Iterable[Slice]) -> Mapping[str, Version]:
    folders = dict.fromkeys(folder_key(resource, slice_.start) for slice_ in slices)
    return {key: version for folder in folders for key, version in store.list(folder).items()}


def _page_counter(
    report: ExportReport, pending: Sequence[Slice], on_progress: Callable[[Progress], None]
) -> Callable[[ExtractedPage], None]:
    """A callback that counts each page in the report, and passes on the progress since now."""
    started = time.monotonic()

    def count_page(extracted: ExtractedPage) -> None:
        report.count_page(extracted)
        elapsed = timedelta(seconds=time.monotonic() - started)
        on_progress(report.progress(extracted.page.complete_until, pending, elapsed))

    return count_page
