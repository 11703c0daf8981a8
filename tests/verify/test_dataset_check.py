"""The proof of a dataset, and each way in which it fails."""

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.local import LocalFileSystem

from airflow_zendesk.cli import main
from airflow_zendesk.dataset.layout import slice_key
from airflow_zendesk.dataset.settings import DatasetSettings, ensure_settings
from airflow_zendesk.dataset.slice_file import Certificate
from airflow_zendesk.exceptions import MisalignedWindowError
from airflow_zendesk.storage.local import LocalStore
from airflow_zendesk.storage.store import Store
from airflow_zendesk.verify.dataset_check import audit
from airflow_zendesk.verify.findings import Run, VerificationProgress
from airflow_zendesk.window import Grain, Window
from tests.support.forged_slices import SETTLE, forged, rows_of, valid_slice
from tests.support.slices import DAY, SETTINGS, event

DAYS = Grain.of("1d").slices(Window(DAY.start, DAY.start + timedelta(days=4)))
ALL = Window(DAYS[0].start, DAYS[-1].end)
#: The slice that the damages are done to, with its address, and the one after it.
DAMAGED, NEXT = DAYS[1], DAYS[2]
KEY, NEXT_KEY = (slice_key("ticket_events", slice_) for slice_ in (DAMAGED, NEXT))


def events_of(slice_: Window, number: int = 50) -> list[dict[str, Any]]:
    """Events of a day, with ids that no other day has."""
    first = slice_.start_time // 86_400 * 1_000
    return [event(first + at, timestamp=slice_.start_time + 60 * at, subject=f"Printer {at}") for at in range(number)]


@pytest.fixture
def dataset(store: Store) -> Store:
    """Four whole days, one of them without events."""
    ensure_settings(store, SETTINGS)
    for slice_ in DAYS:
        records = [] if slice_ == DAYS[3] else events_of(slice_)
        store.put(slice_key("ticket_events", slice_), io.BytesIO(valid_slice(slice_, records)), expected=None)
    return store


def test_whole_dataset_is_proven(dataset: Store) -> None:
    """Rows, bytes and slices are counted; the days make one run."""
    told: list[VerificationProgress] = []
    found = audit(dataset, SETTINGS, ALL, told.append)
    sizes = [len(dataset.read(slice_key("ticket_events", slice_)) or b"") for slice_ in DAYS]
    assert ([], [], True) == (found.findings, found.hidden, found.whole)
    assert [Run(ALL.start, ALL.end, None, 4, rows=150, late=0, bytes=sum(sizes))] == list(found.runs())
    assert [VerificationProgress("read", done, 4, min(50 * done, 150), 0) for done in (1, 2, 3, 4)] == told


def test_only_the_window_is_proven(dataset: Store) -> None:
    """Slices outside of it are neither missed nor read, be they of the right length or not."""
    dataset.put(
        "ticket_events/event_date=2026-01-02/20260102T000000Z--20260102T010000Z.parquet",
        io.BytesIO(b"an hour"),
        expected=None,
    )
    dataset.put(KEY, io.BytesIO(b"no slice"), expected=dataset.version(KEY))
    assert audit(dataset, SETTINGS, DAYS[0]).whole
    assert not audit(dataset, SETTINGS, DAYS[1]).whole
    later = audit(dataset, SETTINGS, Window(NEXT.end, day_after()))
    assert ["missing"] == [finding.problem for finding in later.findings]


def day_after() -> Any:
    """The end of the first day that was never exported."""
    return DAYS[3].end + timedelta(days=1)


def test_window_is_made_of_whole_slices(dataset: Store) -> None:
    """As for an export."""
    with pytest.raises(MisalignedWindowError):
        audit(dataset, SETTINGS, Window(DAY.start, DAY.start + timedelta(hours=1)))


def test_slices_with_the_same_problem_are_told_as_one_run(dataset: Store) -> None:
    """Before, between and after."""
    found = audit(dataset, SETTINGS, Window(DAY.start - timedelta(days=3), day_after()))
    assert [("missing", 3), (None, 4), ("missing", 1)] == [(run.problem, run.slices) for run in found.runs()]


def test_hidden_objects_are_no_damage(dataset: Store) -> None:
    """What a killed process leaves on a disk, readers pass by; it is told."""
    dataset.put(f"{KEY.rpartition('/')[0]}/.left.tmp", io.BytesIO(b"half"), expected=None)
    found = audit(dataset, SETTINGS, ALL)
    assert (True, 1) == (found.whole, len(found.hidden))


# --- damage, each kind made by hand -------------------------------------------------------------------------


def late(slice_: Window, id_: int) -> dict[str, Any]:
    """An event that came late, to that slice."""
    return event(id_, timestamp=slice_.start_time - 1)


def changed(content: bytes, **members: Any) -> bytes:
    """The slice with other values in its first row, and the digest that belongs to them."""
    first, *others = rows_of(content)
    return forged(content, [first | members, *others])


