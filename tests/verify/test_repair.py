"""The commands that make a dataset complete."""

import os
from datetime import timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_zendesk.cli import _parser
from airflow_zendesk.verify.findings import Finding, Problem, VerificationReport
from airflow_zendesk.verify.repair import Repair, Target, merge, repair, shell_line
from airflow_zendesk.window import Grain, Window
from tests.support.commands import read_by_bash
from tests.support.slices import SETTINGS

DESTINATION = "s3://aws@my bucket/zendesk"
EXPORT = f"airflow-zendesk export --resource ticket_events --start {{}} --end {{}} --destination '{DESTINATION}'"


def days(first: int, last: int) -> Window:
    """Days of January, both included."""
    return Window.of(f"2026-01-{first:02}T00:00:00Z", f"2026-01-{last + 1:02}T00:00:00Z")


def target(**changes: Any) -> Target:
    """A dataset with other settings."""
    return Target(DESTINATION, msgspec.structs.replace(SETTINGS, **changes))


def report_of(*findings: tuple[Problem, str, Window | None]) -> VerificationReport:
    """A report with these findings."""
    return VerificationReport(
        settings=SETTINGS,
        uri="s3://bucket",
        window=days(1, 30),
        slices=[],
        findings=[Finding(what, uri, "", when) for what, uri, when in findings],
    )


def test_export_command_has_the_settings_of_the_dataset() -> None:
    """Sideloads, scope, privacy and the account's connection are options of the command, unless they are defaults."""
    window = days(3, 4)
    expected = EXPORT.format("2026-01-03T00:00:00Z", "2026-01-05T00:00:00Z")
    assert expected == target().export(window)
    assert f"{expected} --allow-shrink" == target().export(window, allow_shrink=True)
    other = Target(
        DESTINATION, msgspec.structs.replace(SETTINGS, include=("comment_events",), support_type_scope="agent"), "acme"
    )
    options = "--include comment_events --support-type-scope agent --zendesk-conn-id acme"
    assert f"{expected} {options}" == other.export(window)
    private = target(
        include=("comment_events",), private_comments=True, drop_fields=("system",), hash_fields=("updater_id", "via")
    )
    options = "--include comment_events --private-comments --drop-field system --hash-field updater_id --hash-field via"
    assert f"{expected} {options}" == private.export(window)
    metrics = target(resource="ticket_metric_events", support_type_scope=None)
    assert expected.replace("ticket_events", "ticket_metric_events") == metrics.export(window)


@pytest.mark.parametrize(
    ("grain", "start", "end", "dates"),
    [
        ("1d", "2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z", "--from-date 2026-01-03 --to-date 2026-01-03"),
        ("1d", "2026-01-30T00:00:00Z", "2026-02-02T00:00:00Z", "--from-date 2026-01-30 --to-date 2026-02-01"),
        ("1h", "2026-01-03T05:00:00Z", "2026-01-03T06:00:00Z", "--from-date 2026-01-03 --to-date 2026-01-03T05:00:00Z"),
        ("1h", "2026-01-03T23:00:00Z", "2026-01-04T01:00:00Z", "--from-date 2026-01-03 --to-date 2026-01-04"),
    ],
)
def test_backfill_includes_both_dates(grain: str, start: str, end: str, dates: str) -> None:
    """They are the starts of intervals, whether days or slices. Runs that have succeeded are repeated."""
    assert (
        f"airflow backfill create --dag-id my_dag {dates} --reprocess-behavior completed --max-active-runs 1"
        == target(grain=Grain.of(grain)).backfill(Window.of(start, end), "my_dag")
    )


def test_adjacent_windows_are_one_command() -> None:
    """Whatever their problems are. Each object that blocks an export is listed once."""
    report = report_of(
        ("missing", "s3://bucket/1", days(1, 1)),
        ("uncertified", "s3://bucket/2", days(2, 2)),
        ("out_of_range", "s3://bucket/2", days(2, 2)),
        ("stale", "s3://bucket/9", days(9, 9)),
        ("unexpected", "s3://bucket/x", None),
        ("overlapping", "s3://bucket/y", None),
    )
    assert Repair(
        move_away=["s3://bucket/2", "s3://bucket/x", "s3://bucket/y"],
        backfills=[target().backfill(days(1, 2), "my_dag"), target().backfill(days(9, 9), "my_dag")],
        exports=[target().export(days(1, 2)), target().export(days(9, 9))],
        one_pass_exports=[],
    ) == repair(report, target(), "my_dag")


def test_slices_that_share_ids_are_exported_in_one_pass() -> None:
    """The command does not have --allow-shrink, so as printed it removes nothing. A DAG cannot do it: no backfill."""
    report = report_of(("duplicate", "s3://bucket/5", days(2, 5)), ("duplicate", "s3://bucket/6", days(4, 6)))
    assert Repair([], [], [], [target().export(days(2, 6))]) == repair(report, target(), "my_dag")


def test_backfills_need_a_dag_that_the_user_named() -> None:
    """A dataset does not know which DAG exports to it, so by default only the export command is printed."""
    advice = repair(report_of(("missing", "s3://bucket/1", days(1, 1))), target())
    assert ([], [target().export(days(1, 1))]) == (advice.backfills, advice.exports)


#: Any text that can be an argument of a process, including names that are not UTF-8.
WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])) | st.binary(max_size=8).map(
    lambda name: os.fsdecode(name.replace(b"\0", b""))
)


@settings(max_examples=50)
@given(st.lists(WORDS, min_size=1, max_size=4))
def test_shell_reads_the_same_words_from_a_printed_line(words: list[str]) -> None:
    """Law: for any characters. The line has no control character, so it is one line and hides nothing."""
    line = shell_line(words)
    assert line.isprintable()
    assert words == read_by_bash(line)


@settings(max_examples=50)
@given(
    WORDS, WORDS.filter(lambda text: not text.startswith("-")),
    st.lists(st.sampled_from(["via", "system.location", "updater_id"])),
)  # fmt: skip
def test_command_reads_its_own_settings_from_a_printed_line(place: str, conn_id: str, fields: list[str]) -> None:
    """Law: for destinations with blanks, quotes and connection ids."""
    record = msgspec.structs.replace(SETTINGS, drop_fields=tuple(fields))
    line = Target(f"s3://conn@{place}", record, conn_id).export(days(1, 2))
    read = _parser().parse_args(read_by_bash(line)[1:])
    assert (f"s3://conn@{place}", conn_id, fields, False) == (
        read.destination, read.zendesk_conn_id, read.drop_field, read.allow_shrink,
    )  # fmt: skip


@given(st.lists(st.tuples(st.integers(1, 25), st.integers(0, 5)), max_size=8))
def test_merged_windows_cover_the_same_days(slices_: list[tuple[int, int]]) -> None:
    """Law: exactly the same days, and no two windows touch."""
    merged = merge(days(first, first + more) for first, more in slices_)
    covered = {day for first, more in slices_ for day in range(first, first + more + 1)}
    assert covered == {
        day for window in merged for day in range(window.start.day, (window.end - timedelta(days=1)).day + 1)
    }
    assert all(one.end < other.start for one, other in pairwise(merged))
