"""Verify a dataset: every kind of damage is found."""

import io
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.local import LocalFileSystem

from airflow_zendesk.cli import main
from airflow_zendesk.dataset.layout import slice_key
from airflow_zendesk.dataset.settings import DatasetSettings, ensure_settings
from airflow_zendesk.dataset.slice_file import FOOTER_KEY, Certificate
from airflow_zendesk.exceptions import MisalignedWindowError
from airflow_zendesk.storage.local import LocalStore
from airflow_zendesk.storage.store import Store
from airflow_zendesk.verify.dataset_check import verify_dataset
from airflow_zendesk.verify.findings import Run, VerificationProgress
from airflow_zendesk.window import Grain, Window
from tests.support.commands import read_by_bash
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
    """Four complete days, one of them without events."""
    ensure_settings(store, SETTINGS)
    for slice_ in DAYS:
        records = [] if slice_ == DAYS[3] else events_of(slice_)
        store.put(slice_key("ticket_events", slice_), io.BytesIO(valid_slice(slice_, records)), expected=None)
    return store


def test_complete_dataset_has_no_findings(dataset: Store) -> None:
    """Rows, bytes and slices are counted; the days are one run."""
    progress: list[VerificationProgress] = []
    found = verify_dataset(dataset, SETTINGS, ALL, progress.append)
    sizes = [len(dataset.read(slice_key("ticket_events", slice_)) or b"") for slice_ in DAYS]
    assert ([], [], True) == (found.findings, found.hidden, found.complete)
    assert [Run(start=ALL.start, end=ALL.end, problem=None, slices=4, rows=150, late=0, bytes=sum(sizes))] == list(
        found.runs()
    )
    assert [
        VerificationProgress(step="read", done=done, total=4, rows=min(50 * done, 150), findings=0)
        for done in (1, 2, 3, 4)
    ] == progress


def test_only_the_window_is_verified(dataset: Store) -> None:
    """Slices outside of it are neither expected nor read, whatever their length."""
    dataset.put(
        "ticket_events/event_date=2026-01-02/20260102T000000Z--20260102T010000Z.parquet",
        io.BytesIO(b"an hour"),
        expected=None,
    )
    dataset.put(KEY, io.BytesIO(b"no slice"), expected=dataset.version(KEY))
    assert verify_dataset(dataset, SETTINGS, DAYS[0]).complete
    assert not verify_dataset(dataset, SETTINGS, DAYS[1]).complete
    later = verify_dataset(dataset, SETTINGS, Window(NEXT.end, day_after()))
    assert ["missing"] == [finding.problem for finding in later.findings]


def day_after() -> Any:
    """The end of the first day that was never exported."""
    return DAYS[3].end + timedelta(days=1)


def test_window_must_consist_of_whole_slices(dataset: Store) -> None:
    """As in an export."""
    with pytest.raises(MisalignedWindowError):
        verify_dataset(dataset, SETTINGS, Window(DAY.start, DAY.start + timedelta(hours=1)))


def test_consecutive_slices_with_the_same_problem_are_one_run(dataset: Store) -> None:
    """Before, between and after the stored slices."""
    found = verify_dataset(dataset, SETTINGS, Window(DAY.start - timedelta(days=3), day_after()))
    assert [("missing", 3), (None, 4), ("missing", 1)] == [(run.problem, run.slices) for run in found.runs()]


def test_hidden_objects_are_listed_but_are_no_finding(dataset: Store) -> None:
    """A killed process can leave one on a disk. Readers ignore it."""
    dataset.put(f"{KEY.rpartition('/')[0]}/.left.tmp", io.BytesIO(b"half"), expected=None)
    found = verify_dataset(dataset, SETTINGS, ALL)
    assert (True, 1) == (found.complete, len(found.hidden))


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


def other_parquet(_: bytes) -> bytes:
    """A Parquet file that no exporter wrote."""
    file = io.BytesIO()
    pq.write_table(pa.table({"id": [1]}), file)
    return file.getvalue()


def other_settings(**settings: Any) -> Callable[[bytes], bytes]:
    """The slice as if it were exported for another dataset."""
    fields = {name: getattr(SETTINGS, name) for name in SETTINGS.__struct_fields__}
    return lambda content: forged(content, dataset=DatasetSettings(**fields | settings))


