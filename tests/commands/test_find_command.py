"""Erase a person: find the slices that hold a ticket, and export them again without it."""

import json
import shlex
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from airflow_zendesk.cli import main
from tests.support.commands import printed
from tests.support.scripted_server import Reply, page, scripted_server

START = 1_767_225_600
THREE_DAYS = ["--start", "2026-01-01T00:00:00Z", "--end", "2026-01-04T00:00:00Z"]


def events(tickets: dict[int, int]) -> Reply:
    """Events with these ids and tickets, a day apart."""
    records = [
        {"id": id_, "ticket_id": ticket, "timestamp": START + 86_400 * (id_ - 1)} for id_, ticket in tickets.items()
    ]
    return Reply({"ticket_events": records, "count": len(records), "end_time": None, "end_of_stream": True})


def tickets_of(folder: Path) -> list[int]:
    """The tickets in all slices."""
    tables = [pq.ParquetFile(path).read(columns=["ticket_id"]) for path in folder.rglob("*.parquet")]
    return sorted(id_ for table in tables for id_ in table["ticket_id"].to_pylist())


def test_printed_commands_erase_the_ticket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each export reports how many rows it removed. Afterwards the ticket is not found, and other rows remain."""
    find = ["find", "--ticket-id", "7", "--destination", tmp_path.as_uri()]
    with scripted_server(events({1: 7, 2: 8, 3: 7}), events({})) as server:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())
        assert 0 == main(["export", *THREE_DAYS, "--destination", tmp_path.as_uri()])
        capsys.readouterr()
        assert 0 == main([*find, "--json"])
        commands = json.loads(printed(capsys))[0]["commands"]
        first, second = (shlex.split(command) for command in commands)
        assert ["--start", "2026-01-01T00:00:00Z", "--end", "2026-01-02T00:00:00Z"] == first[4:8]
        assert ["--start", "2026-01-03T00:00:00Z", "--end", "2026-01-04T00:00:00Z"] == second[4:8]
        for name, *arguments in (first, second):
            assert ("airflow-zendesk", 0) == (name, main(arguments))
            notes = " ".join(capsys.readouterr().err.split())
            assert "1 stored events were removed, because Zendesk no longer returns them" in notes
    assert 0 == main(find)
    assert "0 rows in 0 of 3 slices" in printed(capsys)
    assert [8] == tickets_of(tmp_path)


def test_export_without_allow_shrink_removes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused."""
    with scripted_server(events({1: 7, 2: 8}), events({2: 8})) as server:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())
        export = ["export", *THREE_DAYS, "--destination", tmp_path.as_uri()]
        assert [0, 1] == [main(export), main(export)]
    assert [7, 8] == tickets_of(tmp_path)


def test_command_prints_a_line_per_slice_and_ticket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Then the total, then the commands; adjacent slices are one command."""
    with scripted_server(events({1: 7, 2: 8, 3: 7})) as server:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())
        main(["export", *THREE_DAYS, "--destination", tmp_path.as_uri()])
    capsys.readouterr()
    two_days = ["--start", "2026-01-01T00:00:00Z", "--end", "2026-01-03T00:00:00Z"]
    assert 0 == main(["find", "--ticket-id", "7", "--ticket-id", "8", "--destination", tmp_path.as_uri(), *two_days])
    day = "{}/ticket_events/event_date=2026-01-0{}/2026010{}T000000Z--2026010{}T000000Z.parquet"
    window = "--start 2026-01-01T00:00:00Z --end 2026-01-03T00:00:00Z"
    assert [
        "slice                       ticket       rows  object",
        f"2026-01-01 00:00                 7          1  {day.format(tmp_path.as_uri(), 1, 1, 2)}",
        f"2026-01-02 00:00                 8          1  {day.format(tmp_path.as_uri(), 2, 2, 3)}",
        f"2 rows in 2 of 2 slices of {tmp_path.as_uri()}/ticket_events",
        "",
        "After the deletion in Zendesk, run these commands. Each removes every stored row of its slices that Zendesk",
        "no longer returns, and reports how many. To see that number first, leave out --allow-shrink: nothing is",
        "removed then.",
        f"  airflow-zendesk export --resource ticket_events {window} --destination {tmp_path.as_uri()} --allow-shrink",
    ] == printed(capsys).splitlines()


def test_a_user_is_searched_in_all_datasets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commands name the resource of each slice."""
    groups = {"groups": [{"id": 5, "name": "Group"}], "meta": {"has_more": False}}
    with scripted_server(events({1: 7, 2: 8}), Reply(groups)) as server:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())
        assert 0 == main(["export", *THREE_DAYS, "--destination", tmp_path.as_uri()])
        assert 0 == main(["export", "--resource", "groups", "--destination", tmp_path.as_uri()])
    capsys.readouterr()
    assert 0 == main(["find", "--user-id", "8", "--destination", tmp_path.as_uri(), "--json"])
    found = json.loads(printed(capsys))
    assert [("ticket_events", 1), ("groups", 0)] == [
        (each["destination"].rpartition("/")[2], len(each["commands"])) for each in found
    ]
    assert 1 == main(["find", "--user-id", "8", "--destination", (tmp_path / "other").as_uri()])
    assert "There is no dataset at" in capsys.readouterr().err


def test_a_user_is_found_by_the_hash_of_the_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The output has the id and not its hash; without the key of the dataset the search is refused."""
    users = {"users": [{"id": 42, "updated_at": "2026-01-01T00:00:00Z"}], "after_cursor": None, "end_of_stream": True}
    day = ["--start", "2026-01-01T00:00:00Z", "--end", "2026-01-02T00:00:00Z"]
    export = ["export", "--resource", "users", *day, "--destination", tmp_path.as_uri(), "--hash-field", "id"]
    find = ["find", "--user-id", "42", "--destination", tmp_path.as_uri()]
    with scripted_server(Reply(users)) as server:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection(hash_key="k" * 32))
        assert 0 == main(export)
        capsys.readouterr()
        assert 0 == main(find)
        _, line, total, *_ = printed(capsys).splitlines()
        assert ["2026-01-01", "00:00", "42", "1"] == line.split()[:4]
        assert total.startswith("1 row in 1 of 1 slice of")
        for other_key in ({}, {"hash_key": "o" * 32}):
            monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection(**other_key))
            assert 1 == main(find)
            assert "their key is not the hash_key of the connection zendesk_default" in capsys.readouterr().err


@pytest.mark.parametrize("bound", ["--start", "--end"])
def test_one_bound_alone_is_an_error(tmp_path: Path, bound: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the options, and nothing about runs of a DAG."""
    find = ["find", "--ticket-id", "7", "--destination", tmp_path.as_uri()]
    assert 1 == main([*find, bound, "2026-01-01T00:00:00Z"])
    assert (
        "airflow-zendesk: Only one of --start and --end is given. Give both, or neither to search the whole dataset.\n"
    ) == capsys.readouterr().err


def test_incomplete_search_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Objects that could not be searched are listed."""
    with scripted_server(page(end_time=None)) as server:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())
        main(["export", *THREE_DAYS, "--destination", tmp_path.as_uri()])
    (tmp_path / "ticket_events" / "copy.parquet").write_bytes(b"of somebody")
    assert 1 == main(["find", "--ticket-id", "7", "--destination", tmp_path.as_uri()])
    errors = capsys.readouterr().err
    assert f"not searched: {tmp_path.as_uri()}/ticket_events/copy.parquet: it is not a slice" in errors
