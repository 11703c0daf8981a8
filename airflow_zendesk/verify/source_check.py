"""One audit: a dataset is read whole, and held against Zendesk if that is asked for.

All that the operator and the command have in common.
"""

from collections.abc import Callable, Sequence
from contextlib import closing

import pyarrow.parquet as pq

from airflow_zendesk.dataset.diff import diff_slices
from airflow_zendesk.dataset.publish import open_slice
from airflow_zendesk.dataset.settings import DatasetSettings, check_settings, load_settings
from airflow_zendesk.dataset.slice_file import SealedSlice
from airflow_zendesk.destination import open_destination
from airflow_zendesk.export.extract import extract
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.storage.store import Store
from airflow_zendesk.verify.dataset_check import audit
from airflow_zendesk.verify.findings import Audit, SliceState, VerificationProgress
from airflow_zendesk.window import Window


def verify_window(
    destination: str,
    resource: str,
    window: Window,
    *,
    hook: ZendeskHook | None = None,
    sample: int | None = None,
    on_progress: Callable[[VerificationProgress], None] = lambda _: None,
) -> Audit:
    """Prove a dataset in a window.

    Args:
        destination: where the dataset lies, as a URL that Airflow's object storage understands.
        resource: which dataset.
        window: the time to prove: whole slices.
        hook: the account, to compare with; None reads the dataset alone.
        sample: how many slices to compare, spread over the window; None for all.
        on_progress: called after each slice that was read or compared.

    Raises:
        DatasetNotFoundError: there is no such dataset.
        DatasetMismatchError: the dataset is of another account than the hook's, or hashed with another key.
        ZendeskError: see ``airflow_zendesk.exceptions``.
    """
    store = open_destination(destination)
    settings = load_settings(store, resource)
    if hook is not None:
        connection = hook.connection_settings
        check_settings(
            store, DatasetSettings.from_query(settings.query(), connection.host, settings.grain, connection.hash_key)
        )
    result = audit(store, settings, window, on_progress)
    if hook is not None:
        readable = [state for state in result.slices if state.digest]
        if chosen := readable if sample is None else spread(readable, sample):
            _compare(hook, store, chosen, result, on_progress)
    return result


def spread(states: Sequence[SliceState], number: int) -> list[SliceState]:
    """So many of the slices, or all if there are not more: always the same, from the first to the last."""
    if number >= len(states):
        return list(states)
    return [states[position * (len(states) - 1) // max(number - 1, 1)] for position in range(number)]


def _compare(
    hook: ZendeskHook,
    store: Store,
    states: Sequence[SliceState],
    result: Audit,
    on_progress: Callable[[VerificationProgress], None],
) -> None:
    """Extract the slices again, into private files, and compare them with what is stored."""
    rows = 0
    with closing(extract(hook, result.settings, [state.slice for state in states])) as sealed_slices:
        for state, sealed in zip(states, sealed_slices, strict=True):
            if sealed.footer.digest != state.digest:
                result.add("different", state, _differs(store, sealed))
            rows += sealed.footer.rows
            result.compared += 1
            on_progress(VerificationProgress("compared", result.compared, len(states), rows, len(result.findings)))


def _differs(store: Store, sealed: SealedSlice) -> str:
    with open_slice(store, sealed.key) as stored:
        diff = diff_slices(stored, pq.ParquetFile(sealed.file), store.uri(sealed.key))
    return (
        f"of the events that Zendesk answers now, {diff.added:,} are missing here and {diff.changed:,} are "
        f"stored otherwise; {diff.removed:,} are stored that it does not answer"
    )
