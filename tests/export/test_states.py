"""Objects that change: after any schedule of runs, the newest stored versions are the account as it was."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_zendesk.dataset.slice_file import verify_file
from airflow_zendesk.dataset.versions import slice_writer
from airflow_zendesk.export.run import export_window
from airflow_zendesk.window import Grain, Slice, Window
from airflow_zendesk.zendesk.resources import Query
from tests.support.cursor_server import CursorServer, CursorServerHook
from tests.support.slices import CERTIFICATE, DAY, SETTINGS, as_records

START = 1_767_225_600  # 2026-01-01T00:00:00Z
USERS = Query.of("users")
MINUTE = Grain.of("1m")
#: Four slices of a minute, and time to settle.
SLICES = 4


class Killed(Exception):  # noqa: N818  it stands for a kill, not for an error
    """The process ends here."""


def minutes(first: int, last: int) -> Window:
    """The window from the start of one slice to the end of another."""
    return Window(*(datetime.fromtimestamp(START + 60 * at, UTC) for at in (first, last + 1)))


def run(server: CursorServer, folder: Path, window: Window, requests: int, **options: Any) -> bool:
    """Export a window, killed before a request of that number; returns whether it ended."""
    left = iter(range(requests))

    def count() -> None:
        if next(left, None) is None:
            raise Killed

    try:
        hook = CursorServerHook(server, count)
        export_window(hook, folder.as_uri(), USERS, window, grain=MINUTE, settle=timedelta(0), **options)
    except Killed:
        return False
    return True


def stored(folder: Path) -> dict[int, int]:
    """The newest version of each object in all slices: its second since the start."""
    newest: dict[int, int] = {}
    for path in sorted((folder / "users").rglob("*.parquet")):
        with path.open("rb") as file:
            verify_file(file, str(path))
        table = pq.ParquetFile(path).read()
        for id_, time in zip(table["id"].to_pylist(), table["timestamp"].cast("int64").to_pylist(), strict=True):
            newest[id_] = max(newest.get(id_, 0), time // 1_000_000 - START)
    return newest


def exported_until(folder: Path) -> int:
    """The second up to which all slices from the start on are stored."""
    names = {path.name[:16] for path in (folder / "users").rglob("*.parquet")}
    until = 0
    while datetime.fromtimestamp(START + until, UTC).strftime("%Y%m%dT%H%M%SZ") in names:
        until += 60
    return until


changes = st.tuples(st.just("change"), st.integers(1, 5), st.integers(0, 40))
runs = st.tuples(st.just("run"), st.tuples(st.integers(0, SLICES - 1), st.integers(0, SLICES - 1)), st.integers(1, 9))


@settings(max_examples=60, deadline=None)
@given(st.lists(changes | runs, min_size=4, max_size=25), st.integers(1, 3), st.booleans())
def test_the_newest_versions_are_the_account_after_any_runs_reruns_and_kills(
    steps: list[Any], per_page: int, expire: bool
) -> None:
    """An object is missing or old only if it has changed after the time that is exported."""
    server = CursorServer(START, per_page if not expire else 5, cursors_expire=expire)
    with TemporaryDirectory() as name:
        folder = Path(name)
        for kind, what, number in steps:
            if kind == "change":
                server.now += number
                server.change(what)
                continue
            first, last = sorted(what)
            server.now = max(server.now, START + 60 * (last + 1) + 90)
            run(server, folder, minutes(first, last), number)
        until, table = exported_until(folder), stored(folder)
        for id_, seconds in server.changes.items():
            newest = seconds[-1] - START
            assert newest >= until or table[id_] == newest
            assert id_ not in table or table[id_] + START in seconds


def test_a_rerun_keeps_what_has_moved_on_and_erasure_removes_it(tmp_path: Path) -> None:
    """The stored version is the newest that the dataset has, until a later slice has the next one."""
    server = CursorServer(START + 10)
    for id_ in (1, 2, 3):
        server.change(id_)
    server.now = START + 200
    assert run(server, tmp_path, minutes(0, 0), 9)
    server.change(2)
    server.now = START + 1_000
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
    assert run(server, tmp_path, minutes(0, 0), 9)
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
    assert stored(tmp_path) == {1: 10, 2: 10, 3: 10}
    assert run(server, tmp_path, minutes(3, 3), 9)
    assert stored(tmp_path) == {1: 10, 2: 200, 3: 10}
    assert run(server, tmp_path, minutes(0, 0), 9, allow_shrink=True)
    rows = pq.ParquetFile(min(tmp_path.rglob("*.parquet"))).read()["id"].to_pylist()
    assert sorted(rows) == [1, 3]


@pytest.mark.parametrize("times", [(60, 120, 180), (180, 120, 60), (120, 180, 60)])
def test_a_slice_has_each_object_once_in_its_newest_version(times: tuple[int, ...]) -> None:
    """Whatever the order in which Zendesk delivers them."""
    writer = slice_writer(msgspec.structs.replace(SETTINGS, resource="users"), Slice(DAY.start, DAY.end))
    try:
        for time in times:
            writer.write(as_records([{"id": 7, "timestamp": START + time, "name": str(time)}]))
        writer.write(as_records([{"id": 8, "timestamp": START}]))
        sealed = writer.seal(CERTIFICATE, duplicates=0)
        table = pq.ParquetFile(sealed.file).read()
        assert [(7, "180"), (8, None)] == sorted(zip(table["id"].to_pylist(), table["name"].to_pylist(), strict=True))
    finally:
        writer.close()
