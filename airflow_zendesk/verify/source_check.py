"""Verify a dataset in a window, and on request compare it with Zendesk.

The operator and the command share this module.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Literal

import pyarrow.parquet as pq

from airflow_zendesk.dataset.diff import diff_slices
from airflow_zendesk.dataset.publish import open_slice
from airflow_zendesk.dataset.settings import DatasetSettings, check_settings, load_settings
from airflow_zendesk.dataset.slice_file import SealedSlice
from airflow_zendesk.destination import open_destination
from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.export.extract import extract
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.storage.store import Store
from airflow_zendesk.verify.dataset_check import verify_dataset
from airflow_zendesk.verify.findings import SliceState, VerificationProgress, VerificationReport
from airflow_zendesk.verify.verified_slices import write_verified
from airflow_zendesk.window import Window
from airflow_zendesk.zendesk.resources import RESOURCES

#: How many slices to compare with Zendesk; None compares none and sends no request.
SourceSample = int | Literal["all"] | None


def verify_window(
    destination: str,
    resource: str,
    window: Window,
    *,
    source: SourceSample = None,
    zendesk_conn_id: str = "zendesk_default",
    on_progress: Callable[[VerificationProgress], None] = lambda _: None,
) -> VerificationReport:
    """Verify a dataset in a window, and keep the results beside it for the coverage pages.

    Args:
        destination: the destination of the exports, as a URL of Airflow's object storage.
        resource: the resource of the dataset.
        window: the time to verify: whole slices.
        source: how many slices, spread over the window, are extracted from Zendesk again and compared.
        zendesk_conn_id: the connection of the account; used only with ``source``.
        on_progress: called after each slice that was read or compared.

    Raises:
        DatasetNotFoundError: there is no such dataset.
        DatasetMismatchError: the dataset belongs to another account, or its fields were hashed with another key.
        ZendeskError: see ``airflow_zendesk.exceptions``.
    """
    _check_source(source, resource)
    store = open_destination(destination)
    settings = load_settings(store, resource)
    hook = None
    if source is not None:
        hook = ZendeskHook(zendesk_conn_id)
        account, hash_key = hook.connection_settings.host, hook.connection_settings.hash_key
        check_settings(store, DatasetSettings.from_query(settings.query(), account, settings.grain, hash_key))
    report = verify_dataset(store, settings, window, on_progress)
    if hook is not None and source is not None:
        readable = [state for state in report.slices if state.digest]
        if chosen := readable if source == "all" else spread(readable, source):
            _compare(hook, store, chosen, report, on_progress)
    write_verified(store, report)
    return report


def _check_source(source: SourceSample, resource: str) -> None:
    if isinstance(source, int) and source < 1:
        raise SettingsError(f"source is {source}. Use a number of slices, at least 1, or all.")
    if source is not None and resource in RESOURCES and RESOURCES[resource].is_list:
        raise SettingsError(f"Zendesk has {resource} only as they are now. Verify this list without source.")


def spread(states: Sequence[SliceState], number: int) -> list[SliceState]:
    """Choose evenly spread slices, always the same, from the first to the last; all if there are no more."""
    if number >= len(states):
        return list(states)
    return [states[position * (len(states) - 1) // max(number - 1, 1)] for position in range(number)]


def _compare(
    hook: ZendeskHook,
    store: Store,
    states: Sequence[SliceState],
    report: VerificationReport,
    on_progress: Callable[[VerificationProgress], None],
) -> None:
    """Extract the slices again into private files, and compare them with the stored slices."""
    rows = 0
    with closing(extract(hook, report.settings, [state.slice for state in states])) as sealed_slices:
        for state, sealed in zip(states, sealed_slices, strict=True):
            if sealed.footer.digest != state.digest and (difference := _difference(store, sealed)):
                report.add("stale", state, difference)
            rows += sealed.footer.rows
            report.compared += 1
            done, found = report.compared, len(report.findings)
            on_progress(VerificationProgress(step="compared", done=done, total=len(states), rows=rows, findings=found))


def _difference(store: Store, sealed: SealedSlice) -> str | None:
    """How the stored slice differs from Zendesk's response; it may have objects that have moved on since."""
    with open_slice(store, sealed.key) as stored:
        diff = diff_slices(stored, pq.ParquetFile(sealed.file), store.uri(sealed.key))
    if RESOURCES[sealed.footer.dataset.resource].has_moving_objects and not (diff.added or diff.changed):
        return None
    return (
        f"compared with Zendesk's current response, {diff.added:,} events are missing, {diff.changed:,} "
        f"differ, and {diff.removed:,} are stored that Zendesk does not return"
    )