def flip(content: bytes) -> bytes:
    """One bit of the first page."""
    broken = bytearray(content)
    broken[150] ^= 1
    return bytes(broken)


def foreign_parquet(_: bytes) -> bytes:
    """A file of somebody else."""
    file = io.BytesIO()
    pq.write_table(pa.table({"id": [1]}), file)
    return file.getvalue()


def other_record(**settings: Any) -> Callable[[bytes], bytes]:
    """The slice as if it were made for another dataset."""
    fields = {name: getattr(SETTINGS, name) for name in SETTINGS.__struct_fields__}
    return lambda content: forged(content, dataset=DatasetSettings(**fields | settings))


END = DAMAGED.end_time
#: What is done to the bytes of a slice, the problem, and the words that name it.
REWRITTEN: dict[str, tuple[Callable[[bytes], bytes], str, str]] = {
    "empty": (lambda _: b"", "damaged", "it cannot be read"),
    "text": (lambda _: b"id,ticket_id\n1,7\n", "damaged", "it cannot be read"),
    "truncated": (lambda content: content[:-100], "damaged", "it cannot be read"),
    "byte flipped": (flip, "damaged", "it cannot be read"),
    "foreign Parquet": (foreign_parquet, "damaged", "it has no footer of this exporter"),
    "rows edited in the footer": (lambda content: forged(content, rows=49), "damaged", "holds 50 rows with digest"),
    "row taken away": (lambda content: forged(content, rows_of(content)[1:], rows=50), "damaged", "holds 49 rows"),
    "value edited": (lambda content: forged(changed(content, via="Mail"), digest="sum-sha256:0"), "damaged", "digest"),
    "id doubled": (
        lambda content: forged(content, [*rows_of(content), rows_of(content)[0]]),
        "damaged",
        "an id stands in it twice",
    ),
    "late rows edited in the footer": (
        lambda content: forged(content, late=3),
        "damaged",
        "it holds 0 late rows, and its footer says 3",
    ),
    "other account": (
        other_record(account="other.zendesk.com"),
        "mismatched",
        "its account is 'other.zendesk.com', and the dataset's 'acme.zendesk.com'",
    ),
    "other grain in the footer": (other_record(grain="1h"), "mismatched", "its grain is '1h', and the dataset's '1d'"),
    "other sideloads": (other_record(include=("comment_events",)), "mismatched", "its include is"),
    "other window in the footer": (
        lambda content: forged(content, start="2026-01-09T00:00:00+00:00"),
        "mismatched",
        "by its footer it is the slice from '2026-01-09T00:00:00+00:00' to '2026-01-03T00:00:00+00:00'",
    ),
    "other schema": (
        lambda content: forged(content, schema_version="2.0"),
        "mismatched",
        "its schema version is '2.0'",
    ),
    "not settled": (
        lambda content: forged(content, certificate=Certificate("end_of_stream", None, END + 89)),
        "unproven",
        "only known to have passed 2026-01-03T00:01:29Z, less than 90 s after its end",
    ),
    "not covered": (
        lambda content: forged(content, certificate=Certificate("end_time", END - 1, END + SETTLE)),
        "unproven",
        "the page that covered it went only up to 2026-01-02T23:59:59Z",
    ),
    "covered by nothing": (
        lambda content: forged(content, certificate=Certificate("end_time", None, END + SETTLE)),
        "unproven",
        "its certificate names nothing that covered it",
    ),
    "row after it": (
        lambda content: changed(content, timestamp=DAMAGED.end),
        "misplaced",
        "1 rows lie at its end or later",
    ),
    "row before it": (
        lambda content: changed(content, timestamp=DAMAGED.start - timedelta(seconds=1)),
        "misplaced",
        "1 rows lie before it and are not marked late",
    ),
    "row marked late that is not": (
        lambda content: forged(changed(content, late=True), late=1),
        "misplaced",
        "1 rows are marked late and are not",
    ),
}


@pytest.fixture
def folder(tmp_path: Path, local_store: Store) -> Path:
    """Four whole days on a disk."""
    ensure_settings(local_store, SETTINGS)
    for slice_ in DAYS:
        local_store.put(
            slice_key("ticket_events", slice_), io.BytesIO(valid_slice(slice_, events_of(slice_))), expected=None
        )
    return tmp_path


@pytest.fixture
def findings(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[], tuple[int, list[str]]]:
    """What the command makes of the four days: its exit code, and the findings that it prints."""

    def run() -> tuple[int, list[str]]:
        window = ["--from", ALL.start.isoformat(), "--to", ALL.end.isoformat()]
        code = main(["audit", "--destination", folder.as_uri(), *window])
        lines = capsys.readouterr().out.splitlines()
        return code, [line.replace(folder.as_uri(), "...") for line in lines if ": file:" in line]

    return run


