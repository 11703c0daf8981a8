"""How each warehouse writes the tables down: types, quotes, and what surrounds a table. Text only, no connection.

What a warehouse needs, and where its manual says so, stands in docs/warehouses.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from string import Template

from airflow_zendesk.warehouse.tables import Kind, Table, TableColumn


@dataclass(frozen=True, slots=True)
class Dialect:
    """One warehouse's words.

    Args:
        types: the type of each kind of column, in the order integer, timestamp, text, json, boolean.
        quote: what surrounds the name of a column, for some are words of SQL.
        table: the statement that makes a table; ``$name``, ``$columns`` and ``$location`` are filled in.
        has_keys: whether tables get the keys and indexes that a load looks rows up by.
        reads_in_place: whether the slices are queried where they lie, without a load.
    """

    types: tuple[str, str, str, str, str]
    quote: str = '"'
    table: str = "CREATE TABLE $name (\n$columns\n);"
    has_keys: bool = False
    reads_in_place: bool = False

    def column(self, column: TableColumn) -> str:
        """A column with its type."""
        # A table that reads files in place has no say in what they hold.
        is_null = "" if column.nullable or self.reads_in_place else " NOT NULL"
        return f"{self.name(column.name)} {self.type(column.kind)}{is_null}"

    def name(self, name: str) -> str:
        """The name of a column, quoted."""
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
    "duckdb": Dialect(("BIGINT", "TIMESTAMPTZ", "VARCHAR", "JSON", "BOOLEAN")),
    "postgres": Dialect(("bigint", "timestamptz", "text", "jsonb", "boolean"), has_keys=True),
    "bigquery": Dialect(
        ("INT64", "TIMESTAMP", "STRING", "JSON", "BOOL"),
        quote="`",
        table="CREATE TABLE $name (\n$columns\n)\nPARTITION BY DATE(slice_start);",
    ),
    # None of our names is reserved there, and a quoted name would have to be quoted for ever.
    "snowflake": Dialect(("NUMBER(19, 0)", "TIMESTAMP_TZ", "VARCHAR", "VARIANT", "BOOLEAN"), quote=""),
    "redshift": Dialect(
        ("BIGINT", "TIMESTAMPTZ", "VARCHAR(65535)", "SUPER", "BOOLEAN"),
        table="CREATE TABLE $name (\n$columns\n)\nSORTKEY (slice_start);",
    ),
    "athena": Dialect(
        ("bigint", "timestamp", "string", "string", "boolean"), quote="`", table=_EXTERNAL_ATHENA, reads_in_place=True
    ),
    "trino": Dialect(
        ("bigint", "timestamp(3)", "varchar", "varchar", "boolean"), table=_EXTERNAL_TRINO, reads_in_place=True
    ),
    "databricks": Dialect(
        ("BIGINT", "TIMESTAMP", "STRING", "STRING", "BOOLEAN"),
        quote="`",
        table="CREATE TABLE $name (\n$columns\n)\nUSING DELTA;",
    ),
}


def create_table(table: Table, dialect: str, name: str, location: str = "") -> str:
    """The statement that makes a table.

    Args:
        table: its columns.
        dialect: of which warehouse; a key of ``DIALECTS``.
        name: what it is called there.
        location: where the slices lie, for those that read them in place.
    """
    words = DIALECTS[dialect]
    lines = [f"  {words.column(column)}" for column in table.columns]
    if words.has_keys:
        lines.append(f"  PRIMARY KEY ({', '.join(table.key)})")
    return Template(words.table).substitute(name=name, columns=",\n".join(lines), location=location)


def create_index(table: Table, dialect: str, name: str) -> list[str]:
    """The statement that makes the index that a load needs, if it needs one."""
    if table.indexed is None or not DIALECTS[dialect].has_keys:
        return []
    return [f"CREATE INDEX ON {name} ({table.indexed});"]
