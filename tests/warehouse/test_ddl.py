"""The definitions of tables and the statements of loads for every warehouse: compared, executed or parsed."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import psycopg
import pytest
import sqlglot
from airflow.sdk import BaseHook
from sqlglot import exp

from airflow_zendesk.cli import main
from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.warehouse import load_statements
from airflow_zendesk.warehouse.ddl import definitions
from airflow_zendesk.warehouse.dialects import DIALECTS
from airflow_zendesk.zendesk.resources import RESOURCES

START = datetime(2026, 1, 31, tzinfo=UTC)

BIGQUERY = """\
CREATE TABLE zendesk.ticket_metric_events_slices (
  `id` INT64 NOT NULL,
  `ticket_id` INT64,
  `instance_id` INT64,
  `metric` STRING,
  `type` STRING,
  `time` TIMESTAMP,
  `timestamp` TIMESTAMP NOT NULL,
  `deleted` BOOL,
  `sla` JSON,
  `group_sla` JSON,
  `status` JSON,
  `late` BOOL NOT NULL,
  `extra` JSON,
  `slice_start` TIMESTAMP NOT NULL
)
PARTITION BY DATE(slice_start);

CREATE VIEW zendesk.ticket_metric_events AS
SELECT * FROM zendesk.ticket_metric_events_slices \
WHERE true QUALIFY row_number() OVER (PARTITION BY id ORDER BY slice_start DESC) = 1;

"""
SNOWFLAKE = """\
CREATE TABLE zendesk.ticket_metric_events_slices (
  id NUMBER(19, 0) NOT NULL,
  ticket_id NUMBER(19, 0),
  instance_id NUMBER(19, 0),
  metric VARCHAR,
  type VARCHAR,
  time TIMESTAMP_TZ,
  timestamp TIMESTAMP_TZ NOT NULL,
  deleted BOOLEAN,
  sla VARIANT,
  group_sla VARIANT,
  status VARIANT,
  late BOOLEAN NOT NULL,
  extra VARIANT,
  slice_start TIMESTAMP_TZ NOT NULL
);

CREATE VIEW zendesk.ticket_metric_events AS
SELECT * FROM zendesk.ticket_metric_events_slices \
WHERE true QUALIFY row_number() OVER (PARTITION BY id ORDER BY slice_start DESC) = 1;

"""
REDSHIFT = """\
CREATE TABLE zendesk.ticket_metric_events_slices (
  "id" BIGINT NOT NULL,
  "ticket_id" BIGINT,
  "instance_id" BIGINT,
  "metric" VARCHAR(65535),
  "type" VARCHAR(65535),
  "time" TIMESTAMPTZ,
  "timestamp" TIMESTAMPTZ NOT NULL,
  "deleted" BOOLEAN,
  "sla" SUPER,
  "group_sla" SUPER,
  "status" SUPER,
  "late" BOOLEAN NOT NULL,
  "extra" SUPER,
  "slice_start" TIMESTAMPTZ NOT NULL
)
SORTKEY (slice_start);

CREATE VIEW zendesk.ticket_metric_events AS
SELECT * FROM zendesk.ticket_metric_events_slices \
WHERE true QUALIFY row_number() OVER (PARTITION BY id ORDER BY slice_start DESC) = 1;

"""
ATHENA = """\
CREATE EXTERNAL TABLE zendesk.ticket_metric_events_slices (
  `id` bigint,
  `ticket_id` bigint,
  `instance_id` bigint,
  `metric` string,
  `type` string,
  `time` timestamp,
  `timestamp` timestamp,
  `deleted` boolean,
  `sla` string,
  `group_sla` string,
  `status` string,
  `late` boolean,
  `extra` string
)
PARTITIONED BY (`event_date` string)
STORED AS PARQUET
LOCATION 's3://lake/zendesk/ticket_metric_events/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.event_date.type' = 'date',
  'projection.event_date.format' = 'yyyy-MM-dd',
  'projection.event_date.range' = '2010-01-01,NOW',
  'storage.location.template' = 's3://lake/zendesk/ticket_metric_events/event_date=${event_date}/'
);