Findings = Callable[[], tuple[int, list[str]]]


def test_command_succeeds_on_a_whole_dataset(findings: Findings) -> None:
    """And finds nothing."""
    assert (0, []) == findings()


@pytest.mark.parametrize(("rewrite", "problem", "told"), REWRITTEN.values(), ids=REWRITTEN.keys())
def test_slice_that_somebody_rewrote_is_named(
    folder: Path, findings: Findings, rewrite: Callable[[bytes], bytes], problem: str, told: str
) -> None:
    """With what is wrong with it, and nothing else is."""
    path = folder / KEY
    path.write_bytes(rewrite(path.read_bytes()))
    code, (line,) = findings()
    assert 1 == code
    assert line.startswith(f"{problem}: .../{KEY}: ")
    assert told in line


def test_missing_slice_is_named(folder: Path, findings: Findings) -> None:
    """By the object that should be there."""
    (folder / KEY).unlink()
    assert (1, [f"missing: .../{KEY}: there is no such object"]) == findings()


def test_slice_under_the_name_of_another_is_named(folder: Path, findings: Findings) -> None:
    """And its own is missing."""
    (folder / KEY).rename(folder / NEXT_KEY)
    told = "by its footer it is the slice from '2026-01-02T00:00:00+00:00' to '2026-01-03T00:00:00+00:00'"
    assert (
        1,
        [f"missing: .../{KEY}: there is no such object", f"mismatched: .../{NEXT_KEY}: {told}"],
    ) == findings()


def test_copy_over_another_slice_is_named_once(folder: Path, findings: Findings) -> None:
    """Its ids stand in the dataset twice only until it is moved away."""
    (folder / NEXT_KEY).write_bytes((folder / KEY).read_bytes())
    code, (line,) = findings()
    assert 1 == code
    assert line.startswith(f"mismatched: .../{NEXT_KEY}: ")


@pytest.mark.parametrize(
    "name",
    [
        "copy.parquet",
        "notes.csv",
        "event_date=2026-01-02/part-0.parquet",
        "event_date=2026-01-02/20260105T000000Z--20260106T000000Z.parquet",
        "deep/event_date=2026-01-02/20260102T000000Z--20260103T000000Z.parquet",
    ],
)
def test_object_that_is_no_slice_is_named(folder: Path, findings: Findings, name: str) -> None:
    """Wherever it lies below the dataset: readers would read it."""
    path = folder / "ticket_events" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((folder / KEY).read_bytes())
    told = "it is no slice, but readers take it for one"
    assert (1, [f"foreign: .../ticket_events/{name}: {told}"]) == findings()


@pytest.mark.parametrize(
    ("name", "time"),
    [
        ("20260102T000000Z--20260102T010000Z", "[2026-01-02T00:00:00Z, 2026-01-02T01:00:00Z)"),
        ("20260102T120000Z--20260103T120000Z", "[2026-01-02T12:00:00Z, 2026-01-03T12:00:00Z)"),
        ("20260102T000000Z--20260104T000000Z", "[2026-01-02T00:00:00Z, 2026-01-04T00:00:00Z)"),
    ],
)
def test_slice_of_another_grain_overlaps(folder: Path, findings: Findings, name: str, time: str) -> None:
    """An hour in a dataset of days, a day from noon to noon, two days."""
    path = folder / "ticket_events" / "event_date=2026-01-02" / f"{name}.parquet"
    path.write_bytes((folder / KEY).read_bytes())
    told = f"its time {time} is no slice of 1d, and other slices have it too"
    assert (1, [f"overlapping: .../{path.relative_to(folder)}: {told}"]) == findings()


def test_id_in_two_slices_is_named_with_both(folder: Path, findings: Findings) -> None:
    """As a server that answers by delivery may leave it behind, to two runs."""
    shared = events_of(DAMAGED)[7]["id"]
    (folder / NEXT_KEY).write_bytes(valid_slice(NEXT, [late(NEXT, shared), *events_of(NEXT)]))
    told = f"1 ids stand in file:///KEY too, like {shared}".replace("file:///", ".../").replace("KEY", KEY)
    assert (1, [f"doubled: .../{NEXT_KEY}: {told}"]) == findings()


class HastyStore(LocalStore):
    """Gives half of an object, once: as if the connection broke off, or somebody replaced it."""

    cut = True

    def open(self, key: str) -> IO[bytes]:
        """An object, or half of it."""
        content = super().open(key)
        if key == KEY and self.cut:
            self.cut = False
            return io.BytesIO(content.read(1_000))
        return content


def test_damage_is_what_is_there_again(folder: Path) -> None:
    """An object that could not be read is read once more."""
    hasty = HastyStore(LocalFileSystem(), str(folder), folder.as_uri())
    assert audit(hasty, SETTINGS, ALL).whole
    assert not hasty.cut
