"""Verify a stored dataset: every slice of a window exists, is valid, and shares no id with another.

Verification only reads: it lists every object, opens every footer and reads every row.
"""

from collections.abc import Callable, Collection
from contextlib import closing
from pathlib import PurePosixPath

from airflow_zendesk.dataset.layout import parse_slice_key, slice_key
from airflow_zendesk.dataset.settings import DatasetSettings
from airflow_zendesk.storage.store import Store
from airflow_zendesk.verify.duplicates import IdIndex
from airflow_zendesk.verify.findings import Finding, SliceState, VerificationProgress, VerificationReport
from airflow_zendesk.verify.slice_check import SliceCheck, verify_slice
from airflow_zendesk.window import Window
from airflow_zendesk.zendesk.resources import RESOURCES


def verify_dataset(
    store: Store,
    settings: DatasetSettings,
    window: Window,
    on_progress: Callable[[VerificationProgress], None] = lambda _: None,
) -> VerificationReport:
    """Read a dataset in a window of whole slices and report every problem; ``on_progress`` is called after each slice.

    Memory does not depend on the length of the window: the ids of one slice, and an ``IdIndex``.

    Raises:
        MisalignedWindowError: the window is not made of whole slices.
        StorageError: the dataset cannot be read.
    """
    resource = settings.resource
    slices = settings.grain.slices(window)
    stored = store.walk(resource)
    if RESOURCES[resource].is_list:
        # A list has slices of the days on which it was exported, and each is complete without the others.
        slices = tuple(slice_ for slice_ in slices if slice_key(resource, slice_) in stored)
    keys = [slice_key(resource, slice_) for slice_ in slices]
    states = [
        SliceState(slice=slice_, uri=store.uri(key), version=stored.get(key))
        for slice_, key in zip(slices, keys, strict=True)
    ]
    report = VerificationReport(settings=settings, uri=store.uri(resource), window=window, slices=states)
    report.folder_markers = [store.uri(key) for key in store.folder_markers(resource)]
    _check_other_objects(store, stored, report)
    rows = 0
    with closing(IdIndex()) as index:
        for done, state in enumerate(states, 1):
            check = _check(store, stored, state, report)
            # An object with a problem is to be moved away, so its ids do not count; those of states may repeat.
            index.add(check.ids[:0] if check.problems or RESOURCES[resource].is_state else check.ids)
            rows += state.rows
            found = len(report.findings)
            on_progress(VerificationProgress(step="read", done=done, total=len(states), rows=rows, findings=found))
        _add_duplicates(index, report)
    return report


def is_hidden(key: str) -> bool:
    """Whether readers of Parquet ignore the object, as they do where a name begins with a dot or an underscore."""
    return any(part.startswith((".", "_")) for part in PurePosixPath(key).parts)


def _check_other_objects(store: Store, stored: Collection[str], report: VerificationReport) -> None:
    """Report objects that are not slices of the dataset, and those for other slices of the window's time."""
    resource, window = report.settings.resource, report.window
    expected = {slice_key(resource, state.slice) for state in report.slices}
    folders = {str(parent) for key in stored for parent in PurePosixPath(key).parents}
    for key in sorted(set(stored) - expected):
        slice_ = parse_slice_key(key)
        if is_hidden(key):
            report.hidden.append(store.uri(key))
        elif slice_ is None or key != slice_key(resource, slice_):
            reason = "it is not a slice, but readers read it like one"
            if key.rstrip("/") in folders:
                reason += "; it has the name of a folder: move this object alone, not the objects below that name"
            report.findings.append(Finding("unexpected", store.uri(key), reason))
        elif slice_.start < window.end and window.start < slice_.end:
            reason = f"its time {slice_} is not a slice of {report.settings.grain}, and overlaps slices of the dataset"
            report.findings.append(Finding("overlapping", store.uri(key), reason))


def _add_duplicates(index: IdIndex, report: VerificationReport) -> None:
    for (first, second), shared in index.shared().items():
        one, other = report.slices[first], report.slices[second]
        reason = f"{shared.count:,} of its ids are also in {one.uri}, for example {shared.example}"
        report.findings.append(Finding("duplicate", other.uri, reason, Window(one.slice.start, other.slice.end)))
        one.problem, other.problem = one.problem or "duplicate", other.problem or "duplicate"


def _check(store: Store, stored: Collection[str], state: SliceState, report: VerificationReport) -> SliceCheck:
    key = slice_key(report.settings.resource, state.slice)
    if key not in stored:
        report.add("missing", state, "the object does not exist")
        return SliceCheck()
    check = verify_slice(store, key, state.slice, report.settings)
    if check.problems:
        # The cause may be a transient failure, or a run that replaced the object meanwhile: real damage is found again.
        check = verify_slice(store, key, state.slice, report.settings)
    for problem, reason in check.problems:
        report.add(problem, state, reason)
    state.bytes = check.size
    if check.footer:
        state.rows, state.late, state.digest = check.footer.rows, check.footer.late, check.footer.digest
    return check
