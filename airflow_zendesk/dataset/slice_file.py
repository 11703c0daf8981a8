"""The Parquet file of one slice: spooled to a private local file, sealed with a footer, read back and verified.

Nothing here touches storage. The spool has no name in the file system and is removed with the process, whatever fails:
a full disk, a kill, an exception in the middle of a page.
"""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from airflow_zendesk.dataset.digest import RowDigest
from airflow_zendesk.dataset.layout import slice_key
from airflow_zendesk.dataset.schema import SCHEMA_VERSION, arrow_schema, refuse_newer, to_batch
from airflow_zendesk.dataset.settings import DatasetSettings, from_json, to_json
from airflow_zendesk.exceptions import DamagedObjectError
from airflow_zendesk.storage.errors import translate_errors
from airflow_zendesk.window import Slice
from airflow_zendesk.wording import counted
from airflow_zendesk.zendesk.records import LATE, TIMESTAMP, Record, Rows, to_rows
from airflow_zendesk.zendesk.resources import RESOURCES

#: The key of our entry among the file's own metadata.
FOOTER_KEY = b"airflow_zendesk"

#: The name of the spool in errors.
_SPOOL = "the local spool"
#: About 16 MB of JSON with comments. Larger row groups save little and cost memory in every reader.
_ROW_GROUP_ROWS = 10_000
#: Columns with few distinct values; a dictionary of distinct texts would only cost time.
_DICTIONARY_COLUMNS = {"via", "event_type", "metric", "type"}


#: What completes the slice of a list.
END_OF_LIST = "end_of_list"


class Certificate(msgspec.Struct, frozen=True):
    """Proof that a slice is complete, from the server's own responses.

    ``by`` says what completed it: ``end_time``, ``end_of_stream``, or ``END_OF_LIST``. The server's clock had passed
    ``server_date_at_least`` (unix seconds): the end of the slice plus the time for its events to settle. The bound is
    stored and not the clock, so that equal responses make equal bytes on any day.
    """

    by: str
    end_time: int | None
    server_date_at_least: int


class Footer(msgspec.Struct, frozen=True, kw_only=True):
    """The entry of airflow-zendesk in a file's metadata, as JSON under ``FOOTER_KEY``; times are ISO 8601.

    ``dataset`` contains the settings of the dataset that the file was made for, so that a misplaced file is noticed.
    """

    dataset: DatasetSettings
    start: str
    end: str
    rows: int
    late: int
    duplicates: int
    digest: str
    certificate: Certificate
    schema_version: str = SCHEMA_VERSION


@dataclass(frozen=True, slots=True)
class SealedSlice:
    """A complete Parquet file that is not published yet; ``file`` has no name and is read from its start."""

    slice: Slice
    file: IO[bytes]
    size: int
    footer: Footer

    @property
    def key(self) -> str:
        """The key of its object in storage."""
        return slice_key(self.footer.dataset.resource, self.slice)


