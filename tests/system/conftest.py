"""Tests of whole systems: each folder is one kind, has a marker of the same name, and runs only if it is asked for."""

from pathlib import Path

import pytest

_HERE = Path(__file__).parent


def _kind(path: Path) -> str:
    """The folder that a test is in, which is the name of its marker."""
    return path.relative_to(_HERE).parts[0]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not import what was not asked for: some kinds need packages that `make test` does not install."""
    if (
        collection_path.parent == _HERE
        and collection_path.is_dir()
        and collection_path.name not in config.option.markexpr
    ):
        return True
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with its kind."""
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(_kind(item.path))
