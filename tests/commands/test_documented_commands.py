"""Every `airflow-zendesk` command line in the documentation, the DAGs and the help texts is accepted by the parser."""

import re
import shlex

import pytest

from airflow_zendesk.cli import _parser
from tests.support.commands import ROOT

PAGES = [
    ROOT / "README.md",
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "dags").glob("*.py"),
    *(ROOT / "docs/examples").glob("*.py"),
    *(ROOT / "airflow_zendesk/commands").glob("*.py"),
]


def documented() -> list[str]:
    """The command lines, each once; a backslash at the end continues a line."""
    lines = []
    for page in PAGES:
        text = re.sub(r" \\+\n *", " ", page.read_text())
        lines += re.findall(
            r"^ *(?:\$ )?airflow-zendesk ((?:[a-z][a-z-]* )+?--\S.*?)(?: [&|>].*)?$", text, re.MULTILINE
        )
    return sorted(set(lines))


@pytest.mark.parametrize("line", documented())
def test_documented_command_is_accepted(line: str) -> None:
    """Its options exist, and none that it needs is missing."""
    assert callable(_parser().parse_args(shlex.split(line)).run)


def test_documented_commands_are_found() -> None:
    """The pattern sees them: each subcommand with options is in the documentation."""
    shown = {line.split()[0] for line in documented()}
    assert {"export", "verify", "find", "estimate", "rename-account", "ddl", "emulator"} <= shown
