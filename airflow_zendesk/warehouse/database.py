"""What a load needs of a database; the same few words for an embedded one and for a server."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, ClassVar, Self

import pyarrow as pa

from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.warehouse.dialects import DIALECTS, Dialect
from airflow_zendesk.warehouse.sql_files import statements, with_parameters
from airflow_zendesk.warehouse.tables import Table, TableColumn

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class Database(ABC):
    """A connection to one schema of a database, open between ``with`` and its end.

    Args:
        name: how reports and errors call it; no password.
        schema: where the tables are; they need it for themselves.
    """

    dialect_name: ClassVar[str]
    #: How the driver writes a parameter of the name ``name``.
    parameter: ClassVar[str]
    #: Types that the database lists under another name than they were made with.
    listed_types: ClassVar[Mapping[str, str]]

    def __init__(self, name: str, schema: str) -> None:
        if not _SCHEMA.fullmatch(schema):
            raise SettingsError(f"The schema {schema!r} is no plain name: use letters a to z, digits and underscores.")
        self.name = name
        self.schema = schema

    @property
    def dialect(self) -> Dialect:
        """How it writes tables down."""
        return DIALECTS[self.dialect_name]

    @abstractmethod
    def __enter__(self) -> Self: ...

    @abstractmethod
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """All that is executed inside happens, or none of it.

        Raises:
            WarehouseRefusedError: the database refused a statement, and would again.
            WarehouseUnavailableError: it is down, locked or broke off.
        """

    @abstractmethod
    def lock(self) -> None:
        """Keep other loads out until the transaction ends."""

    @abstractmethod
    def copy_in(self, table: Table, batches: Iterator[pa.RecordBatch]) -> int:
        """Append rows that look like those of a table to ``new_rows``; returns how many NUL characters it replaced."""

    @abstractmethod
    def query(self, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Execute one statement in the words of the driver; returns its rows, none if it has no result."""

    def execute(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """Execute one statement with parameters like ``:name``, and ``$schema`` for the schema."""
        text, names = with_parameters(statement.replace("$schema", self.schema), self.parameter)
        return self.query(text, {name: values[name] for name in names})

    def run(self, file: str, names: Mapping[str, str], **values: Any) -> None:
        """Execute the statements of a file in ``sql/``."""
        for statement in statements(file, schema=self.schema, **names):
            self.execute(statement, **values)

    def listed_type(self, column: TableColumn) -> str:
        """The type of a column, as the database lists it."""
        type_ = self.dialect.type(column.kind)
        return self.listed_types.get(type_, type_)
