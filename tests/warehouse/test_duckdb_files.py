"""DuckDB files: any name works, and a file that cannot be used is a named error."""

from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_zendesk.exceptions import SettingsError, WarehouseRefusedError
from airflow_zendesk.storage.store import Store
from airflow_zendesk.warehouse.loading import load_slices, open_warehouse
from tests.support.published import metric_event, put
from tests.support.slices import DAY, event

#: The views, each with a query that has one row.
VIEWS = ("ticket_field_history", "ticket_comments", "sla_targets", "sla_breaches")
CHILDREN = [{"event_type": "Change", "status": "open"}, {"event_type": "Comment"}]


@pytest.fixture
def exported(store: Store) -> Store:
    """A dataset of both resources, with one row for each view."""
    put(store, [event(1, child_events=CHILDREN)])
    put(
        store,
        [metric_event(1, "apply_sla", sla={"target": 5}), metric_event(2, "breach")],
        resource="ticket_metric_events",
    )
    return store


def check_file(path: Path, schema: str, store: Store) -> None:
    """Load into the file twice, and query its views as a user does who opens the file."""
    for outcome in ("loaded", "unchanged"):
        for resource in ("ticket_events", "ticket_metric_events"):
            database = open_warehouse(f"duckdb://{path}", schema)
            (slice_,) = load_slices(database, store, resource, [DAY], shape="fivetran").slices
            assert outcome == slice_.outcome
    with duckdb.connect(path) as connection:
        ((catalog,),) = connection.execute("SELECT current_database()").fetchall()
        catalog = catalog.replace('"', '""')
        for view in VIEWS:
            assert [(1,)] == connection.execute(f'SELECT count(*) FROM "{catalog}"."{schema}".{view}').fetchall()
            if schema not in (catalog.lower(), "system"):
                assert [(1,)] == connection.execute(f'SELECT count(*) FROM "{schema}".{view}').fetchall()
        comments = f'"{catalog}"."{schema}_fivetran".ticket_comment'
        assert [(1,)] == connection.execute(f"SELECT count(*) FROM {comments}").fetchall()
        (stored,) = connection.execute(
            "SELECT count(*) FROM duckdb_views() WHERE NOT internal AND schema_name = ?", [schema]
        ).fetchall()
    with duckdb.connect() as connection:
        connection.execute("ATTACH '{}' AS other".format(str(path).replace("'", "''")))
        for view in VIEWS:
            assert [(1,)] == connection.execute(f'SELECT count(*) FROM other."{schema}".{view}').fetchall()
        if schema not in (catalog.lower(), "system", "temp", "memory"):
            comments = f'other."{schema}_fivetran".ticket_comment'
            assert [(1,)] == connection.execute(f"SELECT count(*) FROM {comments}").fetchall()
    assert (5,) == stored


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("zendesk.duckdb", "zendesk"),
        ("ZENDESK.duckdb", "zendesk"),
        ("zendesk", "zendesk"),
        ("ticket_events.duckdb", "zendesk"),
        ("new_rows.db", "zendesk"),
        ("e.duckdb", "zendesk"),
        ("select.duckdb", "select"),
        ("main.duckdb", "main"),
        ("information_schema.duckdb", "zendesk"),
        ("pg_catalog.duckdb", "zendesk"),
        ("system.duckdb", "system"),
        ("temp.duckdb", "order"),
        ("warehouse.duckdb", "memory"),
        ("a b.c'd\"e;f:name $schema %s.duckdb", "zendesk"),
    ],
)
def test_file_of_any_name_is_loaded(name: str, schema: str, exported: Store, tmp_path: Path) -> None:
    """It may be named like a schema, a table or a keyword, and have blanks, dots and quotes."""
    check_file(tmp_path / name, schema, exported)


def test_file_of_any_characters_is_loaded(exported: Store, tmp_path: Path) -> None:
    """Every printable character but slashes."""

    @settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.text(st.characters(codec="utf-8", exclude_characters="/\\\0", exclude_categories=["C"]), max_size=20))
    def check(name: str) -> None:
        path = tmp_path / f"{name}.duckdb"
        check_file(path, "zendesk", exported)
        path.unlink()

    check()


def test_file_with_a_backslash_is_rejected() -> None:
    """DuckDB would create another file, or look for a folder of that name."""
    with pytest.raises(SettingsError, match=r"has a backslash, which DuckDB reads as a slash. Use a path without one"):
        open_warehouse("duckdb:///data/a\\b.duckdb", "zendesk")


def test_database_in_memory_is_rejected() -> None:
    """It would be lost at the end of the task."""
    for warehouse in ("duckdb:///:memory:", "duckdb://:memory:"):
        with pytest.raises(SettingsError, match=r"would be lost at the end of the task. Use a file"):
            open_warehouse(warehouse, "zendesk")


def test_file_that_is_not_a_database_is_reported(tmp_path: Path) -> None:
    """The error has the sentence of DuckDB, and the file is not changed."""
    path = tmp_path / "notes.duckdb"
    path.write_text("not a database, but long enough to have a header of one" * 100)
    with (
        pytest.raises(WarehouseRefusedError, match="exists, but it is not a valid DuckDB database file"),
        open_warehouse(f"duckdb://{path}", "zendesk"),
    ):
        pass
    assert path.read_text().startswith("not a database")


def test_error_about_a_name_has_the_sentence_of_the_database(warehouse: str, schema: str) -> None:
    """Names and syntax are in our statements, so the sentence quotes no row."""
    reasons: dict[str, Any] = {}
    for statement in ("SELECT nothing FROM $schema.missing", "SELEKT 1"):
        with (
            pytest.raises(WarehouseRefusedError) as caught,
            open_warehouse(warehouse, schema) as opened,
            opened.transaction(),
        ):
            opened.execute(statement)
        reasons[statement] = caught.value.reason
        assert f"refused the load with {caught.value.code}: {caught.value.reason}; " in str(caught.value)
    assert "missing" in reasons["SELECT nothing FROM $schema.missing"]
    assert "SELEKT" in reasons["SELEKT 1"]


def test_folder_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    """As when the task has no rights there."""
    (tmp_path / "file").touch()
    with (
        pytest.raises(WarehouseRefusedError, match="its folder cannot be created"),
        open_warehouse(f"duckdb://{tmp_path}/file/zendesk.duckdb", "zendesk"),
    ):
        pass


def test_warehouse_that_is_no_text_is_rejected(tmp_path: Path) -> None:
    """Its type is named."""
    with pytest.raises(SettingsError, match="The warehouse is of the type PosixPath"):
        open_warehouse(tmp_path / "zendesk.duckdb", "zendesk")  # type: ignore[arg-type]  # as a DAG may pass it
