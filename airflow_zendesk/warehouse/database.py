"""The interface between a load and a database, embedded or server."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, ClassVar, Self

import pyarrow as pa

from airflow_zendesk.warehouse.dialects import DIALECTS, Dialect, check_schema_name
from airflow_zendesk.warehouse.sql_files import statements, with_parameters
from airflow_zendesk.warehouse.tables import Table, TableColumn


class Database(ABC):
    """A connection to one schema of a database. It is open inside a ``with`` block.

    Args:
        name: the database in reports and errors, without a password.
        schema: the schema of the tables, used for nothing else.
    """

    dialect_name: ClassVar[str]
    #: How the driver writes the parameter ``name``.
    parameter: ClassVar[str]
    #: Types that ``information_schema`` lists under a different name than ``CREATE TABLE`` uses.
    listed_types: ClassVar[Mapping[str, str]]
    information_schema: ClassVar[str] = "information_schema"

    def __init__(self, name: str, schema: str) -> None:
        check_schema_name(schema, self.dialect_name)
        self.name = name
        self.schema = schema

    @property
    def dialect(self) -> Dialect:
        """The SQL dialect of the database."""
        return DIALECTS[self.dialect_name]

    @property
    def qualified_schema(self) -> str:
        """The schema as SQL names it."""
        return self.qualify(self.schema)

    def qualify(self, schema: str) -> str:
        """A schema of this database as SQL names it, quoted because its name may be a keyword."""
        return f'"{schema}"'

    @abstractmethod
    def __enter__(self) -> Self: ...

    @abstractmethod
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """Commit everything executed inside, or roll all of it back.

        Raises:
            WarehouseRefusedError: the database rejected a statement, and would reject it again.
            WarehouseUnavailableError: it is down or locked, or the connection was lost.
        """

    @abstractmethod
    def lock(self) -> None:
        """Block other loads until the transaction ends."""

    @abstractmethod
    def copy_rows(self, table: Table, batches: Iterator[pa.RecordBatch]) -> int:
        """Append rows of a table to ``new_rows``; return how many NUL characters were replaced."""

    @abstractmethod
    def query(self, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Execute one statement in the driver's parameter style.

        Returns:
            Its rows. The only row of a statement that changes a table has the number of changed rows.
        """

    def execute(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """Execute one statement with parameters like ``:name`` and the placeholder ``$schema``."""
        text, names = with_parameters(statement, self.parameter)
        return self.query(text.replace("$schema", self.qualified_schema), {name: values[name] for name in names})

    def run(self, file: str, names: Mapping[str, str], **values: Any) -> list[tuple[Any, ...]]:
        """Execute the statements of a file in ``sql/`` in order; return the rows of the last one."""
        return [self.execute(statement, **values) for statement in statements(file, schema="$schema", **names)][-1]

    def table_in_view(self, name: str) -> str:
        """A loaded table or view as the views of another schema name it."""
        return f"{self.qualified_schema}.{name}"

    def listed_type(self, column: TableColumn) -> str:
        """The type of a column as ``information_schema`` lists it."""
        type_ = self.dialect.type(column.kind)
        return self.listed_types.get(type_, type_)
