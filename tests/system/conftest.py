"""Tests of whole systems. Each folder is one kind, which runs only with its marker, such as ``-m crash``."""

from pathlib import Path

import pytest

_HERE = Path(__file__).parent


def _kind(path: Path) -> str:
    """The name of the folder below this one, which is also the name of the marker."""
    return path.relative_to(_HERE).parts[0]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not import other kinds: some need packages that `make test` does not install."""
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
