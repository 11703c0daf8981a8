"""Generates the definitions of a warehouse's tables, to create them by hand or in a migration."""

from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.warehouse.dialects import DIALECTS, check_schema_name, create_index, create_table
from airflow_zendesk.warehouse.shape import shape_statements
from airflow_zendesk.warehouse.sql_files import statements
from airflow_zendesk.warehouse.tables import SLICE_START, TABLES, Table, exported_columns
from airflow_zendesk.zendesk.resources import RESOURCES


def definitions(
    dialect: str, schema: str, location: str, resource: str | None = None, shape: str | None = None
) -> list[str]:
    """Return the statements that create the tables and views, in order.

    For DuckDB and PostgreSQL these are the tables and views that a load creates by itself. For other warehouses, each
    resource has a table ``<resource>_slices`` with the rows of all slices, and a view ``<resource>`` with each id once,
    from the latest slice that contains it.

    Args:
        dialect: the warehouse; a key of ``DIALECTS``.
        schema: the schema of the tables; BigQuery's dataset, Athena's database.
        location: the destination of the exports, for warehouses that read the slices in place.
        resource: the resource whose tables are returned; None for all, with the views that need all.
        shape: the shape whose views are returned instead: ``fivetran`` or None.

    Raises:
        SettingsError: there is no such resource, or the schema is not a plain name.
    """
    if resource is not None and resource not in RESOURCES:
        raise SettingsError(f"There is no resource {resource!r}. Use one of: {', '.join(RESOURCES)}.")
    check_schema_name(schema, dialect)
    if shape is not None:
        if resource is not None:
            raise SettingsError("The views of a shape need all tables. Leave out the resource.")
        views = shape_statements(shape, dialect, f'"{schema}_{shape}"', lambda name: f'"{schema}".{name}')
        return [f"{text};" for text in views]
    resources = [resource] if resource else list(RESOURCES)
    if dialect in ("duckdb", "postgres"):
        return _loader_tables(dialect, schema, resource)
    return [text for each in resources for text in _slices_table(dialect, schema, location.rstrip("/"), each)]


def slices_table(resource: str) -> Table:
    """Return the table of a warehouse without a loader here: the rows of all slices, with the start of their slice."""
    return Table(f"{resource}_slices", (*exported_columns(resource), SLICE_START), ("id", "slice_start"), resource)


def _loader_tables(dialect: str, schema: str, resource: str | None) -> list[str]:
    texts = [f'CREATE SCHEMA IF NOT EXISTS "{schema}";']
    qualifier = f'"{schema}".'
    if dialect == "duckdb":
        # "zendesk".x is ambiguous in a file that is called zendesk.duckdb.
        texts, qualifier = [*texts, f'USE "{schema}";'], ""
    for table in TABLES:
        if resource is None or table.resource in (resource, None):
            name = qualifier + table.name
            texts += [create_table(table, dialect, name), *create_index(table, dialect, name)]
    if resource is None:
        texts += [f"{text};" for text in statements(f"{dialect}/views.sql", schema=f'"{schema}"')]
    return texts


def _slices_table(dialect: str, schema: str, location: str, resource: str) -> list[str]:
    syntax = DIALECTS[dialect]
    is_state = RESOURCES[resource].is_state
    table = slices_table(resource)
    name = f"{schema}.{table.name}"
    if not syntax.reads_in_place:
        order = f"{syntax.name('timestamp')} DESC, {SLICE_START.name} DESC" if is_state else f"{SLICE_START.name} DESC"
        newest = f"row_number() OVER (PARTITION BY id ORDER BY {order})"
        # BigQuery requires a WHERE before QUALIFY.
        view = f"SELECT * FROM {name} WHERE true QUALIFY {newest} = 1"
        return [create_table(table, dialect, name), f"CREATE VIEW {schema}.{resource} AS\n{view};"]
    table = table._replace(columns=exported_columns(resource))
    # The path of a slice begins with its start, so the paths of a dataset sort by time. Athena's views use Trino's SQL,
    # only its tables use Hive's.
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    order = '"timestamp" DESC, "$path" DESC' if is_state else '"$path" DESC'
    newest = f'row_number() OVER (PARTITION BY "id" ORDER BY {order})'
    view = f'SELECT {columns}, "event_date"\nFROM (\n  SELECT *, {newest} AS place FROM {name}\n)\nWHERE place = 1'
    return [
        create_table(table, dialect, name, f"{location}/{resource}"),
        f"CREATE VIEW {schema}.{resource} AS\n{view};",
    ]
