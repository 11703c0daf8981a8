"""The SQL dialects of warehouses: types, quotes and table options. Text only, no connection.

docs/warehouses.md lists what each warehouse needs, with links to its manual.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import Template

from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.warehouse.tables import Kind, Table, TableColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one warehouse spells a table.

    Args:
        types: the type of each kind of column, in the order integer, timestamp, text, json, boolean.
        quote: the quote around column names, because some of them are SQL keywords.
        table: the statement that creates a table; ``$name``, ``$columns`` and ``$location`` are filled in.
        has_keys: whether tables get the keys and indexes that a load uses.
        reads_in_place: whether the warehouse queries the slices in storage, without a load.
    """

    types: tuple[str, str, str, str, str]
    quote: str = '"'
    table: str = "CREATE TABLE $name (\n$columns\n);"
    has_keys: bool = False
    reads_in_place: bool = False

    def column(self, column: TableColumn) -> str:
        """The definition of a column."""
        # An external table cannot enforce NOT NULL.
        is_null = "" if column.nullable or self.reads_in_place else " NOT NULL"
        return f"{self.name(column.name)} {self.type(column.kind)}{is_null}"

    def name(self, name: str) -> str:
        """The quoted name of a column."""
        return f"{self.quote}{name}{self.quote}"

    def type(self, kind: Kind) -> str:
        """The type of a kind of column."""
        return dict(zip(("integer", "timestamp", "text", "json", "boolean"), self.types, strict=True))[kind]


_EXTERNAL_ATHENA = """\
CREATE EXTERNAL TABLE $name (
$columns
)
PARTITIONED BY (`event_date` string)
STORED AS PARQUET
LOCATION '$location/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.event_date.type' = 'date',
  'projection.event_date.format' = 'yyyy-MM-dd',
  'projection.event_date.range' = '2010-01-01,NOW',
  'storage.location.template' = '$location/event_date=$${event_date}/'
);"""
_EXTERNAL_TRINO = """\
CREATE TABLE $name (
$columns,
  "event_date" varchar WITH (
    partition_projection_type = 'date',
    partition_projection_format = 'yyyy-MM-dd',
    partition_projection_range = ARRAY['2010-01-01', 'NOW']
  )
)
WITH (
  format = 'PARQUET',
  external_location = '$location/',
  partitioned_by = ARRAY['event_date'],
  partition_projection_enabled = true
);"""

DIALECTS: Mapping[str, Dialect] = {
    "duckdb": Dialect(types=("BIGINT", "TIMESTAMPTZ", "VARCHAR", "JSON", "BOOLEAN")),
    "postgres": Dialect(types=("bigint", "timestamptz", "text", "jsonb", "boolean"), has_keys=True),
    "bigquery": Dialect(
        types=("INT64", "TIMESTAMP", "STRING", "JSON", "BOOL"),
        quote="`",
        table="CREATE TABLE $name (\n$columns\n)\nPARTITION BY DATE(slice_start);",
    ),
    # None of our names is reserved, and a table created with quoted names must be queried with quoted names.
    "snowflake": Dialect(types=("NUMBER(19, 0)", "TIMESTAMP_TZ", "VARCHAR", "VARIANT", "BOOLEAN"), quote=""),
    "redshift": Dialect(
        types=("BIGINT", "TIMESTAMPTZ", "VARCHAR(65535)", "SUPER", "BOOLEAN"),
        table="CREATE TABLE $name (\n$columns\n)\nSORTKEY (slice_start);",
    ),
    "athena": Dialect(
        types=("bigint", "timestamp", "string", "string", "boolean"),
        quote="`",
        table=_EXTERNAL_ATHENA,
        reads_in_place=True,
    ),
    "trino": Dialect(
        types=("bigint", "timestamp(3)", "varchar", "varchar", "boolean"), table=_EXTERNAL_TRINO, reads_in_place=True
    ),
    "databricks": Dialect(
        types=("BIGINT", "TIMESTAMP", "STRING", "STRING", "BOOLEAN"),
        quote="`",
        table="CREATE TABLE $name (\n$columns\n)\nUSING DELTA;",
    ),
}

_PLAIN_NAME = (r"[a-z_][a-z0-9_]{0,62}", "lower-case letters a to z, digits and underscores")
_QUALIFIED_NAME = (r"([A-Za-z_]\w*\.)*[A-Za-z_]\w*", "letters, digits and underscores, with dots between names")
_SCHEMA_NAMES = {
    "duckdb": _PLAIN_NAME,
    "postgres": _PLAIN_NAME,
    # Only the name of a project may have dashes.
    "bigquery": (r"([A-Za-z][\w-]*\.)?[A-Za-z_]\w*", "letters, digits and underscores"),
}


def check_schema_name(schema: str, dialect: str) -> None:
    """Check that the name of a schema needs no quotes in queries, unless it is a keyword.

    Raises:
        SettingsError: it needs quotes.
    """
    pattern, advice = _SCHEMA_NAMES.get(dialect, _QUALIFIED_NAME)
    if not re.fullmatch(pattern, schema, re.ASCII):
        raise SettingsError(f"The schema {schema!r} is not a plain name. Use {advice}.")


def create_table(table: Table, dialect: str, name: str, location: str = "") -> str:
    """Return the statement that creates a table.

    Args:
        table: the table's columns and key.
        dialect: the warehouse; a key of ``DIALECTS``.
        name: the qualified name of the table.
        location: the URL of the slices, for warehouses that read them in place.
    """
    syntax = DIALECTS[dialect]
    lines = [f"  {syntax.column(column)}" for column in table.columns]
    if syntax.has_keys and table.key:
        lines.append(f"  PRIMARY KEY ({', '.join(table.key)})")
    return Template(syntax.table).substitute(name=name, columns=",\n".join(lines), location=location)


def create_index(table: Table, dialect: str, name: str) -> list[str]:
    """Return the statement that creates the index a load needs; empty if it needs none."""
    if table.indexed is None or not DIALECTS[dialect].has_keys:
        return []
    return [f"CREATE INDEX ON {name} ({table.indexed});"]
