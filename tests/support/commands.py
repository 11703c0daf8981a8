"""Runs commands of the virtual environment in which the tests run."""

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
    """The path of a command of this environment, whether it is activated or not."""
    return str(Path(sys.executable).with_name(name))


def run(
    name: str, *arguments: str | Path, folder: Path = ROOT, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command of this environment to its end and capture its output."""
    return subprocess.run(
        [executable(name), *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    """The output of a command that ran in this process, without Airflow's log lines, which also go to stdout."""
    lines = capsys.readouterr().out.splitlines(keepends=True)
    return "".join(line for line in lines if not _LOG_LINE.match(line))


def read_by_bash(line: str) -> list[str]:
    """The words that bash makes of a line."""
    script = f"printf '%s\\0' {line}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True)
    return [os.fsdecode(word) for word in done.stdout.split(b"\0")[:-1]]
