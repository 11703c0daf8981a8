"""The tables before a load: made, compared with what they should be, and given the columns of a newer version."""

import hashlib

import msgspec

from airflow_zendesk.dataset.record import DatasetRecord
from airflow_zendesk.dataset.schema import SCHEMA_VERSION
from airflow_zendesk.exceptions import AlteredTableError, WarehouseMismatchError
from airflow_zendesk.warehouse.database import Database
from airflow_zendesk.warehouse.dialects import create_index, create_table
from airflow_zendesk.warehouse.scripts import statements
from airflow_zendesk.warehouse.tables import TABLES, Table

#: Types by column, by table.
_Columns = dict[str, dict[str, str]]


def prepare(database: Database, record: DatasetRecord) -> None:
    """Make sure that the tables are there and hold this dataset.

    Columns that came with a newer version are added; nothing is ever dropped.

    Raises:
        WarehouseMismatchError: the tables hold another dataset, or were made by a newer version of this package.
        AlteredTableError: a table lacks a column, or has it with another type.
    """
    with database.transaction():
        database.lock()
        existing = _existing_columns(database)
        version, views = _check_dataset(database, record, existing)
        for table in TABLES:
            if table.name not in existing:
                _create(database, table, existing)
            else:
                _compare(database, table, existing[table.name], is_older=version != SCHEMA_VERSION)
        digest = _views_digest(database)
        if views != digest:
            database.run(f"{database.dialect_name}/views.sql", {})
        if (version, views) != (SCHEMA_VERSION, digest):
            _note_dataset(database, record, digest)


def _existing_columns(database: Database) -> _Columns:
    listed = database.execute(
        "SELECT table_name, column_name, data_type FROM information_schema.columns "
        "WHERE table_catalog = current_database() AND table_schema = :name",
        name=database.schema,
    )
    columns: _Columns = {}
    for table, column, type_ in listed:
        columns.setdefault(table, {})[column] = type_
    return columns


def _check_dataset(database: Database, record: DatasetRecord, existing: _Columns) -> tuple[str | None, str | None]:
    """The version of the tables and the digest of the views; None if nothing of this resource has been loaded yet."""
    if "loaded_datasets" not in existing:
        return None, None
    found = database.execute(
        "SELECT record, schema_version, views FROM $schema.loaded_datasets WHERE resource = :resource",
        resource=record.resource,
    )
    if not found:
        return None, None
    ((stored, version, views),) = found
    loaded = msgspec.json.decode(stored) | {"schema_version": version}
    asked = msgspec.json.decode(msgspec.json.encode(record)) | {"schema_version": SCHEMA_VERSION}
    if _parts(version) < _parts(SCHEMA_VERSION):
        asked["schema_version"] = version
    differences = {name: (loaded.get(name), asked[name]) for name in asked if loaded.get(name) != asked[name]}
    if differences:
        raise WarehouseMismatchError(_place(database), differences)
    return str(version), str(views)


def _create(database: Database, table: Table, existing: _Columns) -> None:
    if not database.execute(
        "SELECT 1 FROM information_schema.schemata WHERE schema_name = :name", name=database.schema
    ):
        database.execute("CREATE SCHEMA $schema")
    elif "loaded_slices" in existing:
        ((slices,),) = database.execute("SELECT count(*) FROM $schema.loaded_slices")
        if slices:
            raise AlteredTableError(_place(database), table.name, f"it is gone, but {slices:,} slices were loaded")
    name = f"$schema.{table.name}"
    database.execute(create_table(table, database.dialect_name, name))
    for statement in create_index(table, database.dialect_name, name):
        database.execute(statement)


def _compare(database: Database, table: Table, there: dict[str, str], *, is_older: bool) -> None:
    for column in table.columns:
        wanted = database.listed_type(column)
        if column.name not in there and is_older and column.nullable:
            database.execute(f"ALTER TABLE $schema.{table.name} ADD COLUMN {database.dialect.column(column)}")
        elif column.name not in there:
            raise AlteredTableError(_place(database), table.name, f"it has no column {column.name}")
        elif there[column.name] != wanted:
            raise AlteredTableError(
                _place(database), table.name, f"its column {column.name} is {there[column.name]}, not {wanted}"
            )


def _note_dataset(database: Database, record: DatasetRecord, views: str) -> None:
    database.execute("DELETE FROM $schema.loaded_datasets WHERE resource = :resource", resource=record.resource)
    database.execute(
        "INSERT INTO $schema.loaded_datasets (resource, record, schema_version, views) "
        "VALUES (:resource, :record, :version, :views)",
        resource=record.resource,
        record=msgspec.json.encode(record).decode(),
        version=SCHEMA_VERSION,
        views=views,
    )


def _views_digest(database: Database) -> str:
    text = ";\n".join(statements(f"{database.dialect_name}/views.sql", schema=database.schema))
    return hashlib.sha256(text.encode()).hexdigest()


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _place(database: Database) -> str:
    return f"{database.name}, schema {database.schema}"
