"""PostgreSQL, through an Airflow connection.

Rows go from Arrow to ``COPY`` as CSV, which Arrow writes and the server reads: as fast as ADBC's binary ``COPY`` with
the cast to jsonb that it needs, in the transaction and on the connection of Airflow's hook, and without another driver.
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, ClassVar, Self

import psycopg
import pyarrow as pa
import pyarrow.csv as arrow_csv
from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.providers.postgres.hooks.postgres import PostgresHook

from airflow_zendesk.exceptions import SettingsError, WarehouseRefusedError, WarehouseUnavailableError
from airflow_zendesk.warehouse.database import Database
from airflow_zendesk.warehouse.nul_characters import replace_nul_characters
from airflow_zendesk.warehouse.tables import Table

#: Classes of SQLSTATE that a later try may not meet: connection, rollback (deadlock), resources, lock, intervention.
#: https://www.postgresql.org/docs/current/errcodes-appendix.html
_PASSING = ("08", "40", "53", "55", "57")


class PostgresDatabase(Database):
    """A database of PostgreSQL.

    Args:
        conn_id: the Airflow connection, of type ``postgres``.
        schema: where the tables are.
    """

    dialect_name: ClassVar[str] = "postgres"
    parameter: ClassVar[str] = "%(name)s"
    listed_types: ClassVar[Mapping[str, str]] = {"timestamptz": "timestamp with time zone"}

    def __init__(self, conn_id: str, schema: str) -> None:
        super().__init__(conn_id, schema)
        self._hook = PostgresHook(postgres_conn_id=conn_id)

    def __enter__(self) -> Self:
        try:
            connection = self._hook.get_conn()
        except AirflowNotFoundException:
            raise SettingsError(f"There is no connection {self.name!r} to load into.") from None
        except psycopg.OperationalError as error:
            raise WarehouseUnavailableError(self.name, str(error).partition("\n")[0]) from None
        if not isinstance(connection, psycopg.Connection):
            raise SettingsError("Loading into PostgreSQL needs psycopg 3, which Airflow's hook uses with SQLAlchemy 2.")
        # What a load sees after it has the lock is what the load before it has committed.
        connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        self._connection = connection
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is executed inside happens, or none of it."""
        try:
            with self._connection.transaction():
                yield
        except psycopg.Error as error:
            # Its sentence may quote the row that it stumbled over.
            kind = type(error).__name__
            if error.sqlstate is None or error.sqlstate.startswith(_PASSING):
                raise WarehouseUnavailableError(self.name, f"it broke off ({kind})") from None
            raise WarehouseRefusedError(self.name, f"{kind} ({error.sqlstate})") from None

    def lock(self) -> None:
        """Keep other loads out until the transaction ends; a lock that does not come is given up after ten minutes."""
        self.execute("SET LOCAL lock_timeout = '10min'")
        self.execute("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))", key=f"airflow-zendesk {self.schema}")

    def copy_in(self, table: Table, batches: Iterator[pa.RecordBatch]) -> int:
        """Append rows to ``new_rows``, with U+FFFD in the place of NUL characters; returns how many there were."""
        json_columns = {column.name for column in table.columns if column.kind == "json"}
        replaced = 0
        for batch in batches:
            clean, found = replace_nul_characters(batch, json_columns)
            replaced += found
            names = ", ".join(self.dialect.name(name) for name in batch.schema.names)
            with (
                self._connection.cursor() as cursor,
                cursor.copy(f"COPY new_rows ({names}) FROM STDIN (FORMAT csv)") as copy,
            ):
                # Arrow quotes text and leaves null empty, which is how PostgreSQL tells '' from NULL.
                options = arrow_csv.WriteOptions(include_header=False)
                arrow_csv.write_csv(clean, _Sink(copy), write_options=options)
        return replaced

    def query(self, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Execute one statement."""
        cursor = self._connection.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


class _Sink(io.RawIOBase):
    """A ``COPY`` as a file that is written to."""

    def __init__(self, copy: psycopg.Copy) -> None:
        self._copy = copy

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        content = bytes(data)
        self._copy.write(content)
        return len(content)
