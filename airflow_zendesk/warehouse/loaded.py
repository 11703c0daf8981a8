"""Which slices are in the tables of a warehouse, for those who ask without loading anything."""

from datetime import UTC, datetime

from airflow_zendesk.warehouse.database import Database


def loaded_digests(database: Database, resource: str) -> dict[datetime, str]:
    """The digest of each loaded slice of a resource, by the start of the slice; empty if nothing was ever loaded.

    Args:
        database: the warehouse, not yet open.
        resource: the resource.

    Raises:
        WarehouseError: the warehouse rejected the query or is not available.
        SettingsError: it is not the id of a connection that exists.
    """
    with database, database.transaction():
        ledgers = database.execute(
            f"SELECT 1 FROM {database.information_schema}.tables "
            "WHERE table_catalog = current_database() AND table_schema = :name AND table_name = 'loaded_slices'",
            name=database.schema,
        )
        rows = ledgers and database.execute(
            "SELECT CAST(extract(epoch FROM slice_start) AS bigint), digest FROM $schema.loaded_slices "
            "WHERE resource = :resource",
            resource=resource,
        )
    return {datetime.fromtimestamp(start, UTC): digest for start, digest in rows}
