"""A disk that is really full: a file system of a few kilobytes, mounted for the command alone."""

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from airflow_zendesk.dataset.slice_file import verify_file
from airflow_zendesk.emulator import ZendeskEmulator
from tests.support.commands import executable
from tests.support.slices import exported_ids

START, END = datetime(2026, 1, 1, 8, tzinfo=UTC), datetime(2026, 1, 1, 20, tzinfo=UTC)
_UNSHARE = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
#: Mount the file system, export, and copy its content out, because it disappears with the command.
_EXPORT_TO_SMALL_DISK = """
mount -t tmpfs -o size=$SIZE tmpfs "$SMALL" || exit 99
"$@"
code=$?
cp -a "$SMALL" "$COPY"
exit $code
"""

pytestmark = pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run([*_UNSHARE, "mount -t tmpfs tmpfs /mnt"], capture_output=True, check=False).returncode != 0,
    reason="only the administrator can mount a file system on this machine",
)


def export(destination: Path, environment: dict[str, str], *wrapped: str) -> subprocess.CompletedProcess[str]:
    """Export half a day in slices of an hour."""
    options = ["export", "--start", START.isoformat(), "--end", END.isoformat(), "--grain", "1h"]
    command = [*wrapped, executable("airflow-zendesk"), *options, "--if-exists", "skip", "--destination"]
    return subprocess.run(
        [*command, destination.as_uri()], env=os.environ | environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("full", ["destination", "spool"])
def test_full_disk_ends_an_export_with_whole_slices_only(tmp_path: Path, emulator: ZendeskEmulator, full: str) -> None:
    """Published slices stay, no file is incomplete, and with free space the next export continues."""
    small, copy, data = (tmp_path / name for name in ("small", "copy", "data"))
    small.mkdir()
    environment = {"SMALL": str(small), "COPY": str(copy)}
    if full == "destination":
        data = copy
        ended = export(small, environment | {"SIZE": "100k"}, *_UNSHARE, _EXPORT_TO_SMALL_DISK, "sh")
    else:
        ended = export(
            data,
            environment | {"SIZE": "8k", "TMPDIR": str(small)},
            *_UNSHARE,
            _EXPORT_TO_SMALL_DISK,
            "sh",
        )
    assert 1 == ended.returncode, ended.stderr
    assert "There is no space for " in ended.stderr
    assert "(ENOSPC)" in ended.stderr
    paths = sorted(data.rglob("*.parquet"))
    assert (0 < len(paths) < 12) if full == "destination" else not paths
    for path in paths:
        with path.open("rb") as file:
            verify_file(file, path.name)
    assert not [path for path in (*data.rglob("*"), *copy.rglob("*")) if path.suffix == ".tmp"]
    assert 0 == export(data, {}).returncode
    assert sorted(emulator.expected_ids("ticket_events", START, END)) == exported_ids(data)
