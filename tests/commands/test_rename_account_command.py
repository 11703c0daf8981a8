"""Zendesk renamed an account: one command continues its datasets, and no slice is exported again."""

import json
from pathlib import Path

import duckdb
import pytest
from fsspec.implementations.local import LocalFileSystem

from airflow_zendesk.cli import main
from airflow_zendesk.dataset.settings import ensure_settings, load_settings, rename_account
from airflow_zendesk.destination import open_destination
from airflow_zendesk.emulator import ZendeskEmulator
from airflow_zendesk.exceptions import SliceChangedError
from airflow_zendesk.storage.local import LocalStore
from airflow_zendesk.verify.source_check import verify_window
from airflow_zendesk.warehouse.loading import load_slices, open_warehouse
from airflow_zendesk.window import Grain, Window
from tests.support.commands import printed
from tests.support.slices import SETTINGS

TWO_DAYS = Window.of("2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z")
THREE_DAYS = Window.of("2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z")
SETTINGS_KEY = "_datasets/ticket_events.json"


@pytest.fixture
def folder(tmp_path: Path, emulator: ZendeskEmulator, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two days, exported from an account with the name 127.0.0.1; the connection `renamed` calls it localhost."""
    connection = json.dumps(emulator.connection())
    monkeypatch.setenv("AIRFLOW_CONN_RENAMED", connection.replace("127.0.0.1", "localhost"))
    assert 0 == export(tmp_path, TWO_DAYS)
    return tmp_path


def export(folder: Path, window: Window, *options: str) -> int:
    """Run the command that exports the window."""
    times = ["--start", window.start.isoformat(), "--end", window.end.isoformat()]
    return main(["export", *times, "--destination", folder.as_uri(), *options])


def rename(folder: Path, *options: str) -> int:
    """Run the command that renames the account."""
    return main(["rename-account", "--destination", folder.as_uri(), "--resource", "ticket_events", *options])


def contents(folder: Path) -> dict[Path, tuple[bytes, int]]:
    """All slices, with their bytes and the time when they were written."""
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.parquet")}


def test_dataset_continues_under_the_new_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Stored slices stay as they are and are complete, compared with Zendesk too; a new day is exported beside them."""
    before = contents(folder)
    assert 1 == export(folder, TWO_DAYS, "--zendesk-conn-id", "renamed")
    assert "for a renamed account: `airflow-zendesk rename-account`" in capsys.readouterr().err
    assert 0 == rename(folder, "--to", "localhost")
    assert f"{folder.as_uri()}/ticket_events is a dataset of localhost; former names: 127.0.0.1.\n" == printed(capsys)
    assert 0 == export(folder, TWO_DAYS, "--zendesk-conn-id", "renamed")
    assert before == contents(folder)
    assert 0 == export(folder, THREE_DAYS, "--zendesk-conn-id", "renamed", "--if-exists", "skip")
    assert before.items() < contents(folder).items()
    report = verify_window(folder.as_uri(), "ticket_events", THREE_DAYS, source="all", zendesk_conn_id="renamed")
    assert (True, 3) == (report.complete, report.compared)


def test_old_name_is_refused_after_the_renaming(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another company may use that subdomain now."""
    assert 0 == rename(folder, "--to", "localhost")
    capsys.readouterr()
    assert 1 == export(folder, TWO_DAYS)
    assert "account is 'localhost', requested '127.0.0.1'" in capsys.readouterr().err


def test_slices_of_a_third_account_are_mismatched(folder: Path) -> None:
    """Only former names of this dataset's account are accepted."""
    settings = folder / SETTINGS_KEY
    settings.write_text(settings.read_text().replace("127.0.0.1", "other.zendesk.com"))
    assert 0 == rename(folder, "--to", "newname")
    report = verify_window(folder.as_uri(), "ticket_events", TWO_DAYS)
    assert {"mismatched": 2} == report.problems()
    assert "its account is '127.0.0.1', but the dataset's is 'newname.zendesk.com'" in report.findings[0].reason


def test_warehouse_continues_under_the_new_name(folder: Path, tmp_path: Path, emulator: ZendeskEmulator) -> None:
    """Loaded slices are not loaded again, and slices of both names are in one table."""
    file = tmp_path / "warehouse.duckdb"
    days = Grain.of("1d").slices(THREE_DAYS)

    def load(days_: int) -> list[str]:
        report = load_slices(
            open_warehouse(f"duckdb://{file}", "zendesk"), open_destination(folder.as_uri()), "ticket_events",
            days[:days_],
        )  # fmt: skip
        return [each.outcome for each in report.slices]

    first = load(2)
    assert 0 == rename(folder, "--to", "localhost")
    assert 0 == export(folder, THREE_DAYS, "--zendesk-conn-id", "renamed", "--if-exists", "skip")
    assert [*first, "unchanged", "unchanged", "loaded"] == ["loaded", "loaded", *load(3)]
    with duckdb.connect(file, read_only=True) as connection:
        ids = [id_ for (id_,) in connection.sql("SELECT id FROM zendesk.ticket_events").fetchall()]
    assert sorted(emulator.expected_ids("ticket_events", THREE_DAYS.start, THREE_DAYS.end)) == sorted(ids)


def test_only_settings_of_a_renamed_dataset_have_former_names(tmp_path: Path) -> None:
    """Other settings keep their bytes; and settings that an earlier version wrote can be read."""
    store = open_destination(tmp_path.as_uri())
    ensure_settings(store, SETTINGS)
    path = tmp_path / SETTINGS_KEY
    original = path.read_text()
    assert "former_accounts" not in original
    assert SETTINGS == load_settings(store, "ticket_events")
    rename_account(store, "ticket_events", "b.zendesk.com")
    rename_account(store, "ticket_events", "c.zendesk.com")
    stored = json.loads(path.read_text())
    former = ["acme.zendesk.com", "b.zendesk.com"]
    assert json.loads(original) | {"account": "c.zendesk.com", "former_accounts": former} == stored
    rename_account(store, "ticket_events", "acme.zendesk.com")
    assert ["b.zendesk.com", "c.zendesk.com"] == json.loads(path.read_text())["former_accounts"]


@pytest.mark.parametrize("name", ["newname.zendesk.com", "newname", "https://NewName.zendesk.com/"])
def test_account_is_named_as_in_the_connection(folder: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By its subdomain or by its address. A second run changes nothing."""
    for _ in range(2):
        assert 0 == rename(folder, "--to", name, "--json")
        settings = json.loads(printed(capsys))
        assert ("newname.zendesk.com", ["127.0.0.1"]) == (settings["account"], settings["former_accounts"])


@pytest.mark.parametrize(
    "name", ["", "new name", "newname.example.com", "a@newname.zendesk.com", "newname.zendesk.com/x"]
)
def test_invalid_name_changes_nothing(folder: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped name would stop all exports of the dataset."""
    before = (folder / SETTINGS_KEY).read_bytes()
    assert 1 == rename(folder, "--to", name)
    assert f"--to {name!r} is not a Zendesk account" in capsys.readouterr().err
    assert before == (folder / SETTINGS_KEY).read_bytes()


def test_missing_dataset_is_not_created(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A typo in the destination must not make an empty dataset."""
    assert 1 == rename(tmp_path, "--to", "newname")
    assert "There is no dataset at " in capsys.readouterr().err
    assert [] == list(tmp_path.iterdir())


class ContestedStore(LocalStore):
    """Another process writes the settings while this one changes them."""

    def read(self, key: str) -> bytes | None:
        """The object as it was before the other process wrote it."""
        content = super().read(key)
        path = Path(self._path(key))
        if b"rival" not in path.read_bytes():
            path.write_text(path.read_text().replace("acme.zendesk.com", "rival.zendesk.com"))
        return content


def test_concurrent_change_of_the_settings_is_not_overwritten(tmp_path: Path) -> None:
    """The write is conditional on the version that was read."""
    ensure_settings(open_destination(tmp_path.as_uri()), SETTINGS)
    store = ContestedStore(LocalFileSystem(), str(tmp_path), tmp_path.as_uri())
    with pytest.raises(SliceChangedError):
        rename_account(store, "ticket_events", "newname.zendesk.com")
    assert "rival.zendesk.com" == load_settings(store, "ticket_events").account
