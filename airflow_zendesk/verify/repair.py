"""What to do, word by word, so that a dataset becomes whole."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_zendesk.dataset.settings import DatasetSettings
from airflow_zendesk.verify.findings import BLOCKING, Audit
from airflow_zendesk.window import Window

#: The DAGs that come with this package, by what they export.
SHIPPED_DAGS = {
    "ticket_events": "zendesk_ticket_events",
    "ticket_metric_events": "zendesk_ticket_metric_events",
}


@dataclass(frozen=True, slots=True)
class Target:
    """A dataset as somebody names it in a command: the destination, with its connection, and that of the account."""

    destination: str
    settings: DatasetSettings
    zendesk_conn_id: str = "zendesk_default"

    def export(self, window: Window, *, allow_shrink: bool = False) -> str:
        """The command that exports the window into the dataset again."""
        settings = self.settings
        words = ["airflow-zendesk", "export", "--resource", settings.resource]
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
        return shlex.join([*words, "--allow-shrink"] if allow_shrink else words)

    def backfill(self, window: Window, dag_id: str) -> str:
        """The command that lets a DAG export the window again, be its intervals slices or days.

        Airflow counts both dates in: they are the starts of the first and of the last interval.
        """
        first = window.start.replace(hour=0, minute=0)
        last = window.end - timedelta(seconds=self.settings.grain.seconds)
        dates = ["--from-date", _date(first), "--to-date", _date(last)]
        words = ["airflow", "backfill", "create", "--dag-id", dag_id, *dates]
        # Otherwise Airflow passes over a date whose run has succeeded, whatever became of the slice since.
        return shlex.join([*words, "--reprocess-behavior", "completed", "--max-active-runs", "1"])


@dataclass(frozen=True, slots=True)
class Repair:
    """What makes a dataset whole: objects to move away by hand, then the commands.

    ``backfills`` and ``exports`` do the same, with and without a DAG; ``crawls`` let ids go that stand in two slices.
    """

    move_away: list[str]
    backfills: list[str]
    exports: list[str]
    crawls: list[str]


def repair(audit: Audit, target: Target, dag_id: str | None) -> Repair:
    """What is to be done about the findings of an audit; without a ``dag_id`` there are no backfills.

    Within one crawl an id that comes again is dropped, so a crawl over both slices leaves it in one of them.
    """
    spoilt = [(finding.problem, finding.affected) for finding in audit.findings if finding.affected]
    again = merge(window for problem, window in spoilt if problem != "doubled")
    doubled = merge(window for problem, window in spoilt if problem == "doubled")
    return Repair(
        move_away=list(dict.fromkeys(finding.uri for finding in audit.findings if finding.problem in BLOCKING)),
        backfills=[target.backfill(window, dag_id) for window in again] if dag_id else [],
        exports=[target.export(window) for window in again],
        crawls=[target.export(window, allow_shrink=True) for window in doubled],
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


def _date(start: datetime) -> str:
    return f"{start:%Y-%m-%d}" if start == start.replace(hour=0, minute=0) else f"{start:%Y-%m-%dT%H:%M:%SZ}"
