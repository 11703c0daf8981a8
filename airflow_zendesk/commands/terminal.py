"""Output of a subcommand: its result to standard output, everything else to standard error."""

import contextlib
import sys
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn


def logs_to_stderr() -> "contextlib.redirect_stdout[Any]":
    """Send standard output to standard error while a command works, because Airflow logs to standard output.

    Enter it before Airflow is imported: some of its messages come with the import.
    """
    return contextlib.redirect_stdout(sys.stderr)


def progress_bar() -> Progress:
    """A progress bar on standard error, followed by the field ``text`` of its task."""
    console = Console(stderr=True)
    return Progress(BarColumn(bar_width=16), TextColumn("{task.fields[text]}", markup=False), console=console)
