"""What the last verification of each slice found, kept beside the dataset for the coverage pages.

It saves them from opening every slice. A result counts only while the version that was verified is stored, and the file
can be deleted: the next verification writes it again.
"""

import io
import logging
import time
from collections.abc import Set as AbstractSet
from contextlib import suppress
from functools import partial

import msgspec

from airflow_zendesk.dataset.layout import slice_key, verified_key
from airflow_zendesk.exceptions import SliceChangedError, StorageError
from airflow_zendesk.storage.store import Store, Version, put_and_confirm
from airflow_zendesk.verify.findings import Problem, SliceState, VerificationReport

_log = logging.getLogger(__name__)
_NOT_KEPT = "The results are not kept for the coverage pages of Airflow. %s"
#: How often the file is written again because another verification has written it meanwhile.
_MAX_WRITES = 3


class VerifiedSlice(msgspec.Struct, frozen=True, array_like=True):
    """The result for one version of a slice: counts, digest (None if it was unreadable), and the first problem.

    ``verified_at`` is in seconds since 1970.
    """

    version: Version
    rows: int
    late: int
    digest: str | None
    verified_at: int
    problem: Problem | None = None


#: Results by the start of the slice, in seconds since 1970.
VerifiedSlices = dict[int, VerifiedSlice]


def read_verified(store: Store, resource: str) -> VerifiedSlices:
    """The results for a dataset; none if it was never verified, or if the file is unreadable.

    Raises:
        StorageError: the storage fails.
    """
    try:
        return msgspec.json.decode(store.read(verified_key(resource)) or b"{}", type=VerifiedSlices)
    except msgspec.MsgspecError:
        return {}


def write_verified(store: Store, report: VerificationReport) -> None:
    """Add the results of a verification. If the storage refuses it, a warning says so, and nothing else changes."""
    resource = report.settings.resource
    try:
        stored = store.walk(resource)
        # A slice that was replaced during the verification is left out: it is unknown which version was read.
        results = {
            state.slice.start_time: _result(state.version, state)
            for state in report.slices
            if state.version and state.version == stored.get(slice_key(resource, state.slice))
        }
        _merge(store, resource, results, set(stored.values()))
    except StorageError as error:
        _log.warning(_NOT_KEPT, error)


def _result(version: Version, state: SliceState) -> VerifiedSlice:
    return VerifiedSlice(version, state.rows, state.late, state.digest, int(time.time()), state.problem)


def _merge(store: Store, resource: str, results: VerifiedSlices, stored: AbstractSet[Version]) -> None:
    """Add the results to those of the versions that are still stored; another verification may do the same."""
    key = verified_key(resource)
    for _ in range(_MAX_WRITES):
        version = store.version(key)
        earlier = read_verified(store, resource)
        kept = {start: result for start, result in earlier.items() if result.version in stored}
        content = msgspec.json.encode(dict(sorted((kept | results).items())))
        with suppress(SliceChangedError):
            put_and_confirm(store, key, io.BytesIO(content), version, partial(_is, store, key, content))
            return
    _log.warning(_NOT_KEPT, "Other verifications of this dataset have written theirs at the same time.")


def _is(store: Store, key: str, content: bytes) -> bool:
    return store.read(key) == content
