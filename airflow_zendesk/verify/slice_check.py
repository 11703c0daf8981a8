"""Verify one stored slice: its name, its footer, its certificate and every one of its rows."""

import os
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from airflow_zendesk.dataset.settings import DatasetSettings
from airflow_zendesk.dataset.slice_file import END_OF_LIST, Certificate, Footer, verify_file
from airflow_zendesk.exceptions import DamagedObjectError, StorageNotFoundError
from airflow_zendesk.storage.store import Store
from airflow_zendesk.verify.findings import Problem
from airflow_zendesk.window import Slice
from airflow_zendesk.zendesk.records import LATE, TIMESTAMP
from airflow_zendesk.zendesk.settling import MIN_SETTLE, settle_seconds


@dataclass(slots=True)
class SliceCheck:
    """The content of a slice and its problems; a damaged slice has no footer and no ids."""

    size: int = 0
    footer: Footer | None = None
    ids: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    problems: list[tuple[Problem, str]] = field(default_factory=list)


def verify_slice(store: Store, key: str, slice_: Slice, settings: DatasetSettings) -> SliceCheck:
    """Read a whole slice and compare it with its name, its footer and the settings of the dataset.

    Raises:
        NewerSchemaError: a newer version of this package wrote the slice.
        StorageError: the object cannot be read.
    """
    check = SliceCheck()
    rows = _RowTimes(slice_)
    try:
        with store.translate_errors(key), store.open(key) as file:
            check.size = file.seek(0, os.SEEK_END)
            footer = verify_file(file, store.uri(key), rows.add)
    except DamagedObjectError as error:
        check.problems.append(("damaged", error.reason))
        return check
    except StorageNotFoundError:
        check.problems.append(("missing", "the object was removed after the folder was listed"))
        return check
    check.footer, check.ids = footer, np.concatenate([np.empty(0, np.int64), *rows.ids])
    if reason := _mismatches(footer, slice_, settings):
        # Its rows and its certificate belong to another slice, and prove nothing about this one.
        check.problems.append(("mismatched", reason))
        return check
    found: list[tuple[Problem, str | None]] = [
        ("uncertified", _uncertified_reason(footer.certificate, slice_)),
        ("out_of_range", rows.out_of_range()),
        ("damaged", rows.wrong_late_count(footer)),
    ]
    check.problems += [(problem, reason) for problem, reason in found if reason]
    return check


class _RowTimes:
    """Compares the times of the rows with the time of their slice, and collects their ids."""

    def __init__(self, slice_: Slice) -> None:
        self.ids: list[NDArray[np.int64]] = []
        self._start, self._end = (second * 1_000_000 for second in (slice_.start_time, slice_.end_time))
        self._late = 0
        self._misplaced = Counter[str]()

    def add(self, batch: pa.RecordBatch) -> None:
        self.ids.append(np.array(batch.column("id").to_pylist(), np.int64))
        times = np.array(batch.column(TIMESTAMP).cast("int64").to_pylist(), np.int64)
        late = np.array(batch.column(LATE).to_pylist(), np.bool_)
        misplaced = {
            "before its start and not marked late": (times < self._start) & ~late,
            "at its end or later": times >= self._end,
            "within it but marked late": (times >= self._start) & late,
        }
        self._misplaced.update({where: int(np.count_nonzero(rows)) for where, rows in misplaced.items()})
        self._late += int(np.count_nonzero(late))

    def out_of_range(self) -> str | None:
        return "; ".join(f"rows {where}: {count:,}" for where, count in self._misplaced.items() if count) or None

    def wrong_late_count(self, footer: Footer) -> str | None:
        if self._late == footer.late:
            return None
        return f"it has {self._late:,} late rows, but its footer says {footer.late:,}"


def _mismatches(footer: Footer, slice_: Slice, settings: DatasetSettings) -> str | None:
    """How the footer differs from the key and from the settings of the dataset."""
    differences = [
        f"its {name} is {theirs!r}, but the dataset's is {ours!r}"
        for name, (ours, theirs) in settings.differences(settings.rename_former(footer.dataset)).items()
    ]
    if (footer.start, footer.end) != (slice_.start.isoformat(), slice_.end.isoformat()):
        differences.append(f"its footer says that it is the slice from {footer.start!r} to {footer.end!r}")
    if footer.schema_version.partition(".")[0] != str(settings.schema_major_version):
        differences.append(f"its schema version is {footer.schema_version!r}")
    return "; ".join(differences) or None


def _uncertified_reason(certificate: Certificate, slice_: Slice) -> str | None:
    """Why the certificate does not prove the slice complete, or None if it does."""
    if certificate.by == END_OF_LIST:
        return None
    needed = slice_.end_time + settle_seconds(timedelta())
    if certificate.server_date_at_least < needed:
        return (
            f"Zendesk's clock is only known to have passed {_utc(certificate.server_date_at_least)}, "
            f"less than {MIN_SETTLE.seconds} s after the end of the slice"
        )
    if certificate.by == "end_of_stream":
        return None
    if certificate.by != "end_time" or certificate.end_time is None:
        return "its certificate has no valid proof"
    if certificate.end_time < slice_.end_time:
        return f"its pages covered the time only up to {_utc(certificate.end_time)}"
    return None


def _utc(seconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):  # not written by an exporter
        return f"second {seconds}"