class SliceWriter:
    """Spools the rows of one slice until it is closed; rows from before its start are marked late.

    Its methods raise ``StorageFullError`` if the disk of the spool is full.
    """

    def __init__(self, settings: DatasetSettings, slice_: Slice) -> None:
        self.slice = slice_
        self.late = 0
        self._settings = settings
        self._resource = resource = RESOURCES[settings.resource]
        self._schema = arrow_schema(resource.columns)
        self._digest = RowDigest()
        self._waiting: list[pa.RecordBatch] = []
        with translate_errors(_SPOOL):
            self._file = tempfile.TemporaryFile(prefix="airflow-zendesk-")  # noqa: SIM115  closed in close()
        self._writer = pq.ParquetWriter(
            self._file,
            self._schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=[column.name for column in resource.columns if column.name in _DICTIONARY_COLUMNS],
            write_statistics=[column.name for column in resource.columns if column.kind != "json"],
            write_page_checksum=True,
        )

    def close(self) -> None:
        """Remove the spool, sealed or not."""
        # Otherwise the writer would finish its file during garbage collection. A full disk may refuse even that.
        with contextlib.suppress(OSError, pa.ArrowException):
            self._writer.close()
        with contextlib.suppress(OSError):
            self._file.close()

    def write(self, records: Sequence[Record]) -> Rows:
        """Add rows in the order given; the returned ``Rows`` count values that did not fit the columns."""
        rows = to_rows(records, self._resource.columns)
        first = self.slice.start_time * 1_000_000
        rows.columns[LATE] = [timestamp < first for timestamp in rows.columns[TIMESTAMP]]
        self.write_batch(to_batch(rows.columns, self._schema))
        return rows

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Add rows that have the columns of the slice."""
        self.late += sum(batch.column(LATE).to_pylist())
        self._digest.update(batch)
        self._waiting.append(batch)
        self._flush(_ROW_GROUP_ROWS)

    def seal(self, certificate: Certificate, duplicates: int) -> SealedSlice:
        """Write the footer, then read the file back; raises ``DamagedObjectError`` if it is not what was written."""
        footer = Footer(
            dataset=self._settings,
            start=self.slice.start.isoformat(),
            end=self.slice.end.isoformat(),
            rows=self._digest.rows,
            late=self.late,
            duplicates=duplicates,
            digest=str(self._digest),
            certificate=certificate,
        )
        self._writer.add_key_value_metadata({FOOTER_KEY: to_json(footer)})
        self._finish()
        size = self._file.tell()
        verify_file(self._file, _SPOOL)
        return SealedSlice(self.slice, self._file, size, footer)

    def _finish(self) -> None:
        """End the file."""
        self._flush(1)
        with translate_errors(_SPOOL):
            self._writer.close()
            self._file.flush()

    def _flush(self, at_least: int) -> None:
        """Write full row groups, so that the bytes depend on the rows and not on how pages divided them."""
        while sum(batch.num_rows for batch in self._waiting) >= at_least:
            table = pa.Table.from_batches(self._waiting, self._schema)
            group, rest = table.slice(0, _ROW_GROUP_ROWS), table.slice(_ROW_GROUP_ROWS)
            with translate_errors(_SPOOL):
                self._writer.write_table(group.combine_chunks(), row_group_size=_ROW_GROUP_ROWS)
            self._waiting = rest.combine_chunks().to_batches()


class _FooterVersion(msgspec.Struct):
    """The key of a footer that is the same in all versions of the format."""

    schema_version: str = SCHEMA_VERSION


def read_footer(file: pq.ParquetFile, uri: str) -> Footer:
    """The footer of a file.

    Raises:
        DamagedObjectError: it has none that this package wrote.
        NewerSchemaError: a newer version of this package wrote it. It must not be moved away as damaged.
    """
    metadata = file.metadata.metadata or {}
    try:
        refuse_newer(uri, from_json(metadata[FOOTER_KEY], _FooterVersion).schema_version)
        footer = from_json(metadata[FOOTER_KEY], Footer)
    except (KeyError, ValueError):  # msgspec's error is a ValueError
        raise DamagedObjectError(uri, "it has no footer of airflow-zendesk") from None
    if footer.dataset.resource not in RESOURCES:
        raise DamagedObjectError(uri, "its footer names a resource that this version does not know")
    return footer


@contextlib.contextmanager
def report_damage(uri: str) -> Iterator[None]:
    """Translate the errors of reading a Parquet file to ``DamagedObjectError``."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise DamagedObjectError(uri, f"it cannot be read ({type(error).__name__})") from error


def iter_rows(file: pq.ParquetFile, uri: str) -> Iterator[pa.RecordBatch]:
    """The rows, in batches; raises ``DamagedObjectError`` if they cannot be read."""
    with report_damage(uri):
        yield from file.iter_batches(batch_size=_ROW_GROUP_ROWS // 10, use_threads=False)


def verify_file(source: IO[bytes], uri: str, on_batch: Callable[[pa.RecordBatch], None] = lambda _: None) -> Footer:
    """Read a whole file and call ``on_batch`` with all rows on the way.

    Raises ``DamagedObjectError`` if the file is not readable, or differs from its footer.
    """
    digest = RowDigest()
    ids: list[NDArray[np.int64]] = []
    # Reading ahead or with several threads would keep several row groups in memory.
    with report_damage(uri), pq.ParquetFile(source, page_checksum_verification=True, pre_buffer=False) as file:
        footer = read_footer(file, uri)
        if file.schema_arrow.remove_metadata() != arrow_schema(RESOURCES[footer.dataset.resource].columns):
            raise DamagedObjectError(uri, f"its columns are not those of {footer.dataset.resource}")
        for batch in iter_rows(file, uri):
            digest.update(batch)
            ids.append(np.array(batch.column("id").to_pylist(), np.int64))
            on_batch(batch)
    if (digest.rows, str(digest)) != (footer.rows, footer.digest):
        reason = f"it has {counted(digest.rows, 'row')} with digest {digest}, which its footer does not match"
        raise DamagedObjectError(uri, reason)
    if not are_distinct(ids):
        raise DamagedObjectError(uri, "it contains an id twice")
    return footer


def are_distinct(parts: Sequence[NDArray[np.int64]]) -> bool:
    """Whether no id is there twice."""
    ids = np.concatenate([np.empty(0, np.int64), *parts])
    ids.sort()
    return not bool((ids[1:] == ids[:-1]).any())
