"""What a dataset does not keep is nowhere in it, and stays out of it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from airflow_zendesk.cli import main
from airflow_zendesk.dataset.settings import read_settings
from airflow_zendesk.destination import open_destination
from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from airflow_zendesk.exceptions import DatasetMismatchError, SettingsError
from airflow_zendesk.export.report import ExportReport
from airflow_zendesk.export.run import export_window
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.operators.incremental_export import ZendeskIncrementalExportOperator
from airflow_zendesk.verify.source_check import verify_window
from airflow_zendesk.window import Window
from airflow_zendesk.zendesk.resources import Query
from tests.support.commands import ROOT

DAY = Window.of("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
KEY, OTHER_KEY = "an invented key of 32 characters", "another invented key, longer still"
PRIVATE = {
    "drop_fields": ["system.location", "child_events.body"],
    "hash_fields": ["updater_id", "child_events.author_id"],
}


@pytest.fixture
def desk() -> Iterator[ZendeskEmulator]:
    """A small support desk, for a day of it is exported several times."""
    with ZendeskEmulator(Simulator(events_per_day=400)) as emulator:
        yield emulator


def connect(monkeypatch: pytest.MonkeyPatch, desk: ZendeskEmulator, key: str | None) -> None:
    """Make the connection, with or without a key."""
    connection = desk.connection() | {"extra": json.dumps({"hash_key": key})}
    monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", json.dumps(connection))


def export(folder: Path, *include: str, **privacy: Any) -> ExportReport:
    """Export the day."""
    return export_window(ZendeskHook(), folder.as_uri(), Query.of("ticket_events", include, **privacy), DAY)


def rows(folder: Path) -> list[dict[str, Any]]:
    """All rows, with their children taken apart."""
    (path,) = folder.rglob("*.parquet")
    table = pq.ParquetFile(path).read().to_pylist()
    return [
        row | {"child_events": json.loads(row["child_events"]), "system": json.loads(row["system"])} for row in table
    ]


def test_private_comments_come_on_request_only(
    tmp_path: Path, desk: ZendeskEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the option, private comments are stored without their texts, and the report counts them."""
    connect(monkeypatch, desk, None)
    public = export(tmp_path / "public", "comment_events")
    whole = export(tmp_path / "whole", "comment_events", private_comments=True)
    bodies = {
        name: [
            (child["public"], "body" in child)
            for row in rows(tmp_path / name)
            for child in row["child_events"]
            if "public" in child
        ]
        for name in ("public", "whole")
    }
    assert {(True, True), (False, False)} == set(bodies["public"])
    assert {(True, True), (False, True)} == set(bodies["whole"])
    assert (bodies["public"].count((False, False)), 0) == (
        public.redacted_comments.total(),
        whole.redacted_comments.total(),
    )
    assert f"{public.redacted_comments.total():,} private comments are stored without their texts" in " ".join(
        public.warnings()
    )


def test_dropped_and_hashed_fields_are_nowhere(
    tmp_path: Path, desk: ZendeskEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In typed columns the hashes are typed; ids of people still join; a rerun writes nothing."""
    connect(monkeypatch, desk, KEY)
    export(tmp_path / "plain", "comment_events")
    export(tmp_path / "private", "comment_events", **PRIVATE)
    plain, private = rows(tmp_path / "plain"), rows(tmp_path / "private")
    assert [row["id"] for row in plain] == [row["id"] for row in private]
    assert any("location" in row["system"] for row in plain)
    assert not any("location" in row["system"] for row in private)
    assert not any("body" in child for row in private for child in row["child_events"])
    updaters = {row["updater_id"]: other["updater_id"] for row, other in zip(plain, private, strict=True)}
    assert len(updaters) == len(set(updaters.values()))
    assert set(updaters).isdisjoint(updaters.values())
    authors = {child["author_id"] for row in private for child in row["child_events"] if "author_id" in child}
    assert authors <= set(updaters.values()), "who wrote a comment also made the update"
    assert ["unchanged"] == [
        slice_.outcome for slice_ in export(tmp_path / "private", "comment_events", **PRIVATE).slices
    ]


def test_dataset_is_never_half_private(tmp_path: Path, desk: ZendeskEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its record remembers what is not kept, and by which key: other settings, another key and none are refused."""
    connect(monkeypatch, desk, KEY)
    export(tmp_path, **PRIVATE)
    record = read_settings(open_destination(tmp_path.as_uri()), "ticket_events")
    assert record is not None
    assert tuple(PRIVATE["hash_fields"][::-1]) == record.hash_fields
    assert KEY not in "".join(path.read_text() for path in (tmp_path / "_datasets").iterdir())
    with pytest.raises(DatasetMismatchError, match=r"drop_fields is .*; hash_fields is .*; hash_key_id is '\w{16}'"):
        export(tmp_path)
    connect(monkeypatch, desk, OTHER_KEY)
    with pytest.raises(DatasetMismatchError, match="hash_key_id is"):
        export(tmp_path, **PRIVATE)
    with pytest.raises(DatasetMismatchError, match="hash_key_id is"):
        verify_window(tmp_path.as_uri(), "ticket_events", DAY, source="all")
    connect(monkeypatch, desk, None)
    with pytest.raises(SettingsError, match="hash_fields need a key"):
        export(tmp_path, **PRIVATE)


def test_private_dataset_is_held_against_the_source(
    tmp_path: Path, desk: ZendeskEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Zendesk answers is made private first, and is the same."""
    connect(monkeypatch, desk, KEY)
    export(tmp_path, "comment_events", **PRIVATE)
    found = verify_window(tmp_path.as_uri(), "ticket_events", DAY, source="all")
    assert (True, 1) == (found.complete, found.compared)


def test_command_takes_the_same_words(tmp_path: Path, desk: ZendeskEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """It makes the dataset that the operator would make."""
    connect(monkeypatch, desk, KEY)
    options = ["--include", "comment_events", "--private-comments", "--drop-field", "system"]
    options += ["--hash-field", "updater_id"]
    window = ["--start", "2026-01-01T00:00:00Z", "--end", "2026-01-02T00:00:00Z"]
    assert 0 == main(["export", *window, "--destination", tmp_path.as_uri(), *options])
    again = export(tmp_path, "comment_events", private_comments=True, drop_fields="system", hash_fields="updater_id")
    assert ["unchanged"] == [slice_.outcome for slice_ in again.slices]


def test_page_shows_what_can_be_asked() -> None:
    """The operator of docs/privacy.md, and the fields that it names."""
    (code,) = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "privacy.md").read_text(), re.DOTALL | re.MULTILINE)
    task = eval(code, {"ZendeskIncrementalExportOperator": ZendeskIncrementalExportOperator})
    query = Query.of("ticket_events", task.include, drop_fields=task.drop_fields, hash_fields=task.hash_fields)
    assert (4, 3) == (len(query.privacy.drop_fields), len(query.privacy.hash_fields))
