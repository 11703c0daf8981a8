"""Commands of the virtual environment that the tests run in."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_LOG_LINE = re.compile(r"(\x1b\[[\d;]*m)*\d{4}-\d\d-\d\dT[\d:.]+Z ")


def executable(name: str) -> str:
    """Where a command of this environment lies, activated or not."""
    return str(Path(sys.executable).with_name(name))


def run(
    name: str, *arguments: str | Path, folder: Path = ROOT, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command of this environment to its end and keep what it prints."""
    return subprocess.run(
        [executable(name), *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    """What a command printed in this process, without what Airflow logs: it does so where its first log line went."""
    lines = capsys.readouterr().out.splitlines(keepends=True)
    return "".join(line for line in lines if not _LOG_LINE.match(line))


def read_by_bash(line: str) -> list[str]:
    """The words that bash makes of a line."""
    script = f"printf '%s\\0' {line}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True)
    return [os.fsdecode(word) for word in done.stdout.split(b"\0")[:-1]]
