"""A slice on its way to storage."""

import hashlib
import io
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.dataset.schema import arrow_schema
from airflow_zendesk.dataset.slice_file import FOOTER_KEY, SliceWriter, read_footer, verify_file
from airflow_zendesk.exceptions import DamagedObjectError, StorageFullError
from airflow_zendesk.zendesk.resources import RESOURCES
from tests.support.file_size_limit import file_size_limit
from tests.support.slices import CERTIFICATE, DAY, SETTINGS, as_records, content, event, sealed

RESOURCE = RESOURCES["ticket_events"]


def test_footer_says_what_the_file_is() -> None:
    """Dataset, window, rows, digest, certificate and counts, as one JSON object."""
    late = event(1, timestamp=DAY.start_time - 1)
    with closing(SliceWriter(SETTINGS, DAY)) as writer:
        writer.write(as_records([late, event(2)]))
        slice_ = writer.seal(CERTIFICATE, duplicates=3)
        metadata = pq.ParquetFile(slice_.file).metadata.metadata
    assert {
        "dataset": {
            "resource": "ticket_events",
            "account": "acme.zendesk.com",
            "grain": "1d",
            "include": [],
            "support_type_scope": "all",
            "schema_major_version": 1,
            "private_comments": False,
            "drop_fields": [],
            "hash_fields": [],
            "hash_key_id": None,
        },
        "start": "2026-01-01T00:00:00+00:00",
        "end": "2026-01-02T00:00:00+00:00",
        "rows": 2,
        "late": 1,
        "duplicates": 3,
        "digest": slice_.footer.digest,
        "certificate": {"by": "end_time", "end_time": 1767312000, "server_date_at_least": 1767312300},
        "schema_version": "1.0",
    } == msgspec.json.decode(metadata[FOOTER_KEY])


def test_rows_from_before_the_slice_are_marked_late() -> None:
    """Its own first second is not late."""
    times = [DAY.start_time - 1, DAY.start_time, DAY.start_time + 1]
    table = pq.read_table(io.BytesIO(content([event(i, timestamp=time) for i, time in enumerate(times)])))
    assert [True, False, False] == table["late"].to_pylist()


def test_empty_slice_is_a_file_too() -> None:
    """Absence means "not exported"; nothing happened is a file with no rows, which every reader reads."""
    data = content([])
    table = pq.read_table(io.BytesIO(data))
    assert (0, arrow_schema(RESOURCE.columns)) == (table.num_rows, table.schema.remove_metadata())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "empty.parquet")
        path.write_bytes(data)
        assert (0, 17) == pd.read_parquet(path).shape
        assert [(0,)] == duckdb.execute("select count(*) from read_parquet(?)", [str(path)]).fetchall()


def test_row_groups_depend_on_rows_and_not_on_pages() -> None:
    """The same rows in other pages are the same bytes."""
    records = [event(i) for i in range(25_000)]
    whole = content(records)
    with closing(SliceWriter(SETTINGS, DAY)) as writer:
        for first in range(0, 25_000, 997):
            writer.write(as_records(records[first : first + 997]))
        slice_ = writer.seal(CERTIFICATE, duplicates=0)
        slice_.file.seek(0)
        assert whole == slice_.file.read()
        groups = pq.ParquetFile(slice_.file).metadata
    assert [10_000, 10_000, 5_000] == [groups.row_group(i).num_rows for i in range(groups.num_row_groups)]


