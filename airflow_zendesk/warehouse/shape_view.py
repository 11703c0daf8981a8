"""The parts that the views of a shape are made of."""

from typing import NamedTuple

from airflow_zendesk.warehouse.tables import Kind


class JsonSyntax(NamedTuple):
    """How a dialect reads JSON; the placeholder ``{0}`` is an expression.

    Args:
        texts: one row for each member of an array, as text; none for any other value.
        objects: the same, with each member as JSON.
        integer: the integer that a text is, or null.
    """

    texts: str
    objects: str
    integer: str


class ShapeColumn(NamedTuple):
    """One column of a view: its name, the kind of its type, and the expression that it selects."""

    name: str
    kind: Kind
    expression: str


class ShapeView(NamedTuple):
    """One view: its columns, and the rest of its query, from ``FROM`` on."""

    name: str
    columns: tuple[ShapeColumn, ...]
    source: str
