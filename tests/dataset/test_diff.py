"""Two versions of one slice."""

import io
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.dataset.diff import SliceDiff, diff_slices
from airflow_zendesk.exceptions import DamagedObjectError
from tests.support.slices import DAY, content, event

#: Versions of a slice: texts by id.
versions = st.dictionaries(st.integers(0, 12), st.sampled_from(["Mail", "Chat", None]), max_size=8)


def file_of(texts: dict[int, Any]) -> pq.ParquetFile:
    """The version as a file, in an order of its own."""
    return pq.ParquetFile(io.BytesIO(content(event(number, via=text) for number, text in texts.items())))


@given(versions, versions)
def test_difference_is_that_of_the_rows(old: dict[int, Any], new: dict[int, Any]) -> None:
    """Law: added, removed and changed ids are counted, whatever the order of the rows."""
    added = new.keys() - old.keys()
    expected = SliceDiff(
        added=len(added),
        removed=len(old.keys() - new.keys()),
        changed=sum(old[number] != new[number] for number in old.keys() & new.keys()),
        oldest_added=DAY.start_time + 60 * min(added) if added else None,
    )
    assert expected == diff_slices(file_of(old), file_of(new), "s3://bucket/key")


def test_version_that_cannot_be_read_is_named() -> None:
    """By its place; nothing is taken for equal."""
    whole = bytearray(content(event(number) for number in range(50)))
    whole[300:900] = bytes(600)
    with pytest.raises(DamagedObjectError, match=r"s3://bucket/key is damaged: it cannot be read"):
        diff_slices(pq.ParquetFile(io.BytesIO(whole)), file_of({}), "s3://bucket/key")
