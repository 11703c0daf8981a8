"""Parts of the site that are made while it is built: the help of the commands, the columns, and diagrams."""

import argparse
import runpy
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from airflow_zendesk.cli import _parser
from airflow_zendesk.dataset.schema import arrow_schema
from airflow_zendesk.warehouse.ddl import definitions
from airflow_zendesk.zendesk.resources import RESOURCES

_ROOT = Path(__file__).parents[2]
_SCHEDULES = {
    "CronDataIntervalTimetable": "an interval timetable, each day in UTC",
    "PartitionedAssetTimetable": "after each export",
    "AssetTriggeredTimetable": "after each export",
}
#: Where each part goes.
_MARKS = ("<!-- commands -->", "<!-- columns -->", "<!-- tables -->", "<!-- dags -->")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in the generated parts of a page."""
    for mark, generate in zip(_MARKS, (_commands, _columns, _tables, _dags), strict=True):
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


def _dags() -> Iterator[str]:
    """The shipped DAGs with their own documentation, schedule and params."""
    for path in sorted((_ROOT / "dags").glob("zendesk_*.py")):
        dag = runpy.run_path(str(path))["dag"]
        schedule = "by hand" if dag.schedule is None else dag.timetable.__class__.__name__
        yield f"\n## {dag.dag_id}\n\n{dag.doc_md}\n\nSchedule: {_SCHEDULES.get(schedule, schedule)}."
        if dag.params:
            yield "\n| param | default | |\n|---|---|---|"
        for name in dag.params:
            param = dag.params.get_param(name)
            yield f"| `{name}` | {_default(param)} | {param.description or ''} |"


def _default(param: Any) -> str:
    return "required" if not param.has_value else "none" if param.value is None else f"`{param.value}`"


def draw(source: str, *_: Any, **__: Any) -> str:
    """Draw a diagram in Graphviz's language as SVG."""
    done = subprocess.run(["dot", "-Tsvg"], input=source, capture_output=True, text=True, check=True)  # noqa: S607
    return f'<div class="diagram">{done.stdout[done.stdout.index("<svg") :]}</div>'
