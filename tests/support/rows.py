"""What lies in a dataset."""

from pathlib import Path

import pyarrow.parquet as pq


def exported_ids(folder: Path, resource: str = "ticket_events") -> list[int]:
    """The ids in all slices."""
    return sorted(
        id_ for path in (folder / resource).rglob("*.parquet") for id_ in pq.ParquetFile(path).read()["id"].to_pylist()
    )
