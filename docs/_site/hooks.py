"""Parts of the site that are made while it is built: the help of the commands, the columns, and diagrams."""

import argparse
import subprocess
from collections.abc import Iterator
from typing import Any

import duckdb

from airflow_zendesk.cli import _parser
from airflow_zendesk.dataset.schema import arrow_schema
from airflow_zendesk.warehouse.ddl import definitions
from airflow_zendesk.zendesk.resources import RESOURCES

#: Where each part goes.
_MARKS = ("<!-- commands -->", "<!-- columns -->", "<!-- tables -->")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in the generated parts of a page."""
    for mark, generate in zip(_MARKS, (_commands, _columns, _tables), strict=True):
        if mark in markdown:
            markdown = markdown.replace(mark, "\n".join(generate()))
    return markdown


def _commands() -> Iterator[str]:
    (action,) = (each for each in _parser()._actions if isinstance(each, argparse._SubParsersAction))
    for name, parser in action.choices.items():
        parser.formatter_class = _Formatter
        yield f"\n## {name}\n\n```text\n{parser.format_help()}```"


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """The help as it is printed in a terminal of 100 columns."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=100)


def _columns() -> Iterator[str]:
    for resource in RESOURCES.values():
        yield f"\n## {resource.name}\n\n| column | Arrow type | |\n|---|---|---|"
        for field in arrow_schema(resource.columns):
            yield f"| `{field.name}` | {field.type} | {'' if field.nullable else 'not null'} |"


def _tables() -> Iterator[str]:
    """The tables and views of a warehouse, as a database describes them that has just been created."""
    with duckdb.connect() as database:
        for schema, shape in (("zendesk", None), ("zendesk_fivetran", "fivetran")):
            if shape:
                database.execute(f"CREATE SCHEMA {schema}")
            for statement in definitions("duckdb", "zendesk", "", shape=shape):
                database.execute(statement)
            names = database.execute(
                "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = ? ORDER BY 2, 1",
                [schema],
            )
            for name, kind in names.fetchall():
                what = "A view." if kind == "VIEW" else "A table."
                yield f"\n## {schema}.{name}\n\n{what}\n\n| column | type |\n|---|---|"
                columns = database.execute(f'DESCRIBE {schema}."{name}"').fetchall()
                yield from (f"| `{column}` | {type_} |" for column, type_, *_ in columns)


def draw(source: str, *_: Any, **__: Any) -> str:
    """Draw a diagram in Graphviz's language as SVG."""
    done = subprocess.run(["dot", "-Tsvg"], input=source, capture_output=True, text=True, check=True)  # noqa: S607
    return f'<div class="diagram">{done.stdout[done.stdout.index("<svg") :]}</div>'
