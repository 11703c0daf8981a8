"""Loads into a DuckDB file, which needs no server.

Only one process at a time can write to the file: https://duckdb.org/docs/stable/connect/concurrency. Concurrent loads
wait for one another.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import duckdb
import pyarrow as pa

from airflow_zendesk.exceptions import WarehouseRefusedError, WarehouseUnavailableError
from airflow_zendesk.warehouse.database import Database
from airflow_zendesk.warehouse.tables import Table

#: The pause between two attempts to open a file that another process has open.
_RETRY_SECONDS = 0.25
#: DuckDB's lock on the file blocks other processes, this one blocks the other threads of this process.
_PROCESS_LOCK = threading.Lock()
#: Errors about names and syntax, whose messages quote our statements and never a row.
_ABOUT_NAMES = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException, duckdb.SyntaxException)


class DuckDBDatabase(Database):
    """A DuckDB file.

    Args:
        path: the file; it is created, with its folder, if it does not exist.
        schema: the schema of the tables.
        read_only: open the file only for reading; a file that does not exist is an empty one then.
        lock_timeout: how many seconds to wait for other processes to close the file.
        sleep: waits for a number of seconds.
    """

    dialect_name: ClassVar[str] = "duckdb"
    parameter: ClassVar[str] = "$name"
    listed_types: ClassVar[Mapping[str, str]] = {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}
    # Its catalog has a name that no file can have.
    information_schema: ClassVar[str] = "system.information_schema"

    def __init__(
        self,
        path: Path,
        schema: str,
        *,
        read_only: bool = False,
        lock_timeout: float = 600.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(f"duckdb://{path}", schema)
        self._path = path
        self._read_only = read_only
        self._lock_timeout = lock_timeout
        self._sleep = sleep

    def __enter__(self) -> Self:
        if not _PROCESS_LOCK.acquire(timeout=self._lock_timeout):
            raise WarehouseUnavailableError(self.name, "another load of this process has it open")
        try:
            self._connection = self._connect()
            ((catalog,),) = self._connection.execute("SELECT current_database()").fetchall()
            self._catalog = '"{}"'.format(catalog.replace('"', '""'))
        except BaseException:
            _PROCESS_LOCK.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._connection.close()
        finally:
            _PROCESS_LOCK.release()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything executed inside, or roll all of it back."""
        try:
            self._connection.begin()
            try:
                yield
            except BaseException:
                self._connection.rollback()
                raise
            self._connection.commit()
        except (duckdb.IOException, duckdb.TransactionException) as error:
            raise WarehouseUnavailableError(self.name, f"the transaction failed ({type(error).__name__})") from None
        except duckdb.Error as error:
            # Other errors than these may quote a row.
            reason = _first_line(error) if isinstance(error, _ABOUT_NAMES) else None
            raise WarehouseRefusedError(self.name, type(error).__name__, reason) from None

    def lock(self) -> None:
        """Do nothing: no other connection can use the file."""

    def copy_rows(self, table: Table, batches: Iterator[pa.RecordBatch]) -> int:  # noqa: ARG002  all types fit
        """Append rows to ``new_rows``. DuckDB stores NUL characters unchanged."""
        for batch in batches:
            self._connection.register("batch_table", pa.Table.from_batches([batch]))
            self._connection.execute("INSERT INTO new_rows BY NAME SELECT * FROM batch_table")
            self._connection.unregister("batch_table")
        return 0

    def query(self, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Execute one statement."""
        return self._connection.execute(statement, dict(values)).fetchall()

    def qualify(self, schema: str) -> str:
        """A schema with the file's catalog, because a file like zendesk.duckdb has a catalog ``zendesk`` too."""
        return f'{self._catalog}."{schema}"'

    def table_in_view(self, name: str) -> str:
        """A table without its catalog, which DuckDB removes from the text of a view.

        If a catalog has the name of the schema, the rest would be ambiguous. Then the table is named by a string, which
        DuckDB keeps; after the file is renamed, the next load corrects it.
        """
        if self.schema in {self._catalog.strip('"').lower(), "system", "temp"}:
            return "query_table('{}')".format(f"{self.qualified_schema}.{name}".replace("'", "''"))
        return f'"{self.schema}".{name}'

    def _connect(self) -> duckdb.DuckDBPyConnection:
        try:
            if not self._read_only:
                self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = f"its folder cannot be created: {error.strerror}"
            raise WarehouseRefusedError(self.name, type(error).__name__, reason) from None
        if self._read_only and not self._path.exists():
            return duckdb.connect(":memory:")
        waited = 0.0
        while True:
            try:
                return duckdb.connect(self._path, read_only=self._read_only)
            except duckdb.IOException as error:
                if "Could not set lock" not in str(error):
                    raise WarehouseRefusedError(self.name, type(error).__name__, _first_line(error)) from None
                if waited >= self._lock_timeout:
                    raise WarehouseUnavailableError(
                        self.name, f"another process has had it open for {waited:.0f} s, and DuckDB lets only one write"
                    ) from None
            except duckdb.Error as error:
                raise WarehouseRefusedError(self.name, type(error).__name__, _first_line(error)) from None
            self._sleep(_RETRY_SECONDS)
            waited += _RETRY_SECONDS


def _first_line(error: duckdb.Error) -> str:
    return str(error).partition("\n")[0]
