"""Creates the tables before a load, validates them, and adds the columns of a newer version."""

import hashlib
from typing import NamedTuple

from airflow_zendesk.dataset.schema import SCHEMA_VERSION, version_parts
from airflow_zendesk.dataset.settings import DatasetSettings, from_json, to_json
from airflow_zendesk.exceptions import AlteredTableError, WarehouseMismatchError
from airflow_zendesk.warehouse.database import Database
from airflow_zendesk.warehouse.dialects import create_index, create_table
from airflow_zendesk.warehouse.sql_files import statements
from airflow_zendesk.warehouse.tables import CHILD_EVENTS, LOADED_DATASETS, TABLES, Table, duplicates_table
from airflow_zendesk.zendesk.resources import RESOURCES

#: Types by table and column.
_Columns = dict[str, dict[str, str]]


class _Loaded(NamedTuple):
    """A dataset whose slices are in the tables, as ``loaded_datasets`` records it."""

    settings: DatasetSettings
    schema_version: str
    views: str


def ensure_tables(database: Database, settings: DatasetSettings) -> None:
    """Ensure that the tables exist and belong to this dataset.

    Columns that a newer version brings are added; no column is ever dropped.

    Raises:
        WarehouseMismatchError: the tables belong to another dataset, or a newer version of this package created them.
        AlteredTableError: a table is missing, or a column is missing or has another type.
    """
    with database.transaction():
        database.lock()
        existing = _existing_columns(database)
        _rename_duplicates(database, existing)
        loaded = _loaded_datasets(database) if LOADED_DATASETS.name in existing else {}
        _check_dataset(database, settings, loaded)
        wanted = _Loaded(settings, SCHEMA_VERSION, _derived_digest(database))
        is_current = any(each.schema_version == SCHEMA_VERSION for each in loaded.values())
        for table in TABLES:
            if table.name in existing:
                _validate(database, table, existing[table.name], is_current=is_current)
            elif is_current and (table.resource is None or table.resource in loaded):
                raise AlteredTableError(_place(database), table.name, "it is missing")
            else:
                _create(database, table)
        if not any(each.views == wanted.views for each in loaded.values()):
            _derive(database, existing)
        if loaded.get(settings.resource) != wanted:
            _record(database, wanted)


def _existing_columns(database: Database) -> _Columns:
    listed = database.execute(
        f"SELECT table_name, column_name, data_type FROM {database.information_schema}.columns "
        "WHERE table_catalog = current_database() AND table_schema = :name",
        name=database.schema,
    )
    columns: _Columns = {}
    for table, column, type_ in listed:
        columns.setdefault(table, {})[column] = type_
    return columns


def _rename_duplicates(database: Database, existing: _Columns) -> None:
    """Rename the tables of duplicates, which earlier versions called ``<resource>_doubles``."""
    for resource in RESOURCES:
        if former := existing.pop(f"{resource}_doubles", None):
            name = duplicates_table(resource).name
            database.execute(f"ALTER TABLE $schema.{resource}_doubles RENAME TO {name}")
            existing[name] = former


def _loaded_datasets(database: Database) -> dict[str, _Loaded]:
    """The datasets in the tables; raises ``WarehouseMismatchError`` if a newer version of this package loaded one."""
    rows = database.execute("SELECT resource, record, schema_version, views FROM $schema.loaded_datasets")
    for _, _, version, _ in rows:
        # Before the settings are read, which may have another form there.
        if version_parts(version) > version_parts(SCHEMA_VERSION):
            raise WarehouseMismatchError(_place(database), {"schema_version": (version, SCHEMA_VERSION)})
    return {
        resource: _Loaded(from_json(settings, DatasetSettings), version, views)
        for resource, settings, version, views in rows
    }


def _check_dataset(database: Database, settings: DatasetSettings, loaded: dict[str, _Loaded]) -> None:
    """All settings of the same resource must agree, and the account of all resources."""
    differences: dict[str, tuple[object, object]] = {}
    for resource, each in loaded.items():
        # Either of two resources may have been renamed first.
        found = settings.rename_former(each.settings).differences(each.settings.rename_former(settings))
        differences |= {name: found[name] for name in found if resource == settings.resource or name == "account"}
    if differences:
        raise WarehouseMismatchError(_place(database), differences)


def _create(database: Database, table: Table) -> None:
    schemata = (
        f"SELECT 1 FROM {database.information_schema}.schemata "
        "WHERE catalog_name = current_database() AND schema_name = :name"
    )
    if not database.execute(schemata, name=database.schema):
        database.execute("CREATE SCHEMA $schema")
    name = f"$schema.{table.name}"
    database.execute(create_table(table, database.dialect_name, name))
    for statement in create_index(table, database.dialect_name, name):
        database.execute(statement)


def _validate(database: Database, table: Table, existing: dict[str, str], *, is_current: bool) -> None:
    for column in table.columns:
        wanted = database.listed_type(column)
        if column.name not in existing and column.nullable and not is_current:
            database.execute(f"ALTER TABLE $schema.{table.name} ADD COLUMN {database.dialect.column(column)}")
        elif column.name not in existing:
            raise AlteredTableError(_place(database), table.name, f"it has no column {column.name}")
        elif existing[column.name] != wanted:
            raise AlteredTableError(
                _place(database), table.name, f"its column {column.name} is {existing[column.name]}, not {wanted}"
            )


def _record(database: Database, wanted: _Loaded) -> None:
    database.execute("DELETE FROM $schema.loaded_datasets WHERE resource = :name", name=wanted.settings.resource)
    database.execute(
        "INSERT INTO $schema.loaded_datasets (resource, record, schema_version, views) "
        "VALUES (:resource, :record, :version, :views)",
        resource=wanted.settings.resource,
        record=to_json(wanted.settings).decode(),
        version=wanted.schema_version,
        views=wanted.views,
    )


def _derive(database: Database, existing: _Columns) -> None:
    """Create the views, and rebuild the children of loaded events if an earlier version derived them."""
    if existing.get("sla_targets", {}).get("policy_id", "").lower() == "bigint":
        # CREATE OR REPLACE cannot change the type of a column.
        for view in ("unreadable", "sla_breaches", "sla_targets"):
            database.execute(f"DROP VIEW $schema.{view}")
    if CHILD_EVENTS.name in existing:
        if database.dialect.has_keys:
            database.execute(
                "ALTER TABLE $schema.ticket_child_events DROP CONSTRAINT IF EXISTS ticket_child_events_pkey"
            )
            database.execute(
                "CREATE INDEX IF NOT EXISTS ticket_child_events_event_id_idx ON $schema.ticket_child_events (event_id)"
            )
        database.execute("CREATE TEMP TABLE affected_ids AS SELECT id FROM $schema.ticket_events")
        database.run(f"{database.dialect_name}/children.sql", {})
        database.execute("DROP TABLE affected_ids")
    database.run(f"{database.dialect_name}/views.sql", {})


def _derived_digest(database: Database) -> str:
    """The digest of the statements that derive children and views."""
    files = (f"{database.dialect_name}/{name}.sql" for name in ("children", "views"))
    text = ";\n".join(statement for file in files for statement in statements(file, schema=database.schema))
    return hashlib.sha256(text.encode()).hexdigest()


def _place(database: Database) -> str:
    return f"{database.name}, schema {database.schema}"