def test_foreign_readers_see_types() -> None:
    """DuckDB and pandas read times as times and ids as integers."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "slice.parquet")
        path.write_bytes(content([event(1, child_events=[{"id": 2, "status": "open"}])]))
        query = "select id, timestamp at time zone 'UTC', child_events->0->>'status' from read_parquet(?)"
        ((id_, time, status),) = duckdb.execute(query, [str(path)]).fetchall()
        frame = pd.read_parquet(path)
    assert (1, "2026-01-01 00:01:00", "open") == (id_, str(time), status)
    assert ("int64", "datetime64[us, UTC]") == (str(frame["id"].dtype), str(frame["timestamp"].dtype))


json_texts = st.text(st.characters(codec="utf-8"), max_size=8)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"timestamp": st.integers(0, 253_370_764_799)},
            optional={
                "via": json_texts | st.none(),
                "updater_id": st.integers(-(2**63), 2**63 - 1),
                "system": st.dictionaries(json_texts, json_texts, max_size=2),
                "unknown": json_texts,
            },
        ),
        max_size=20,
    )
)
def test_rows_survive_parquet(records: list[dict[str, Any]]) -> None:
    """Law: what was sent is what is read, and the footer's digest is that of the rows read."""
    records = [{"id": number, **settings} for number, settings in enumerate(records)]
    with sealed(records) as slice_:
        assert slice_.footer == verify_file(slice_.file, "the spool")
        rows = pq.read_table(slice_.file).to_pylist()
    for settings, row in zip(records, rows, strict=True):
        assert settings["id"] == row["id"]
        assert settings["timestamp"] == row["timestamp"].timestamp()
        assert settings.get("via") == row["via"]
        assert settings.get("updater_id") == row["updater_id"]
        assert settings.get("system") == msgspec.json.decode(row["system"] or "null")
        assert settings.get("unknown") == msgspec.json.decode(row["extra"] or "{}").get("unknown")


def test_no_flipped_bit_changes_a_row_unnoticed() -> None:
    """A checksum or the digest tells; a bit that nobody reads may flip."""
    whole = content([event(i, subject=f"Printer {i}") for i in range(50)])
    rows = pq.read_table(io.BytesIO(whole))
    noticed = 0
    for position in range(4, len(whole), 31):
        broken = bytearray(whole)
        broken[position] ^= 0x10
        try:
            verify_file(io.BytesIO(broken), "a file")
        except DamagedObjectError:
            noticed += 1
        else:
            assert rows.equals(pq.read_table(io.BytesIO(broken)))
    assert noticed > 50


def test_file_cut_short_is_damaged() -> None:
    """At any length."""
    whole = content([event(1)])
    for length in (0, 3, 100, len(whole) - 1):
        with pytest.raises(DamagedObjectError):
            verify_file(io.BytesIO(whole[:length]), "a file")


def test_id_that_stands_twice_is_damage() -> None:
    """What is sealed is once."""
    with pytest.raises(DamagedObjectError, match="it contains an id twice"):
        content([event(1), event(1, timestamp=DAY.start_time)])


def test_foreign_parquet_has_no_footer_of_ours() -> None:
    """And is never taken for a slice."""
    file = io.BytesIO()
    pq.write_table(pa.table({"id": [1]}), file)
    with pytest.raises(DamagedObjectError, match="it has no footer of airflow-zendesk"):
        read_footer(pq.ParquetFile(file), "s3://bucket/key")


def test_spool_has_no_name() -> None:
    """A killed task leaves nothing in the temporary folder."""
    before = set(Path(tempfile.gettempdir()).iterdir())
    with closing(SliceWriter(SETTINGS, DAY)) as writer:
        writer.write(as_records([event(1)]))
        after = set(Path(tempfile.gettempdir()).iterdir())
    assert not [path for path in after - before if path.name.startswith("airflow-zendesk-")]


def test_full_disk_under_the_spool_is_named() -> None:
    """Whether it is full in the middle or at the end; what is left of the spool goes."""
    rows = as_records(
        event(number, metadata={"noise": hashlib.sha256(b"%d" % number).hexdigest()}) for number in range(900)
    )
    for limit in (4, 20_000):
        with closing(SliceWriter(SETTINGS, DAY)) as writer, file_size_limit(limit):
            writer.write(rows)
            with pytest.raises(StorageFullError, match=r"There is no space for the local spool \(EFBIG\)"):
                writer.seal(CERTIFICATE, duplicates=0)
