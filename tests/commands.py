"""Commands of the virtual environment that the tests run in."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]


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
