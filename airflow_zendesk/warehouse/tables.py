"""The tables of a warehouse, derived from the columns of the exports."""

from typing import Literal, NamedTuple

from airflow_zendesk.zendesk.records import Column
from airflow_zendesk.zendesk.records import Kind as WireKind
from airflow_zendesk.zendesk.resources import RESOURCES

Kind = Literal["integer", "timestamp", "text", "json", "boolean"]

_KINDS: dict[WireKind, Kind] = {
    "int64": "integer",
    "unix": "timestamp",
    "iso8601": "timestamp",
    "string": "text",
    "via": "text",
    "json": "json",
    "bool": "boolean",
}


class TableColumn(NamedTuple):
    """One column of a table."""

    name: str
    kind: Kind
    nullable: bool = True


class Table(NamedTuple):
    """A table of one resource, or of all of them.

    Args:
        key: the columns that are unique together; empty if there are none.
        resource: the resource; None if the table serves all of them.
        indexed: a further column with an index.
    """

    name: str
    columns: tuple[TableColumn, ...]
    key: tuple[str, ...]
    resource: str | None = None
    indexed: str | None = None


#: The start of the slice that a row was loaded from. A load replaces the rows of a slice.
SLICE_START = TableColumn("slice_start", "timestamp", nullable=False)


def exported_columns(resource: str) -> tuple[TableColumn, ...]:
    """Return the columns of a resource's slices."""
    return tuple(_table_column(column) for column in RESOURCES[resource].columns)


def _table_column(column: Column) -> TableColumn:
    return TableColumn(column.name, _KINDS[column.kind], column.nullable)


def events_table(resource: str) -> Table:
    """Return the table of a resource's rows, each id once."""
    return Table(resource, (*exported_columns(resource), SLICE_START), ("id",), resource, "slice_start")


def duplicates_table(resource: str) -> Table:
    """Return the table of rows whose id also occurs in a later slice. They return if the later row is removed."""
    return Table(f"{resource}_duplicates", (*exported_columns(resource), SLICE_START), ("id", "slice_start"), resource)


CHILD_EVENTS = Table(
    "ticket_child_events",
    (
        TableColumn("event_id", "integer", nullable=False),
        TableColumn("ordinal", "integer", nullable=False),
        TableColumn("child_id", "integer"),
        TableColumn("event_type", "text"),
        TableColumn("field_name", "text"),
        TableColumn("value", "json"),
        TableColumn("previous_value", "json"),
        TableColumn("child_event", "json"),
    ),
    (),
    "ticket_events",
    "event_id",
)
#: The ledger: which version of which slice is in the tables.
LOADED_SLICES = Table(
    "loaded_slices",
    (
        TableColumn("resource", "text", nullable=False),
        SLICE_START,
        TableColumn("slice_end", "timestamp", nullable=False),
        TableColumn("uri", "text", nullable=False),
        TableColumn("digest", "text", nullable=False),
        TableColumn("rows", "integer", nullable=False),
        TableColumn("loaded_at", "timestamp", nullable=False),
    ),
    ("resource", "slice_start"),
)
#: The settings of the datasets in the tables, the version of their columns, and a digest of the views.
LOADED_DATASETS = Table(
    "loaded_datasets",
    (
        TableColumn("resource", "text", nullable=False),
        TableColumn("record", "text", nullable=False),
        TableColumn("schema_version", "text", nullable=False),
        TableColumn("views", "text", nullable=False),
    ),
    ("resource",),
)

TABLES: tuple[Table, ...] = (
    *(table(resource) for resource in RESOURCES for table in (events_table, duplicates_table)),
    CHILD_EVENTS,
    LOADED_SLICES,
    LOADED_DATASETS,
)
