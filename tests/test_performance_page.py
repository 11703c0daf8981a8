"""The tables of docs/performance.md are those of the stored results; the benchmark itself does not run here."""

import json
import shutil
from pathlib import Path

import pytest

from tests.support.commands import ROOT, run


def test_page_has_the_stored_results() -> None:
    """As `make bench` writes them."""
    done = run("python", "benchmarks/report.py", "--check")
    assert 0 == done.returncode, done.stderr


def test_other_results_are_seen(tmp_path: Path) -> None:
    """The check can fail: one request more in one round changes the page."""
    for name in ("benchmarks", "docs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "images"))
    path = next(tmp_path.glob("benchmarks/results/comparison-*.json"))
    results = json.loads(path.read_text())
    next(iter(results["runs"].values()))[0]["requests"] += 1
    path.write_text(json.dumps(results))
    done = run("python", "benchmarks/report.py", "--check", folder=tmp_path)
    assert 1 == done.returncode
    assert "python benchmarks/report.py" in done.stderr


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks" / "rivals").glob("*.py")), ids=lambda path: path.stem)
def test_scripts_of_other_tools_are_short(path: Path) -> None:
    """They can be read at a glance, to judge whether the comparison is fair."""
    assert len(path.read_text().splitlines()) <= 60
