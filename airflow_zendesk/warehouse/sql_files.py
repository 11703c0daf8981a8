"""Reads the SQL files. Names are filled in (``$name``); values stay parameters of the driver (``:name``)."""

import re
from functools import cache
from importlib.resources import files
from string import Template

from airflow_zendesk.zendesk.child_events import FIELD_KINDS, MESSAGE_KEYS, OWN_KEYS, TICKET_FIELDS

#: Lists of words in SQL, by their placeholder.
_LISTS = {
    placeholder: ", ".join(f"'{word}'" for word in words)
    for placeholder, words in {
        "field_kinds": FIELD_KINDS,
        "message_keys": MESSAGE_KEYS,
        "own_keys": OWN_KEYS,
        "ticket_fields": TICKET_FIELDS,
    }.items()
}
_COMMENT = re.compile(r"^--.*\n", re.MULTILINE)
#: A parameter, but not PostgreSQL's cast (``::``).
_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")


def statements(file: str, **names: str) -> list[str]:
    """Return the statements of a file in ``sql/`` in order, without comments."""
    text = Template(_read(file)).substitute(_LISTS | names)
    return [statement.strip() for statement in _COMMENT.sub("", text).split(";\n") if statement.strip()]


def with_parameters(statement: str, style: str) -> tuple[str, set[str]]:
    """Return the statement with parameters in the driver's style, and their names.

    Args:
        statement: a statement with parameters like ``:name``.
        style: how the driver writes the parameter ``name``.
    """
    text = _PARAMETER.sub(lambda match: style.replace("name", match[1]), statement)
    return text, set(_PARAMETER.findall(statement))


@cache
def _read(file: str) -> str:
    return (files(__package__) / "sql" / file).read_text("utf-8")
