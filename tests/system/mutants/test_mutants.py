"""A test that does not fail on the mistake it exists for proves nothing."""

import ast
import inspect
import shutil
from pathlib import Path

import pytest

from tests.support.commands import ROOT, run
from tests.system.mutants.mutants import MUTANTS, Mutant

COPIED = ["airflow_zendesk", "tests", "dags", "demo", "docs", "pyproject.toml", "README.md"]


class Replacement(ast.NodeTransformer):
    """Replaces an expression by another, and counts how often."""

    def __init__(self, right: str, wrong: str) -> None:
        self.count = 0
        self._right = ast.dump(ast.parse(right, mode="eval").body)
        self._wrong = ast.parse(wrong, mode="eval").body

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Compare the node, and go on with what it consists of."""
        if ast.dump(node) != self._right:
            return super().generic_visit(node)
        self.count += 1
        return self._wrong


def apply(mutant: Mutant, folder: Path) -> None:
    """Make the mistake in the copy of the package in a folder."""
    path = folder / Path(inspect.getfile(mutant.function)).relative_to(ROOT)
    tree: ast.Module = ast.parse(path.read_text())
    function: ast.AST = tree
    for name in mutant.function.__qualname__.split("."):
        function = next(each for each in ast.iter_child_nodes(function) if getattr(each, "name", None) == name)
    replacement = Replacement(mutant.right, mutant.wrong)
    replacement.visit(function)
    assert 1 == replacement.count, (
        f"Update this mutant: {mutant.function.__qualname__} contains `{mutant.right}` {replacement.count} times, "
        "and must contain it once."
    )
    path.write_text(ast.unparse(ast.fix_missing_locations(tree)))


@pytest.mark.parametrize("name", MUTANTS)
def test_mistake_fails_its_test(tmp_path: Path, name: str) -> None:
    """In a copy of the package."""
    mutant = MUTANTS[name]
    for entry in COPIED:
        source = ROOT / entry
        if source.is_dir():
            shutil.copytree(source, tmp_path / entry, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
        else:
            shutil.copy(source, tmp_path)
    apply(mutant, tmp_path)
    arguments = ["-m", "pytest", "-n", "0", "-q", "-x", "-p", "no:cacheprovider", mutant.test]
    done = run("python", *arguments, folder=tmp_path)
    assert 1 == done.returncode, done.stdout + done.stderr
    assert "1 failed" in done.stdout