END = DAMAGED.end_time
#: What is done to the bytes of a slice, the problem, and the words that name it.
REWRITTEN: dict[str, tuple[Callable[[bytes], bytes], str, str]] = {
    "empty": (lambda _: b"", "damaged", "it cannot be read"),
    "text": (lambda _: b"id,ticket_id\n1,7\n", "damaged", "it cannot be read"),
    "truncated": (lambda content: content[:-100], "damaged", "it cannot be read"),
    "byte flipped": (flip, "damaged", "it cannot be read"),
    "other Parquet": (other_parquet, "damaged", "it has no footer of airflow-zendesk"),
    "rows edited in the footer": (lambda content: forged(content, rows=49), "damaged", "it has 50 rows with digest"),
    "row taken away": (lambda content: forged(content, rows_of(content)[1:], rows=50), "damaged", "it has 49 rows"),
    "value edited": (lambda content: forged(changed(content, via="Mail"), digest="sum-sha256:0"), "damaged", "digest"),
    "duplicate id": (
        lambda content: forged(content, [*rows_of(content), rows_of(content)[0]]),
        "damaged",
        "it contains an id twice",
    ),
    "late rows edited in the footer": (
        lambda content: forged(content, late=3),
        "damaged",
        "it has 0 late rows, but its footer says 3",
    ),
    "other account": (
        other_settings(account="other.zendesk.com"),
        "mismatched",
        "its account is 'other.zendesk.com', but the dataset's is 'acme.zendesk.com'",
    ),
    "other grain in the footer": (
        other_settings(grain=Grain.of("1h")),
        "mismatched",
        "its grain is '1h', but the dataset's is '1d'",
    ),
    "other sideloads": (other_settings(include=("comment_events",)), "mismatched", "its include is"),
    "other window in the footer": (
        lambda content: forged(content, start="2026-01-09T00:00:00+00:00"),
        "mismatched",
        "its footer says that it is the slice from '2026-01-09T00:00:00+00:00' to '2026-01-03T00:00:00+00:00'",
    ),
    "other schema": (
        lambda content: forged(content, schema_version="0.9"),
        "mismatched",
        "its schema version is '0.9'",
    ),
    "no schema version": (
        lambda content: forged(content, schema_version="next"),
        "damaged",
        "it has no footer of airflow-zendesk",
    ),
    "not settled": (
        lambda content: forged(content, certificate=Certificate("end_of_stream", None, END + 89)),
        "uncertified",
        "only known to have passed 2026-01-03T00:01:29Z, less than 90 s after the end of the slice",
    ),
    "not covered": (
        lambda content: forged(content, certificate=Certificate("end_time", END - 1, END + SETTLE)),
        "uncertified",
        "its pages covered the time only up to 2026-01-02T23:59:59Z",
    ),
    "covered by nothing": (
        lambda content: forged(content, certificate=Certificate("end_time", None, END + SETTLE)),
        "uncertified",
        "its certificate has no valid proof",
    ),
    "row after it": (
        lambda content: changed(content, timestamp=DAMAGED.end),
        "out_of_range",
        "rows at its end or later: 1",
    ),
    "row before it": (
        lambda content: changed(content, timestamp=DAMAGED.start - timedelta(seconds=1)),
        "out_of_range",
        "rows before its start and not marked late: 1",
    ),
    "row marked late that is not": (
        lambda content: forged(changed(content, late=True), late=1),
        "out_of_range",
        "rows within it but marked late: 1",
    ),
}


@pytest.fixture
def folder(tmp_path: Path, local_store: Store) -> Path:
    """Four complete days on a disk."""
    ensure_settings(local_store, SETTINGS)
    for slice_ in DAYS:
        local_store.put(
            slice_key("ticket_events", slice_), io.BytesIO(valid_slice(slice_, events_of(slice_))), expected=None
        )
    return tmp_path


@pytest.fixture
def findings(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[], tuple[int, list[str]]]:
    """Run the command on the four days; returns its exit code and the findings that it prints."""

    def run() -> tuple[int, list[str]]:
        window = ["--start", ALL.start.isoformat(), "--end", ALL.end.isoformat()]
        code = main(["verify", "--destination", folder.as_uri(), *window])
        lines = capsys.readouterr().out.splitlines()
        return code, [line.replace(folder.as_uri(), "...") for line in lines if ": file:" in line]

    return run


Findings = Callable[[], tuple[int, list[str]]]


def test_command_succeeds_on_a_complete_dataset(findings: Findings) -> None:
    """It prints no finding."""
    assert (0, []) == findings()


@pytest.mark.parametrize(("rewrite", "problem", "reason"), REWRITTEN.values(), ids=REWRITTEN.keys())
def test_modified_slice_is_one_finding(
    folder: Path, findings: Findings, rewrite: Callable[[bytes], bytes], problem: str, reason: str
) -> None:
    """With the reason, and there is no other finding."""
    path = folder / KEY
    path.write_bytes(rewrite(path.read_bytes()))
    code, (line,) = findings()
    assert 1 == code
    assert line.startswith(f"{problem}: .../{KEY}: ")
    assert reason in line


