"""A disk that is really full: a file system of a few kilobytes, of which only the command knows."""

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from airflow_zendesk.dataset.slice_file import verify
from airflow_zendesk.emulator import ZendeskEmulator
from tests.support.commands import executable
from tests.support.rows import exported_ids

START, END = datetime(2026, 1, 1, 8, tzinfo=UTC), datetime(2026, 1, 1, 20, tzinfo=UTC)
_ROOM = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
#: Mount it, export, and carry out what it holds, for it goes with the command.
_IN_LITTLE_ROOM = """
mount -t tmpfs -o size=$SIZE tmpfs "$SMALL" || exit 99
"$@"
code=$?
cp -a "$SMALL" "$CARRIED_OUT"
exit $code
"""

pytestmark = pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run([*_ROOM, "mount -t tmpfs tmpfs /mnt"], capture_output=True, check=False).returncode != 0,
    reason="this machine lets nobody but its administrator mount a file system",
)


def export(destination: Path, environment: dict[str, str], *wrapped: str) -> subprocess.CompletedProcess[str]:
    """Export half a day in slices of an hour."""
    words = ["export", "--start", START.isoformat(), "--end", END.isoformat(), "--grain", "1h"]
    command = [*wrapped, executable("airflow-zendesk"), *words, "--if-exists", "skip", "--destination"]
    return subprocess.run(
        [*command, destination.as_uri()], env=os.environ | environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("full", ["destination", "spool"])
def test_full_disk_ends_an_export_with_whole_slices_alone(tmp_path: Path, emulator: ZendeskEmulator, full: str) -> None:
    """What was published stays, nothing is half; with room again, the export goes on."""
    small, carried_out, data = (tmp_path / name for name in ("small", "carried_out", "data"))
    small.mkdir()
    environment = {"SMALL": str(small), "CARRIED_OUT": str(carried_out)}
    if full == "destination":
        data = carried_out
        ended = export(small, environment | {"SIZE": "100k"}, *_ROOM, _IN_LITTLE_ROOM, "sh")
    else:
        ended = export(data, environment | {"SIZE": "8k", "TMPDIR": str(small)}, *_ROOM, _IN_LITTLE_ROOM, "sh")
    assert 1 == ended.returncode, ended.stderr
    assert "There is no space for " in ended.stderr
    assert "(ENOSPC)" in ended.stderr
    paths = sorted(data.rglob("*.parquet"))
    assert (0 < len(paths) < 12) if full == "destination" else not paths
    for path in paths:
        with path.open("rb") as file:
            verify(file, path.name)
    assert not [path for path in (*data.rglob("*"), *carried_out.rglob("*")) if path.suffix == ".tmp"]
    assert 0 == export(data, {}).returncode
    assert sorted(emulator.expected_ids("ticket_events", START, END)) == exported_ids(data)
