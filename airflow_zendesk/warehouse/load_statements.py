"""The load of one slice in the SQL of warehouses that have no loader here; ``docs/examples`` runs it from DAGs.

Each recipe replaces the rows of the slice in ``<resource>_slices``, in one transaction, so it can be repeated. The
columns are those of the export, so a recipe fits the tables that ``airflow-zendesk ddl`` defines.
"""

import json
from collections.abc import Callable
from datetime import datetime

from airflow_zendesk.warehouse.ddl import slices_table
from airflow_zendesk.warehouse.dialects import DIALECTS
from airflow_zendesk.warehouse.tables import TableColumn, exported_columns


def bigquery(resource: str, start: datetime, schema: str, staging: str) -> list[str]:
    """From a table that a load job has filled with the slice, and nothing else."""
    columns, values = _columns("bigquery", resource, lambda name: f"PARSE_JSON({name}, wide_number_mode => 'round')")
    table = f"{schema}.{slices_table(resource).name}"
    return [
        "BEGIN TRANSACTION;",
        f"DELETE FROM {table} WHERE slice_start = {_instant(start)};",
        f"INSERT INTO {table} ({columns}, slice_start)\nSELECT {values}, {_instant(start)}\nFROM {staging};",
        "COMMIT TRANSACTION;",
    ]


def snowflake(resource: str, start: datetime, schema: str, stage: str, file: str) -> list[str]:
    """From a file in a stage.

    ``FORCE`` because Snowflake remembers for 64 days which files it has loaded, while this load replaces rows; without
    ``USE_LOGICAL_TYPE`` timestamps would be read as numbers.
    """
    types = DIALECTS["snowflake"]
    columns = ", ".join(column.name for column in exported_columns(resource))
    values = ",\n    ".join(
        f"PARSE_JSON($1:{column.name}::VARCHAR)" if column.kind == "json"
        else f"$1:{column.name}::{types.type(column.kind)}"
        for column in exported_columns(resource)
    )  # fmt: skip
    table = f"{schema}.{slices_table(resource).name}"
    instant = f"'{start:%Y-%m-%d %H:%M:%S} +00:00'::TIMESTAMP_TZ"
    source = f"SELECT\n    {values},\n    {instant}\n  FROM @{stage}"
    options = "FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE)\nFORCE = TRUE"
    return [
        "ALTER SESSION SET TIMEZONE = 'UTC';",
        "BEGIN TRANSACTION;",
        f"DELETE FROM {table} WHERE slice_start = {instant};",
        f"COPY INTO {table} ({columns}, slice_start)\nFROM (\n  {source}\n)\nFILES = ('{file}')\n{options};",
        "COMMIT;",
    ]


def redshift(resource: str, start: datetime, schema: str, manifest_uri: str) -> list[str]:
    """From a manifest that names the slice (see ``redshift_manifest``), as one batch of the Data API: a transaction.

    ``COPY`` from Parquet takes the columns of the file by position, so it fills a table of just those first.
    """
    types = DIALECTS["redshift"]
    staged = {"timestamp": "TIMESTAMP", "json": types.type("text")}
    lines = ",\n".join(
        f"  {types.name(column.name)} {staged.get(column.kind, types.type(column.kind))}"
        for column in exported_columns(resource)
    )
    columns, values = _columns(
        "redshift", resource, lambda name: f"JSON_PARSE({name})", lambda name: f"{name} AT TIME ZONE 'UTC'"
    )
    table = f"{schema}.{slices_table(resource).name}"
    instant = f"TIMESTAMPTZ '{start:%Y-%m-%d %H:%M:%S}+00'"
    return [
        f"CREATE TEMP TABLE arriving (\n{lines}\n);",
        f"COPY arriving FROM '{manifest_uri}' IAM_ROLE DEFAULT FORMAT AS PARQUET MANIFEST;",
        f"DELETE FROM {table} WHERE slice_start = {instant};",
        f"INSERT INTO {table} ({columns}, slice_start)\nSELECT {values}, {instant}\nFROM arriving;",
        "DROP TABLE arriving;",
    ]


def redshift_manifest(uri: str, size: int) -> str:
    """A manifest of one slice of so many bytes; Redshift wants the size for Parquet."""
    return json.dumps({"entries": [{"url": uri, "mandatory": True, "meta": {"content_length": size}}]})


def databricks(resource: str, start: datetime, schema: str, uri: str) -> list[str]:
    """From the file itself. Not by ``COPY INTO``, which skips a file that it has loaded, even if it changed since."""
    _, values = _columns("databricks", resource)
    table = f"{schema}.{slices_table(resource).name}"
    source = f"SELECT {values}, {_instant(start)}\nFROM read_files('{uri}', format => 'parquet')"
    return [f"INSERT INTO {table}\nREPLACE WHERE slice_start = {_instant(start)}\n{source};"]


def _columns(
    dialect: str,
    resource: str,
    json_of: Callable[[str], str] = str,
    timestamp_of: Callable[[str], str] = str,
) -> tuple[str, str]:
    """The names of the columns, and what is selected for them."""
    words = DIALECTS[dialect]

    def value(column: TableColumn) -> str:
        name = words.name(column.name)
        return json_of(name) if column.kind == "json" else timestamp_of(name) if column.kind == "timestamp" else name

    columns = exported_columns(resource)
    return ", ".join(words.name(column.name) for column in columns), ", ".join(value(column) for column in columns)


def _instant(start: datetime) -> str:
    return f"TIMESTAMP '{start:%Y-%m-%d %H:%M:%S}+00:00'"
