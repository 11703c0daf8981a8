"""Views of the loaded tables with the names and columns of another connector, in a schema of their own."""

import re
from collections.abc import Callable, Mapping

from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.warehouse import fivetran
from airflow_zendesk.warehouse.database import Database
from airflow_zendesk.warehouse.dialects import DIALECTS
from airflow_zendesk.warehouse.shape_view import JsonSyntax, ShapeView

#: How the dialects that have the views read JSON.
_JSON: Mapping[str, JsonSyntax] = {
    "duckdb": JsonSyntax(
        texts="unnest(CASE WHEN json_type({0}) = 'ARRAY' THEN json_extract_string({0}, '$[*]') END)",
        objects="unnest(CASE WHEN json_type({0}) = 'ARRAY' THEN json_extract({0}, '$[*]') END)",
        integer="TRY_CAST({0} AS BIGINT)",
    ),
    "postgres": JsonSyntax(
        texts="jsonb_array_elements_text(CASE WHEN jsonb_typeof({0}) = 'array' THEN {0} END)",
        objects="jsonb_array_elements(CASE WHEN jsonb_typeof({0}) = 'array' THEN {0} END)",
        integer="CASE WHEN {0} ~ '^-?[0-9]{{1,18}}$' THEN CAST({0} AS bigint) END",
    ),
}
#: A loaded table or view in the source of a view.
_LOADED_TABLE = re.compile(r"\$schema\.(\w+)")
#: The shapes by name.
SHAPES = {"fivetran": fivetran.views}


def shape_statements(shape: str, dialect: str, target: str, table_in_view: Callable[[str], str]) -> list[str]:
    """Return the statements that create or replace the views of a shape.

    Args:
        shape: a key of ``SHAPES``.
        dialect: ``duckdb`` or ``postgres``.
        target: the schema of the views, as SQL names it.
        table_in_view: returns the name of a loaded table as the views use it.

    Raises:
        SettingsError: there is no such shape, or not for this dialect.
    """
    if shape not in SHAPES:
        raise SettingsError(f"There is no shape {shape!r}. Use one of: {', '.join(SHAPES)}.")
    if dialect not in _JSON:
        raise SettingsError(f"The shape {shape} is not available for {dialect}. Use {' or '.join(_JSON)}.")
    views = [_create(view, dialect, target) for view in SHAPES[shape](_JSON[dialect])]
    named = [_LOADED_TABLE.sub(lambda table: table_in_view(table[1]), view) for view in views]
    return [f"CREATE SCHEMA IF NOT EXISTS {target}", *named]


def create_shape(database: Database, shape: str) -> None:
    """Create or replace the views of a shape, in the schema ``<schema>_<shape>`` of an open warehouse."""
    target = database.qualify(f"{database.schema}_{shape}")
    with database.transaction():
        database.lock()
        for statement in shape_statements(shape, database.dialect_name, target, database.table_in_view):
            database.query(statement, {})


def _create(view: ShapeView, dialect: str, target: str) -> str:
    syntax = DIALECTS[dialect]
    columns = ",\n".join(
        f"  CAST({column.expression} AS {syntax.type(column.kind)}) AS {syntax.name(column.name)}"
        for column in view.columns
    )
    return f"CREATE OR REPLACE VIEW {target}.{syntax.name(view.name)} AS\nSELECT\n{columns}\n{view.source}"