CREATE VIEW zendesk.ticket_metric_events AS
SELECT "id", "ticket_id", "instance_id", "metric", "type", "time", "timestamp", "deleted", "sla", "group_sla", \
"status", "late", "extra", "event_date"
FROM (
  SELECT *, row_number() OVER (PARTITION BY "id" ORDER BY "$path" DESC) AS place \
FROM zendesk.ticket_metric_events_slices
)
WHERE place = 1;

"""
TRINO = """\
CREATE TABLE zendesk.ticket_metric_events_slices (
  "id" bigint,
  "ticket_id" bigint,
  "instance_id" bigint,
  "metric" varchar,
  "type" varchar,
  "time" timestamp(3),
  "timestamp" timestamp(3),
  "deleted" boolean,
  "sla" varchar,
  "group_sla" varchar,
  "status" varchar,
  "late" boolean,
  "extra" varchar,
  "event_date" varchar WITH (
    partition_projection_type = 'date',
    partition_projection_format = 'yyyy-MM-dd',
    partition_projection_range = ARRAY['2010-01-01', 'NOW']
  )
)
WITH (
  format = 'PARQUET',
  external_location = 's3://lake/zendesk/ticket_metric_events/',
  partitioned_by = ARRAY['event_date'],
  partition_projection_enabled = true
);

CREATE VIEW zendesk.ticket_metric_events AS
SELECT "id", "ticket_id", "instance_id", "metric", "type", "time", "timestamp", "deleted", "sla", "group_sla", \
"status", "late", "extra", "event_date"
FROM (
  SELECT *, row_number() OVER (PARTITION BY "id" ORDER BY "$path" DESC) AS place \
FROM zendesk.ticket_metric_events_slices
)
WHERE place = 1;

"""
DATABRICKS = """\
CREATE TABLE zendesk.ticket_metric_events_slices (
  `id` BIGINT NOT NULL,
  `ticket_id` BIGINT,
  `instance_id` BIGINT,
  `metric` STRING,
  `type` STRING,
  `time` TIMESTAMP,
  `timestamp` TIMESTAMP NOT NULL,
  `deleted` BOOLEAN,
  `sla` STRING,
  `group_sla` STRING,
  `status` STRING,
  `late` BOOLEAN NOT NULL,
  `extra` STRING,
  `slice_start` TIMESTAMP NOT NULL
)
USING DELTA;

CREATE VIEW zendesk.ticket_metric_events AS
SELECT * FROM zendesk.ticket_metric_events_slices \
WHERE true QUALIFY row_number() OVER (PARTITION BY id ORDER BY slice_start DESC) = 1;

"""


@pytest.mark.parametrize(
    ("dialect", "printed"),
    [
        ("bigquery", BIGQUERY),
        ("snowflake", SNOWFLAKE),
        ("redshift", REDSHIFT),
        ("athena", ATHENA),
        ("trino", TRINO),
        ("databricks", DATABRICKS),
    ],
)
def test_command_prints_the_tables_of_a_resource(
    dialect: str, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The output is compared literally."""
    resource = ["--resource", "ticket_metric_events", "--location", "s3://lake/zendesk/"]
    assert 0 == main(["ddl", "--dialect", dialect, *resource])
    assert printed == capsys.readouterr().out


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("resource", RESOURCES)
def test_tables_have_every_column_of_the_export(dialect: str, resource: str) -> None:
    """They are in order, and a parser of the dialect accepts each statement."""
    texts = definitions(dialect, "zendesk", "s3://lake/zendesk", resource)
    parsed = [sqlglot.parse_one(text, read=dialect) for text in texts]
    assert not [text for text, each in zip(texts, parsed, strict=True) if isinstance(each, exp.Command)]
    table = next(each for each in parsed if each.args.get("kind") == "TABLE")
    columns = [column.name for column in table.this.expressions if isinstance(column, exp.ColumnDef)]
    exported = [column.name for column in RESOURCES[resource].columns]
    assert exported == columns[: len(exported)]


