"""How far a command is, in one line on standard error."""

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn


def progress_bar(console: Console) -> Progress:
    """A bar with a text beside it, the field ``told`` of its task."""
    return Progress(BarColumn(bar_width=16), TextColumn("{task.fields[told]}"), console=console)
