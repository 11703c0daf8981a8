import ast
import doctest
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_zendesk import emulator

FOLDER = Path(emulator.__file__).parent


def test_example_in_the_docstring_runs() -> None:
    """It is the first code that a user sees."""
    results = doctest.testmod(emulator)

    assert (4, 0) == (results.attempted, results.failed)


def test_pytest_fixture_works_outside_this_repository(tmp_path: Path) -> None:
    """One line in conftest.py is enough."""
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["airflow_zendesk.emulator.pytest_plugin"]\n')
    (tmp_path / "test_user.py").write_text(
        "from urllib.request import urlopen\n"
        "def test_user(zendesk_emulator):\n"
        "    assert urlopen(zendesk_emulator.url + '/api/v2/users/me').status == 200\n"
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert "1 passed" in run.stdout, run.stdout + run.stderr


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_imports_only_the_standard_library(path: Path) -> None:
    """The exporter is tested against the emulator, so the two must share neither code nor dependencies."""
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
    allowed = {"airflow_zendesk.emulator"} | ({"pytest"} if path.name == "pytest_plugin.py" else set())
    unexpected = {
        name
        for name in imported
        if name.partition(".")[0] not in sys.stdlib_module_names
        and not any(name == prefix or name.startswith(f"{prefix}.") for prefix in allowed)
    }

    assert set() == unexpected
