"""The proof of a dataset: every slice of a window is there, is what it claims to be, and no id stands in two of them.

It only reads, and believes nothing but the bytes: every object is listed, every footer opened, every row read.
"""

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import PurePosixPath

from airflow_zendesk.dataset.layout import parse_slice_key, slice_key
from airflow_zendesk.dataset.settings import DatasetSettings
from airflow_zendesk.storage.store import Store, Version
from airflow_zendesk.verify.duplicates import IdIndex
from airflow_zendesk.verify.findings import Audit, Finding, SliceState, VerificationProgress
from airflow_zendesk.verify.slice_check import SliceCheck, prove
from airflow_zendesk.window import Window


def audit(
    store: Store,
    settings: DatasetSettings,
    window: Window,
    on_progress: Callable[[VerificationProgress], None] = lambda _: None,
) -> Audit:
    """Read a dataset in a window and tell what is wrong with it.

    Memory is that of one slice's ids, and of what ``IdIndex`` holds, whatever the window.

    Args:
        store: where the dataset lies.
        record: how it is made.
        window: the time to prove: whole slices.
        on_progress: called after each slice.

    Raises:
        MisalignedWindowError: the window is not made of whole slices.
        StorageError: the storage does not let it be read.
    """
    resource = settings.resource
    states = [SliceState(slice_, store.uri(slice_key(resource, slice_))) for slice_ in settings.grain.slices(window)]
    result = Audit(settings, store.uri(resource), window, states)
    stored = store.walk(resource)
    _tile(store, stored, result)
    rows = 0
    with closing(IdIndex()) as ledger:
        for done, state in enumerate(states, 1):
            proof = _read(store, stored, state, result)
            # Of an object that is to be moved away the ids do not count.
            ledger.add(proof.ids[:0] if proof.problems else proof.ids)
            rows += state.rows
            on_progress(VerificationProgress("read", done, len(states), rows, len(result.findings)))
        for (first, second), shared in ledger.shared().items():
            one, other = states[first], states[second]
            reason = f"{shared.count:,} ids stand in {one.uri} too, like {shared.example}"
            result.findings.append(Finding("doubled", other.uri, reason, Window(one.slice.start, other.slice.end)))
            one.problem, other.problem = one.problem or "doubled", other.problem or "doubled"
    return result


def is_hidden(key: str) -> bool:
    """Whether readers of Parquet pass the object by, as they do with names that begin with a dot or an underscore."""
    return any(part.startswith((".", "_")) for part in PurePosixPath(key).parts)


def _tile(store: Store, stored: Mapping[str, Version], result: Audit) -> None:
    """Find the objects that are no slices of the dataset, and those for other slices of the window's time."""
    resource, window = result.settings.resource, result.window
    expected = {slice_key(resource, state.slice) for state in result.slices}
    for key in sorted(stored.keys() - expected):
        slice_ = parse_slice_key(key)
        if is_hidden(key):
            result.hidden.append(store.uri(key))
        elif slice_ is None or key != slice_key(resource, slice_):
            result.findings.append(Finding("foreign", store.uri(key), "it is no slice, but readers take it for one"))
        elif slice_.start < window.end and window.start < slice_.end:
            reason = f"its time {slice_} is no slice of {result.settings.grain}, and other slices have it too"
            result.findings.append(Finding("overlapping", store.uri(key), reason))


def _read(store: Store, stored: Mapping[str, Version], state: SliceState, result: Audit) -> SliceCheck:
    key = slice_key(result.settings.resource, state.slice)
    if key not in stored:
        result.add("missing", state, "there is no such object")
        return SliceCheck()
    proof = prove(store, key, state.slice, result.settings)
    if proof.problems:
        # The store failed for a moment, or somebody replaced the object while it was read: damage is there again.
        proof = prove(store, key, state.slice, result.settings)
    for problem, reason in proof.problems:
        result.add(problem, state, reason)
    state.bytes = proof.size
    if proof.footer:
        state.rows, state.late, state.digest = proof.footer.rows, proof.footer.late, proof.footer.digest
    return proof