def test_missing_slice_is_a_finding(folder: Path, findings: Findings) -> None:
    """It names the object that should exist."""
    (folder / KEY).unlink()
    assert (1, [f"missing: .../{KEY}: the object does not exist"]) == findings()


def test_slice_renamed_to_another_slice_is_mismatched(folder: Path, findings: Findings) -> None:
    """And the original is missing."""
    (folder / KEY).rename(folder / NEXT_KEY)
    reason = "its footer says that it is the slice from '2026-01-02T00:00:00+00:00' to '2026-01-03T00:00:00+00:00'"
    assert (
        1,
        [f"missing: .../{KEY}: the object does not exist", f"mismatched: .../{NEXT_KEY}: {reason}"],
    ) == findings()


def test_copy_over_another_slice_is_one_finding(folder: Path, findings: Findings) -> None:
    """Its ids are duplicates only until it is moved away, so they are not reported."""
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
def test_object_that_is_not_a_slice_is_unexpected(folder: Path, findings: Findings, name: str) -> None:
    """At any depth below the dataset's folder, because readers would read it."""
    path = folder / "ticket_events" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((folder / KEY).read_bytes())
    reason = "it is not a slice, but readers read it like one"
    assert (1, [f"unexpected: .../ticket_events/{name}: {reason}"]) == findings()


@pytest.mark.parametrize(
    "name", ["x\n  airflow-zendesk export --allow-shrink", "\x1b[2J", os.fsdecode(b"\xff.parquet")]
)
def test_name_of_an_object_cannot_forge_output(
    folder: Path, capsys: pytest.CaptureFixture[str], findings: Findings, name: str
) -> None:
    """Control characters are escaped in the findings and in the repair."""
    (folder / "ticket_events" / name).write_bytes(b"text")
    code, (finding,) = findings()
    assert (1, True) == (code, finding.isprintable())
    main(
        ["verify", "--destination", folder.as_uri(), "--start", "2026-01-01T00:00:00Z", "--end", "2026-01-02T00:00:00Z"]
    )
    lines = capsys.readouterr().out.splitlines()
    assert all(line.isprintable() for line in lines)
    assert "  airflow-zendesk export --allow-shrink" not in lines
    (address,) = [line.strip() for line in lines if line.startswith("  $'")]
    assert [f"{folder.as_uri()}/ticket_events/{name}"] == read_by_bash(address)


def test_slice_of_a_newer_version_is_not_damaged(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It has a column that this version does not know. Nothing is to be moved away: a newer version can read it."""
    content = (folder / KEY).read_bytes()
    table = pq.read_table(io.BytesIO(content))
    footer = msgspec.json.decode(pq.ParquetFile(io.BytesIO(content)).metadata.metadata[FOOTER_KEY])
    newer = table.append_column("new", pa.array([None] * table.num_rows, pa.string()))
    entry = {FOOTER_KEY: msgspec.json.encode(footer | {"schema_version": "1.10"})}
    pq.write_table(newer.replace_schema_metadata(entry), folder / KEY)
    window = ["--start", ALL.start.isoformat(), "--end", ALL.end.isoformat()]
    assert 1 == main(["verify", "--destination", folder.as_uri(), *window])
    output = capsys.readouterr()
    assert f"{KEY} has schema version 1.10" in output.err
    assert "Move" not in output.out


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
    reason = f"its time {time} is not a slice of 1d, and overlaps slices of the dataset"
    assert (1, [f"overlapping: .../{path.relative_to(folder)}: {reason}"]) == findings()


def test_id_in_two_slices_is_a_duplicate(folder: Path, findings: Findings) -> None:
    """A server that sorts events by delivery can return one event to two runs. The finding names both slices."""
    shared = events_of(DAMAGED)[7]["id"]
    (folder / NEXT_KEY).write_bytes(valid_slice(NEXT, [late(NEXT, shared), *events_of(NEXT)]))
    reason = f"1 of its ids are also in .../{KEY}, for example {shared}"
    assert (1, [f"duplicate: .../{NEXT_KEY}: {reason}"]) == findings()


class HastyStore(LocalStore):
    """Returns half of an object once, as if the connection broke or another run replaced the object."""

    cut = True

    def open(self, key: str) -> IO[bytes]:
        """An object, or half of it."""
        content = super().open(key)
        if key == KEY and self.cut:
            self.cut = False
            return io.BytesIO(content.read(1_000))
        return content


def test_damage_must_be_found_twice(folder: Path) -> None:
    """An object that cannot be read is read once more."""
    hasty = HastyStore(LocalFileSystem(), str(folder), folder.as_uri())
    assert verify_dataset(hasty, SETTINGS, ALL).complete
    assert not hasty.cut
