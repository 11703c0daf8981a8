"""The plan of the house: which way imports go, and how large a room may grow."""

import ast
import shutil
from pathlib import Path

import pytest

from tests.support.commands import ROOT, run

MODULES = sorted((ROOT / "airflow_zendesk").rglob("*.py"))

#: Longer than 250 lines, each with its reason.
LONG_MODULES = {"exceptions.py": "one tree, drawn in one place"}
#: Longer than 40 lines, each with its reason.
LONG_FUNCTIONS = {
    "__init__": "an operator stores one thing per line",
    "export_window": "most of it says what its arguments are",
    "iter_pages": "most of it says what its arguments are",
    "find_tickets": "half of it says what its arguments are",
    "estimate": "a quarter of it says what its arguments are, another what it returns",
    "_merge": "the statements of one transaction, in their order",
}


def test_imports_go_downward() -> None:
    """The contracts of pyproject.toml hold."""
    done = run("lint-imports", "--no-cache")
    assert 0 == done.returncode, done.stdout


@pytest.mark.parametrize(
    ("module", "line", "rule"),
    [
        ("zendesk/response.py", "import requests", "what Zendesk is has no I/O"),
        ("dataset/settings.py", "from airflow_zendesk import hooks", "imports go downward"),
        ("hooks/zendesk.py", "import pyarrow", "the hook knows nothing of files"),
        ("emulator/export_pages.py", "from airflow_zendesk import window", "the emulator shares no mistake with us"),
    ],
)
def test_broken_rule_is_seen(tmp_path: Path, module: str, line: str, rule: str) -> None:
    """The rules can fail: a wrong import anywhere breaks the one it should."""
    shutil.copytree(ROOT / "airflow_zendesk", tmp_path / "airflow_zendesk")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / "airflow_zendesk" / module
    path.write_text(f"{line}\n{path.read_text()}")
    done = run("lint-imports", "--no-cache", folder=tmp_path)
    assert 1 == done.returncode, done.stdout + done.stderr
    assert f"{rule} BROKEN" in done.stdout


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_rooms_stay_small(path: Path) -> None:
    """A budget to notice: what outgrows it is named above, with a reason."""
    source = path.read_text()
    lines = len(source.splitlines())
    assert lines <= 250 or path.name in LONG_MODULES
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name not in LONG_FUNCTIONS:
            assert (node.end_lineno or 0) - node.lineno < 40, node.name