@pytest.mark.parametrize("schema", ["zendesk", "order"])
def test_duckdb_accepts_its_definitions(schema: str, tmp_path: Path) -> None:
    """They create tables and views, also in a file that is named like the schema."""
    with duckdb.connect(tmp_path / "zendesk.duckdb") as connection:
        for text in definitions("duckdb", schema, ""):
            connection.execute(text)
        (found,) = connection.execute(f'SELECT count(*) FROM zendesk."{schema}".sla_breaches').fetchall()
    assert (0,) == found


def test_postgres_accepts_its_definitions(postgres: str, schema: str) -> None:
    """They create tables, indexes and views."""
    server = BaseHook.get_connection(postgres)
    with psycopg.connect(host=server.host, user=server.login, dbname=server.schema) as connection:
        for text in definitions("postgres", schema, ""):
            connection.execute(text)
        (found,) = connection.execute(f"SELECT count(*) FROM {schema}.sla_breaches").fetchall()
    assert (0,) == found


def test_unknown_resource_is_rejected(capsys: pytest.CaptureFixture[str]) -> None:
    """The error lists the known ones."""
    assert 1 == main(["ddl", "--dialect", "duckdb", "--resource", "ticket_audits"])
    assert "There is no resource 'ticket_audits'. Use one of: ticket_events" in capsys.readouterr().err
    with pytest.raises(SettingsError):
        definitions("trino", "zendesk", "", "ticket_audits")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("schema", ["my-schema", "a b", "", "1a", "a.", "a;b", 'a"b', "schemä"])
def test_schema_that_needs_quotes_is_rejected(dialect: str, schema: str, capsys: pytest.CaptureFixture[str]) -> None:
    """No statement is printed."""
    assert 1 == main(["ddl", "--dialect", dialect, f"--schema={schema}"])
    printed = capsys.readouterr()
    assert "" == printed.out
    assert f"The schema {schema!r} is not a plain name. Use " in printed.err


def test_schema_may_be_qualified() -> None:
    """BigQuery's project may have dashes, Snowflake's database is a plain name."""
    assert "CREATE TABLE my-project.zendesk.ticket_" in definitions("bigquery", "my-project.zendesk", "")[0]
    assert "CREATE TABLE RAW.ZENDESK.ticket_" in definitions("snowflake", "RAW.ZENDESK", "")[0]


def test_bigquery_load_statements() -> None:
    """They delete and insert in one transaction, from the staging table of the load job."""
    assert [
        "BEGIN TRANSACTION;",
        "DELETE FROM zendesk.ticket_metric_events_slices WHERE slice_start = TIMESTAMP '2026-01-31 00:00:00+00:00';",
        (
            "INSERT INTO zendesk.ticket_metric_events_slices (`id`, `ticket_id`, `instance_id`, `metric`, `type`, "
            "`time`, `timestamp`, `deleted`, `sla`, `group_sla`, `status`, `late`, `extra`, slice_start)\n"
            "SELECT `id`, `ticket_id`, `instance_id`, `metric`, `type`, `time`, `timestamp`, `deleted`, "
            "PARSE_JSON(`sla`, wide_number_mode => 'round'), "
            "PARSE_JSON(`group_sla`, wide_number_mode => 'round'), "
            "PARSE_JSON(`status`, wide_number_mode => 'round'), `late`, "
            "PARSE_JSON(`extra`, wide_number_mode => 'round'), TIMESTAMP '2026-01-31 00:00:00+00:00'\n"
            "FROM zendesk.staging;"
        ),
        "COMMIT TRANSACTION;",
    ] == load_statements.bigquery("ticket_metric_events", START, "zendesk", "zendesk.staging")


