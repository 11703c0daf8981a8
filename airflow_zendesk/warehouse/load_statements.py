"""The SQL that loads one slice into warehouses without a loader here. The DAGs in ``docs/examples`` run it.

Each function returns statements that replace the rows of the slice in ``<resource>_slices`` in one transaction, so a
load can be repeated. They fit the tables that ``airflow-zendesk ddl`` prints.
"""

import json
from collections.abc import Callable
from datetime import datetime

from airflow_zendesk.warehouse.ddl import slices_table
from airflow_zendesk.warehouse.dialects import DIALECTS
from airflow_zendesk.warehouse.tables import TableColumn, exported_columns


def bigquery(resource: str, start: datetime, schema: str, staging: str) -> list[str]:
    """Load from a staging table that a load job has filled with the slice."""
    columns, values = _columns("bigquery", resource, lambda name: f"PARSE_JSON({name}, wide_number_mode => 'round')")
    table = f"{schema}.{slices_table(resource).name}"
    return [
        "BEGIN TRANSACTION;",
        f"DELETE FROM {table} WHERE slice_start = {_instant(start)};",
        f"INSERT INTO {table} ({columns}, slice_start)\nSELECT {values}, {_instant(start)}\nFROM {staging};",
        "COMMIT TRANSACTION;",
    ]


def snowflake(resource: str, start: datetime, schema: str, stage: str, file: str) -> list[str]:
    """Load from a file in a stage.

    ``FORCE`` is needed because Snowflake skips files that it loaded in the last 64 days, but this load deletes their
    rows first. Without ``USE_LOGICAL_TYPE`` timestamps would be read as numbers.
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
    """Load from a manifest (see ``redshift_manifest``). One batch of the Data API is one transaction.

    ``COPY`` from Parquet maps the columns of the file by position, so it fills a staging table with exactly those.
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
        f"CREATE TEMP TABLE staging (\n{lines}\n);",
        f"COPY staging FROM '{manifest_uri}' IAM_ROLE DEFAULT FORMAT AS PARQUET MANIFEST;",
        f"DELETE FROM {table} WHERE slice_start = {instant};",
        f"INSERT INTO {table} ({columns}, slice_start)\nSELECT {values}, {instant}\nFROM staging;",
        "DROP TABLE staging;",
    ]


def redshift_manifest(uri: str, size: int) -> str:
    """Return a manifest of one slice. Redshift requires the size in bytes of Parquet files."""
    return json.dumps({"entries": [{"url": uri, "mandatory": True, "meta": {"content_length": size}}]})


def databricks(resource: str, start: datetime, schema: str, uri: str) -> list[str]:
    """Load from the file. Not with ``COPY INTO``, which skips a file it has loaded, even if the file has changed."""
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
    """Return the list of column names, and the list of expressions to select for them."""
    syntax = DIALECTS[dialect]

    def value(column: TableColumn) -> str:
        name = syntax.name(column.name)
        return json_of(name) if column.kind == "json" else timestamp_of(name) if column.kind == "timestamp" else name

    columns = exported_columns(resource)
    return ", ".join(syntax.name(column.name) for column in columns), ", ".join(value(column) for column in columns)


def _instant(start: datetime) -> str:
    return f"TIMESTAMP '{start:%Y-%m-%d %H:%M:%S}+00:00'"
