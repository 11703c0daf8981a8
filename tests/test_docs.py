"""What the documents name exists: commands, options, links, errors, DAGs, Variables and warehouse URLs."""

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_zendesk import exceptions
from airflow_zendesk.cli import _parser
from airflow_zendesk.zendesk_error import ZendeskError
from tests.support.commands import ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "tests" / "README.md",
]
#: Texts that print commands too.
SOURCES = sorted([*(ROOT / "dags").glob("*.py"), *(ROOT / "airflow_zendesk").rglob("*.py")])

SUBCOMMANDS: dict[str, argparse.ArgumentParser] = next(
    action.choices for action in _parser()._actions if isinstance(action, argparse._SubParsersAction)
)


def commands(text: str) -> Iterator[list[str]]:
    """The words of each `airflow-zendesk` command in a text, in code blocks and between backticks."""
    joined = re.sub(r"\\\n\s*", " ", text)
    for found in re.findall(r"airflow-zendesk ([a-z][^`\n\"]*)", joined):
        words = re.split(r"\s+(?:&|\||>|<)|[;)]", found)[0].rstrip(".,: ")
        try:
            yield shlex.split(words)
        except ValueError:
            yield words.split()


@pytest.mark.parametrize("page", [*PAGES, *SOURCES], ids=lambda path: str(path.relative_to(ROOT)))
def test_named_commands_and_options_exist(page: Path) -> None:
    """A reader can type every command as it is printed."""
    for words in commands(page.read_text()):
        name, *rest = words
        if name not in SUBCOMMANDS:
            # Prose such as "airflow-zendesk exports ..." begins no command.
            assert not any(word.startswith("--") for word in rest), words
            continue
        options = {option for action in SUBCOMMANDS[name]._actions for option in action.option_strings}
        named = {word.partition("=")[0] for word in rest if re.match(r"--[a-z]", word)}
        assert named <= options, words


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every link to a file of the repository resolves."""
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_errors_and_dags_exist(page: Path) -> None:
    """A name between backticks that looks like an error or a DAG of this package is one."""
    text = page.read_text()
    errors = {
        name for name, value in vars(exceptions).items() if isinstance(value, type) and issubclass(value, ZendeskError)
    }
    for name in re.findall(r"`([A-Z]\w+Error)`", text):
        assert name in errors, name
    files = "".join(
        path.read_text() for path in [*(ROOT / "dags").glob("*.py"), *(ROOT / "docs" / "examples").glob("*.py")]
    )
    for name in re.findall(r"DAGs? `(zendesk_\w+)`", text):
        assert f'"{name}"' in files, name


def test_every_promise_of_security_has_a_test() -> None:
    """Each row of the table names functions that exist."""
    table = (ROOT / "SECURITY.md").read_text().partition("| promise | test |\n|---|---|\n")[2].partition("\n\n")[0]
    assert table
    for row in table.splitlines():
        named = re.findall(r"`(tests/[^`]+)::(\w+)`", row)
        assert named, row
        for path, name in named:
            assert f"def {name}(" in (ROOT / path).read_text(), name