def test_snowflake_load_statements() -> None:
    """COPY has the name of the file, and is forced because its rows have just been deleted."""
    statements = load_statements.snowflake(
        "ticket_metric_events", START, "zendesk", "zendesk.stage", "event_date=x/y.parquet"
    )
    assert [
        "ALTER SESSION SET TIMEZONE = 'UTC';",
        "BEGIN TRANSACTION;",
        (
            "DELETE FROM zendesk.ticket_metric_events_slices "
            "WHERE slice_start = '2026-01-31 00:00:00 +00:00'::TIMESTAMP_TZ;"
        ),
    ] == statements[:3]
    assert statements[3].endswith(
        "    PARSE_JSON($1:status::VARCHAR),\n    $1:late::BOOLEAN,\n    PARSE_JSON($1:extra::VARCHAR),\n"
        "    '2026-01-31 00:00:00 +00:00'::TIMESTAMP_TZ\n  FROM @zendesk.stage\n)\n"
        "FILES = ('event_date=x/y.parquet')\nFILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE)\nFORCE = TRUE;"
    )
    assert "COMMIT;" == statements[4]


def test_redshift_load_statements() -> None:
    """COPY maps columns by position, so the staging table has exactly those of the file, with JSON as text."""
    statements = load_statements.redshift("ticket_metric_events", START, "zendesk", "s3://lake/manifests/1.json")
    assert '  "timestamp" TIMESTAMP,\n  "deleted" BOOLEAN,\n  "sla" VARCHAR(65535),\n' in statements[0]
    assert (
        "COPY staging FROM 's3://lake/manifests/1.json' IAM_ROLE DEFAULT FORMAT AS PARQUET MANIFEST;" == statements[1]
    )
    assert "WHERE slice_start = TIMESTAMPTZ '2026-01-31 00:00:00+00';" in statements[2]
    assert '"timestamp" AT TIME ZONE \'UTC\', "deleted", JSON_PARSE("sla")' in statements[3]
    assert '{"entries": [{"url": "s3://lake/a.parquet", "mandatory": true, "meta": {"content_length": 7}}]}' == (
        load_statements.redshift_manifest("s3://lake/a.parquet", 7)
    )


def test_databricks_load_statement() -> None:
    """One statement is one commit in Delta."""
    assert [
        (
            "INSERT INTO zendesk.ticket_metric_events_slices\n"
            "REPLACE WHERE slice_start = TIMESTAMP '2026-01-31 00:00:00+00:00'\n"
            "SELECT `id`, `ticket_id`, `instance_id`, `metric`, `type`, `time`, `timestamp`, `deleted`, `sla`, "
            "`group_sla`, `status`, `late`, `extra`, TIMESTAMP '2026-01-31 00:00:00+00:00'\n"
            "FROM read_files('s3://lake/a.parquet', format => 'parquet');"
        )
    ] == load_statements.databricks("ticket_metric_events", START, "zendesk", "s3://lake/a.parquet")


@pytest.mark.parametrize(
    ("dialect", "statements"),
    [
        ("bigquery", load_statements.bigquery("ticket_events", START, "zendesk", "zendesk.staging")),
        ("snowflake", load_statements.snowflake("ticket_events", START, "zendesk", "zendesk.stage", "a.parquet")),
        ("redshift", load_statements.redshift("ticket_events", START, "zendesk", "s3://lake/manifest.json")),
        ("databricks", load_statements.databricks("ticket_events", START, "zendesk", "s3://lake/a.parquet")),
    ],
)
def test_load_statements_parse_in_their_dialect(dialect: str, statements: list[str]) -> None:
    """The parser returns a Command for a statement that it does not understand."""
    assert not [text for text in statements if isinstance(sqlglot.parse_one(text, read=dialect), exp.Command)]
