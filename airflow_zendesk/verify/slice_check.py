"""One stored slice against all that it claims: its footer, its name, its certificate, and every one of its rows."""

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from airflow_zendesk.dataset.settings import DatasetSettings
from airflow_zendesk.dataset.slice_file import Certificate, Footer, verify_file
from airflow_zendesk.exceptions import DamagedObjectError, StorageNotFoundError
from airflow_zendesk.storage.store import Store
from airflow_zendesk.verify.findings import Problem
from airflow_zendesk.window import Slice
from airflow_zendesk.zendesk.records import LATE, TIMESTAMP
from airflow_zendesk.zendesk.settling import MIN_SETTLE, settle_seconds


@dataclass(slots=True)
class SliceCheck:
    """What was read of a slice, and what is wrong with it; a damaged one has no footer and no ids."""

    size: int = 0
    footer: Footer | None = None
    ids: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    problems: list[tuple[Problem, str]] = field(default_factory=list)


def prove(store: Store, key: str, slice_: Slice, settings: DatasetSettings) -> SliceCheck:
    """Read all of a slice and hold it against its claims.

    Args:
        store: where the dataset lies.
        key: the object.
        slice: the slice that its name says it is.
        record: how the dataset is made.

    Raises:
        StorageError: the storage does not let it be read.
    """
    proof = SliceCheck()
    rows = _Rows(slice_)
    try:
        with store.translate_errors(key), store.open(key) as file:
            proof.size = file.seek(0, os.SEEK_END)
            footer = verify_file(file, store.uri(key), rows.look)
    except DamagedObjectError as error:
        proof.problems.append(("damaged", error.reason))
        return proof
    except StorageNotFoundError:
        proof.problems.append(("missing", "it went away after the folder was listed"))
        return proof
    proof.footer, proof.ids = footer, np.concatenate([np.empty(0, np.int64), *rows.ids])
    if reason := _mismatches(footer, slice_, settings):
        # Its rows and its certificate are those of another slice, and say nothing of this one.
        proof.problems.append(("mismatched", reason))
        return proof
    found: list[tuple[Problem, str | None]] = [
        ("unproven", _uncertified_reason(footer.certificate, slice_)),
        ("misplaced", rows.outside()),
        ("damaged", rows.miscounted(footer)),
    ]
    proof.problems += [(problem, reason) for problem, reason in found if reason]
    return proof


class _Rows:
    """The rows of a slice, looked at on their way."""

    def __init__(self, slice_: Slice) -> None:
        self.ids: list[NDArray[np.int64]] = []
        self._start, self._end = (second * 1_000_000 for second in (slice_.start_time, slice_.end_time))
        self._before = self._after = self._mislabelled = self._late = 0

    def look(self, batch: pa.RecordBatch) -> None:
        self.ids.append(np.array(batch.column("id").to_pylist(), np.int64))
        times = np.array(batch.column(TIMESTAMP).cast("int64").to_pylist(), np.int64)
        late = np.array(batch.column(LATE).to_pylist(), np.bool_)
        self._after += int(np.count_nonzero(times >= self._end))
        self._before += int(np.count_nonzero((times < self._start) & ~late))
        self._mislabelled += int(np.count_nonzero((times >= self._start) & late))
        self._late += int(np.count_nonzero(late))

    def outside(self) -> str | None:
        told = [
            (self._before, "lie before it and are not marked late"),
            (self._after, "lie at its end or later"),
            (self._mislabelled, "are marked late and are not"),
        ]
        return "; ".join(f"{count:,} rows {what}" for count, what in told if count) or None

    def miscounted(self, footer: Footer) -> str | None:
        if self._late == footer.late:
            return None
        return f"it holds {self._late:,} late rows, and its footer says {footer.late:,}"


def _mismatches(footer: Footer, slice_: Slice, settings: DatasetSettings) -> str | None:
    """How the footer differs from the name and the dataset that the object stands in."""
    differences = [
        f"its {name} is {theirs!r}, and the dataset's {ours!r}"
        for name, (ours, theirs) in settings.differences(footer.dataset).items()
    ]
    if (footer.start, footer.end) != (slice_.start.isoformat(), slice_.end.isoformat()):
        differences.append(f"by its footer it is the slice from {footer.start!r} to {footer.end!r}")
    if footer.schema_version.partition(".")[0] != str(settings.schema_major_version):
        differences.append(f"its schema version is {footer.schema_version!r}")
    return "; ".join(differences) or None


def _uncertified_reason(certificate: Certificate, slice_: Slice) -> str | None:
    """What the certificate does not prove."""
    needed = slice_.end_time + settle_seconds(timedelta())
    if certificate.server_date_at_least < needed:
        return (
            f"Zendesk's clock is only known to have passed {_utc(certificate.server_date_at_least)}, "
            f"less than {MIN_SETTLE.seconds} s after its end"
        )
    if certificate.by == "end_of_stream":
        return None
    if certificate.by != "end_time" or certificate.end_time is None:
        return "its certificate names nothing that covered it"
    if certificate.end_time < slice_.end_time:
        return f"the page that covered it went only up to {_utc(certificate.end_time)}"
    return None


def _utc(seconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):  # no exporter wrote that
        return f"second {seconds}"
