"""An older package refuses what a newer one wrote, with an error that says what to do, and writes nothing."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airflow_zendesk.cli import main
from airflow_zendesk.dataset.slice_file import FOOTER_KEY
from airflow_zendesk.destination import open_destination
from airflow_zendesk.emulator import ZendeskEmulator
from airflow_zendesk.verify.footers import FooterCache
from tests.dataset.test_old_dataset import files

DAY = ["--start", "2026-01-01", "--end", "2026-01-02"]
COMMANDS = {"export": DAY, "verify": DAY, "find": ["--ticket-id", "7"]}


def add_column(folder: Path) -> None:
    """Give the slice a column, a key in the footer and the version 1.1, as a newer package would."""
    (path,) = folder.rglob("*.parquet")
    with pq.ParquetFile(path) as file:
        table, footer = file.read(), msgspec.json.decode(file.metadata.metadata[FOOTER_KEY])
    newer = table.append_column("new", pa.nulls(table.num_rows, pa.string()))
    entry = {FOOTER_KEY: msgspec.json.encode(footer | {"schema_version": "1.1", "new": True})}
    pq.write_table(newer.replace_schema_metadata(entry), path)


def change_major_version(folder: Path) -> None:
    """Give the settings the version 2, and a grain in a form that this package does not know."""
    path = folder / "_datasets" / "ticket_events.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_major_version": 2, "grain": {"days": 1}}))


@pytest.fixture
def folder(tmp_path: Path, emulator: ZendeskEmulator) -> Path:
    """One exported day."""
    assert emulator.port
    assert 0 == main(["export", *DAY, "--destination", tmp_path.as_uri()])
    return tmp_path


def test_coverage_shows_a_newer_slice_as_unreadable(folder: Path) -> None:
    """With the advice; the other slices of the page are shown as before."""
    add_column(folder)
    store = open_destination(folder.as_uri())
    (read,) = FooterCache().read(store, store.walk("ticket_events")).values()
    assert read.footer is None
    assert "has schema version 1.1, but this version of airflow-zendesk supports 1.0. Upgrade" in read.damage


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("change", "version"), [(add_column, "1.1"), (change_major_version, "2")])
def test_newer_format_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Path], None], version: str, command: str
) -> None:
    """By every command, whether the dataset or only a slice is newer."""
    change(folder)
    before = files(folder)
    assert 1 == main([command, *COMMANDS[command], "--destination", folder.as_uri()])
    error = capsys.readouterr().err
    assert f"has schema version {version}, but this version of airflow-zendesk supports 1.0. Upgrade" in error
    assert before == files(folder)


@pytest.mark.parametrize("resource", ["tickets", "users", "organizations", "groups"])
def test_newer_slice_of_objects_is_refused(
    tmp_path: Path, emulator: ZendeskEmulator, capsys: pytest.CaptureFixture[str], resource: str
) -> None:
    """An export of objects that change reads the rows of the stored slice, to keep those that have moved on."""
    assert emulator.port
    window = [] if resource == "groups" else DAY
    export = ["export", "--resource", resource, *window, "--destination", tmp_path.as_uri()]
    assert 0 == main(export)
    add_column(tmp_path)
    before = files(tmp_path)
    assert 1 == main(export)
    assert "has schema version 1.1, but this version of airflow-zendesk supports 1.0" in capsys.readouterr().err
    assert before == files(tmp_path)


def test_foreign_parquet_in_the_place_of_a_slice_of_objects_is_refused(
    tmp_path: Path, emulator: ZendeskEmulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its rows are not read, because they may have any columns."""
    assert emulator.port
    export = ["export", "--resource", "tickets", *DAY, "--destination", tmp_path.as_uri()]
    assert 0 == main(export)
    (path,) = tmp_path.rglob("*.parquet")
    pq.write_table(pa.table({"other": [1]}), path)
    assert 1 == main(export)
    assert "is damaged: it has no footer of airflow-zendesk" in capsys.readouterr().err
