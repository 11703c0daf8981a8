"""The plan of the package: which way imports go, how large modules and functions are, and that names are unique."""

import ast
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import ROOT, run

MODULES = sorted((ROOT / "airflow_zendesk").rglob("*.py"))
MAX_MODULE_LINES, MAX_LONG_MODULE_LINES = 250, 400
MAX_FUNCTION_LINES, MAX_LONG_FUNCTION_LINES = 40, 45

#: Longer than 250 lines, each with its reason.
LONG_MODULES = {"exceptions.py": "one tree, drawn in one place"}
#: Longer than 40 lines, each with its reason.
LONG_FUNCTIONS = {
    "export_window": "most of it describes its arguments",
    "estimate": "half of it describes its arguments and what it returns",
    "verify_dataset": "half of it describes its arguments",
    "_merge": "the statements of one transaction, in their order",
}
#: Names that still occur twice. Remove a name as soon as it is unique.
DUPLICATE_MODULES: list[str] = []
DUPLICATE_CLASSES: list[str] = []


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
    """Each rule can fail: an import that is not allowed breaks it."""
    shutil.copytree(ROOT / "airflow_zendesk", tmp_path / "airflow_zendesk")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / "airflow_zendesk" / module
    path.write_text(f"{line}\n{path.read_text()}")
    done = run("lint-imports", "--no-cache", folder=tmp_path)
    assert 1 == done.returncode, done.stdout + done.stderr
    assert f"{rule} BROKEN" in re.sub(r"\x1b\[[\d;]*m", "", done.stdout)


def nodes(path: Path, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of these kinds in a module."""
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kinds))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_are_short(path: Path) -> None:
    """A longer one is named above, with a reason, and has a limit too."""
    limit = MAX_LONG_MODULE_LINES if path.name in LONG_MODULES else MAX_MODULE_LINES
    assert len(path.read_text().splitlines()) <= limit
    for node in nodes(path, ast.FunctionDef, ast.AsyncFunctionDef):
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        limit = MAX_LONG_FUNCTION_LINES if node.name in LONG_FUNCTIONS else MAX_FUNCTION_LINES
        assert (node.end_lineno or 0) - node.lineno < limit, node.name


def test_names_of_modules_are_unique() -> None:
    """A reader who looks for a module finds one."""
    names = Counter(path.stem for path in MODULES if path.name != "__init__.py")
    assert DUPLICATE_MODULES == sorted(name for name, count in names.items() if count > 1)


def test_names_of_classes_are_unique() -> None:
    """A reader who looks for a class finds one."""
    names = Counter(str(vars(node)["name"]) for path in MODULES for node in nodes(path, ast.ClassDef))
    assert DUPLICATE_CLASSES == sorted(name for name, count in names.items() if count > 1)
