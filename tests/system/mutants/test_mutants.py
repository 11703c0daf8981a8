"""Mistakes on purpose: a test that cannot see its mistake proves nothing."""

import shutil
from pathlib import Path

import pytest

from tests.support.commands import ROOT, run
from tests.system.mutants.mutants import MUTANTS

COPIED = ["airflow_zendesk", "tests", "dags", "demo", "docs", "pyproject.toml", "README.md"]


@pytest.mark.parametrize("name", MUTANTS)
def test_mistake_is_seen(tmp_path: Path, name: str) -> None:
    """By the test that is named with it, in a copy of the package."""
    mutant = MUTANTS[name]
    for entry in COPIED:
        source = ROOT / entry
        if source.is_dir():
            shutil.copytree(source, tmp_path / entry, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
        else:
            shutil.copy(source, tmp_path)
    path = tmp_path / "airflow_zendesk" / mutant.file
    assert 1 == path.read_text().count(mutant.right), "the code has moved on: mend the mutant"
    path.write_text(path.read_text().replace(mutant.right, mutant.wrong))
    arguments = ["-m", "pytest", "-n", "0", "-q", "-x", "-p", "no:cacheprovider", mutant.test]
    done = run("python", *arguments, folder=tmp_path)
    assert 1 == done.returncode, done.stdout + done.stderr
    assert "1 failed" in done.stdout
