"""The objects to move away and the exact commands to run, so that a dataset becomes complete.

Every command is safe to run as printed: none of them removes a stored event.
"""

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_zendesk.dataset.settings import DatasetSettings
from airflow_zendesk.verify.findings import BLOCKING, VerificationReport
from airflow_zendesk.window import Window
from airflow_zendesk.zendesk.resources import RESOURCES


@dataclass(frozen=True, slots=True)
class Target:
    """A dataset as a command names it: its destination, with the id of its connection, and its account's connection."""

    destination: str
    settings: DatasetSettings
    zendesk_conn_id: str = "zendesk_default"

    def export(self, window: Window, *, allow_shrink: bool = False) -> str:
        """The command that exports the window into the dataset again, or a list as it is now."""
        settings = self.settings
        words = ["airflow-zendesk", "export", "--resource", settings.resource]
        if not RESOURCES[settings.resource].is_list:
            words += ["--start", f"{window.start:%Y-%m-%dT%H:%M:%SZ}", "--end", f"{window.end:%Y-%m-%dT%H:%M:%SZ}"]
        words += ["--destination", self.destination]
        for sideload in settings.include:
            words += ["--include", sideload]
        if settings.private_comments:
            words.append("--private-comments")
        for name in settings.drop_fields:
            words += ["--drop-field", name]
        for name in settings.hash_fields:
            words += ["--hash-field", name]
        if settings.support_type_scope not in {"all", None}:
            words += ["--support-type-scope", str(settings.support_type_scope)]
        if self.zendesk_conn_id != "zendesk_default":
            words += ["--zendesk-conn-id", self.zendesk_conn_id]
        return shell_line([*words, "--allow-shrink"] if allow_shrink else words)

    def verify(self, window: Window) -> str:
        """The command that verifies the window."""
        start, end = (f"{instant:%Y-%m-%dT%H:%M:%SZ}" for instant in (window.start, window.end))
        words = ["airflow-zendesk", "verify", "--resource", self.settings.resource, "--start", start, "--end", end]
        return shell_line([*words, "--destination", self.destination])

    def backfill(self, window: Window, dag_id: str) -> str:
        """The command that makes a DAG export the window again, whether its intervals are slices or days.

        Airflow includes both dates: they are the starts of the first and of the last interval.
        """
        first = window.start.replace(hour=0, minute=0)
        last = window.end - timedelta(seconds=self.settings.grain.seconds)
        dates = ["--from-date", _date(first), "--to-date", _date(last)]
        words = ["airflow", "backfill", "create", "--dag-id", dag_id, *dates]
        # By default, Airflow skips a date whose run has succeeded, even if its slice was damaged later.
        return shell_line([*words, "--reprocess-behavior", "completed", "--max-active-runs", "1"])


@dataclass(frozen=True, slots=True)
class Repair:
    """How to make a dataset complete: objects to move away by hand, then commands.

    ``backfills`` and ``exports`` are alternatives, with and without a DAG. ``one_pass_exports`` cover slices that share
    ids: each is refused with the number of events that it would remove, until ``--allow-shrink`` is added.
    """

    move_away: list[str]
    backfills: list[str]
    exports: list[str]
    one_pass_exports: list[str]


def repair(report: VerificationReport, target: Target, dag_id: str | None = None) -> Repair:
    """The repair of all findings.

    There are backfills only for a ``dag_id`` that the user named: a dataset does not know which DAG exports to it, and
    a backfill of another DAG would export to another destination.
    """
    affected = [(finding.problem, finding.affected) for finding in report.findings if finding.affected]
    windows = merge(window for problem, window in affected if problem != "duplicate")
    # Within one pass a repeated id is dropped, so an export of both slices in one pass leaves it in one of them.
    shared = merge(window for problem, window in affected if problem == "duplicate")
    return Repair(
        move_away=list(dict.fromkeys(finding.uri for finding in report.findings if finding.problem in BLOCKING)),
        backfills=[target.backfill(window, dag_id) for window in windows] if dag_id else [],
        exports=[target.export(window) for window in windows],
        one_pass_exports=[target.export(window) for window in shared],
    )


def merge(windows: Iterable[Window]) -> list[Window]:
    """The same time in as few windows as possible, in order."""
    merged: list[Window] = []
    for window in sorted(windows):
        if merged and window.start <= merged[-1].end:
            merged[-1] = Window(merged[-1].start, max(merged[-1].end, window.end))
        else:
            merged.append(window)
    return merged


def shell_line(words: Sequence[str]) -> str:
    """Words as one line for a shell; a shell reads exactly these words from it."""
    return " ".join(map(shell_word, words))


def shell_word(word: str) -> str:
    """One word, quoted for bash and zsh. Control characters are escaped, so that a name cannot forge a line."""
    if word.isprintable():
        return shlex.quote(word)
    encoded = word.encode("utf-8", "surrogateescape")
    escaped = re.sub(rb"[^\w./:=@%+-]", lambda found: b"\\x%02x" % found[0][0], encoded)
    return f"$'{escaped.decode()}'"


def _date(start: datetime) -> str:
    return f"{start:%Y-%m-%d}" if start == start.replace(hour=0, minute=0) else f"{start:%Y-%m-%dT%H:%M:%SZ}"
