"""DuckDB: a warehouse in a file, which needs no server.

One process at a time can write to the file: https://duckdb.org/docs/stable/connect/concurrency. Loads that meet wait
for one another.
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

#: Seconds between two looks at a file that another process has open.
_LOOK_AGAIN_SECONDS = 0.25
#: The file's own lock keeps other processes out, this one the threads of ours.
_ONE_AT_A_TIME = threading.Lock()


class DuckDBDatabase(Database):
    """One file of DuckDB.

    Args:
        path: the file; it is made, with its folder, if it is not there.
        schema: where the tables are.
        patience: seconds to wait for other processes to close it.
        sleep: waits so many seconds.
    """

    dialect_name: ClassVar[str] = "duckdb"
    parameter: ClassVar[str] = "$name"
    listed_types: ClassVar[Mapping[str, str]] = {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}

    def __init__(
        self, path: Path, schema: str, *, patience: float = 600.0, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        super().__init__(f"duckdb://{path}", schema)
        self._path = path
        self._patience = patience
        self._sleep = sleep

    def __enter__(self) -> Self:
        if not _ONE_AT_A_TIME.acquire(timeout=self._patience):
            raise WarehouseUnavailableError(self.name, "another load of this process has it open")
        try:
            self._connection = self._connect()
        except BaseException:
            _ONE_AT_A_TIME.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._connection.close()
        finally:
            _ONE_AT_A_TIME.release()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is executed inside happens, or none of it."""
        try:
            self._connection.begin()
            try:
                yield
            except BaseException:
                self._connection.rollback()
                raise
            self._connection.commit()
        except (duckdb.IOException, duckdb.TransactionException) as error:
            raise WarehouseUnavailableError(self.name, f"it broke off ({type(error).__name__})") from None
        except duckdb.Error as error:
            # Its sentence may quote the row that it stumbled over.
            raise WarehouseRefusedError(self.name, type(error).__name__) from None

    def lock(self) -> None:
        """Nothing to do: whoever has the file open is alone."""

    def copy_in(self, table: Table, batches: Iterator[pa.RecordBatch]) -> int:  # noqa: ARG002  all types fit
        """Append rows to ``new_rows``; DuckDB holds NUL characters as they are."""
        for batch in batches:
            self._connection.register("arriving", pa.Table.from_batches([batch]))
            self._connection.execute("INSERT INTO new_rows BY NAME SELECT * FROM arriving")
            self._connection.unregister("arriving")
        return 0

    def query(self, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Execute one statement."""
        return self._connection.execute(statement, dict(values)).fetchall()

    def _connect(self) -> duckdb.DuckDBPyConnection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        waited = 0.0
        while True:
            try:
                return duckdb.connect(self._path)
            except duckdb.IOException as error:
                if "Could not set lock" not in str(error):
                    raise WarehouseRefusedError(self.name, type(error).__name__) from None
                if waited >= self._patience:
                    raise WarehouseUnavailableError(
                        self.name, f"another process has had it open for {waited:.0f} s, and DuckDB lets only one write"
                    ) from None
            except duckdb.Error as error:
                raise WarehouseRefusedError(self.name, type(error).__name__) from None
            self._sleep(_LOOK_AGAIN_SECONDS)
            waited += _LOOK_AGAIN_SECONDS
