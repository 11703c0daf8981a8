"""Loads into PostgreSQL through an Airflow connection.

Arrow writes rows as CSV and the server reads them by ``COPY``. This is as fast as ADBC's binary ``COPY``, which needs a
cast to jsonb, and it uses the connection and the transaction of Airflow's hook instead of another driver.
"""

import io
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar

import psycopg
import pyarrow as pa
import pyarrow.csv as arrow_csv
from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.providers.postgres.hooks.postgres import PostgresHook

from airflow_zendesk.exceptions import SettingsError, WarehouseRefusedError, WarehouseUnavailableError
from airflow_zendesk.warehouse.database import Database
from airflow_zendesk.warehouse.nul_characters import replace_nul_characters
from airflow_zendesk.warehouse.tables import Table

#: SQLSTATE classes of transient failures: connection, rollback (deadlock), resources, lock, operator intervention.
#: https://www.postgresql.org/docs/current/errcodes-appendix.html
_TRANSIENT_CLASSES = ("08", "40", "53", "55", "57")
#: SQLSTATE classes about names, dependencies, syntax and access. Their messages never quote a row.
_ABOUT_NAMES = ("2B", "3D", "3F", "42")
#: For one transaction. Child events differ from each other, so keeping results of functions by their arguments takes
#: time and saves none, and compiling the statements takes longer than a load of a small slice.
_PLANNER_SETTINGS = "SELECT set_config(name, 'off', true) FROM pg_settings WHERE name IN ('enable_memoize', 'jit')"

_T = TypeVar("_T")


class PostgresDatabase(Database):
    """A PostgreSQL database.

    Args:
        conn_id: the id of an Airflow connection of type ``postgres``.
        schema: the schema of the tables.
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
            raise SettingsError(
                f"The Airflow connection {self.name!r} does not exist. Create it, or name another one as warehouse."
            ) from None
        except psycopg.OperationalError as error:
            raise WarehouseUnavailableError(self.name, str(error).partition("\n")[0]) from None
        if not isinstance(connection, psycopg.Connection):
            raise SettingsError(
                "Airflow's PostgreSQL hook does not use psycopg 3. Install psycopg>=3.2 and SQLAlchemy>=2."
            )
        # After it gets the lock, a load must see the changes that the previous load committed.
        connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        self._connection = connection
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything executed inside, or roll all of it back."""
        try:
            with self._connection.transaction():
                # A worker's environment, a role or the database may set another one, but rows are sent as UTF-8.
                self.execute("SET LOCAL client_encoding TO 'UTF8'")
                self.execute(_PLANNER_SETTINGS)
                yield
        except psycopg.Error as error:
            # The message of the error may quote a row.
            kind = type(error).__name__
            if error.sqlstate is None or error.sqlstate.startswith(_TRANSIENT_CLASSES):
                raise WarehouseUnavailableError(self.name, f"the connection was lost ({kind})") from None
            reason = error.diag.message_primary if error.sqlstate.startswith(_ABOUT_NAMES) else None
            raise WarehouseRefusedError(self.name, f"{kind} ({error.sqlstate})", reason) from None

    def lock(self) -> None:
        """Block other loads until the transaction ends. Give up after waiting ten minutes for the lock."""
        self.execute("SET LOCAL lock_timeout = '10min'")
        self.execute("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))", key=f"airflow-zendesk {self.schema}")

    def copy_rows(self, table: Table, batches: Iterator[pa.RecordBatch]) -> int:
        """Append rows to ``new_rows``; return how many NUL characters were replaced by U+FFFD."""
        first = next(batches, None)
        if first is None:
            return 0
        json_columns = {column.name for column in table.columns if column.kind == "json"}
        # Arrow quotes text and leaves null empty, so PostgreSQL can distinguish '' from NULL.
        options = arrow_csv.WriteOptions(include_header=False)
        replaced = 0

        def csv() -> Iterator[bytes]:
            nonlocal replaced
            for batch in chain([first], batches):
                clean, found = replace_nul_characters(batch, json_columns)
                replaced += found
                buffer = io.BytesIO()
                arrow_csv.write_csv(clean, buffer, write_options=options)
                yield buffer.getvalue()

        names = ", ".join(map(self.dialect.name, first.schema.names))
        statement = f"COPY new_rows ({names}) FROM STDIN (FORMAT csv)"
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            for part in _prepare_ahead(csv()):
                copy.write(part)
        return replaced

    def query(self, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Execute one statement."""
        cursor = self._connection.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else [(cursor.rowcount,)]


def _prepare_ahead(parts: Iterator[_T]) -> Iterator[_T]:
    """Yield the parts. The next one is prepared in a thread, while the server processes the one before."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        following = pool.submit(next, parts, None)
        while (part := following.result()) is not None:
            following = pool.submit(next, parts, None)
            yield part
