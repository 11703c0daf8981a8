"""The least work from Zendesk's pages to Parquet, without any check: bare_pipeline.py URL START END FOLDER.

It measures what the checks, the redaction and the publication of the package cost. Do not use it: it keeps repeated
events and events after the end, and it does not retry.
"""

import sys
from datetime import datetime
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import requests

PAGES_PER_ROW_GROUP = 20
TEXTS = ("system", "metadata", "merged_ticket_ids", "child_events")
NULL = msgspec.Raw(b"null")


class Event(msgspec.Struct):
    """One event: typed on its top level, everything nested as the bytes that were sent."""

    id: int
    ticket_id: int
    timestamp: int
    created_at: datetime
    updater_id: int
    via: str
    event_type: str
    child_events: msgspec.Raw
    system: msgspec.Raw = NULL
    metadata: msgspec.Raw = NULL
    merged_ticket_ids: msgspec.Raw = NULL


class EventPage(msgspec.Struct):
    """One response."""

    ticket_events: list[Event]
    end_of_stream: bool
    end_time: int


def main(url: str, start: int, end: int, path: Path) -> None:
    """Write the pages from the start to the end."""
    session, decoder = requests.Session(), msgspec.json.Decoder(EventPage)
    session.auth = ("agent@example.com/token", "invented-token")
    params: dict[str, str | int] = {
        "start_time": start,
        "include": "comment_events",
        "support_type_scope": "all",
        "per_page": 1000,
    }
    schema, batches, done = columns([]).schema, [], False
    with pq.ParquetWriter(
        path, schema, compression="zstd", compression_level=1, use_dictionary=["via", "event_type"]
    ) as writer:
        while not done:
            response = session.get(f"{url}/api/v2/incremental/ticket_events", params=params, timeout=60)
            page = decoder.decode(response.content)
            batches.append(columns(page.ticket_events))
            done = page.end_of_stream or page.end_time >= end
            params["start_time"] = page.end_time
            if done or len(batches) == PAGES_PER_ROW_GROUP:
                writer.write_table(pa.Table.from_batches(batches))
                batches = []


def columns(events: list[Event]) -> pa.RecordBatch:
    """Return the columns of one page."""
    arrays = {
        **{name: pa.array([getattr(event, name) for event in events], pa.int64())
           for name in ("id", "ticket_id", "timestamp", "updater_id")},
        "created_at": pa.array([event.created_at for event in events], pa.timestamp("us", "UTC")),
        **{name: pa.array([getattr(event, name) for event in events], pa.string()) for name in ("via", "event_type")},
        **{name: text([getattr(event, name) for event in events]) for name in TEXTS},
    }  # fmt: skip
    return pa.RecordBatch.from_pydict(arrays)


def text(slices: list[msgspec.Raw]) -> pa.StringArray:
    """Return a text column whose buffer is the concatenated slices."""
    ends = np.cumsum([0, *(len(memoryview(slice_)) for slice_ in slices)], dtype=np.int32)
    array = pa.StringArray.from_buffers(len(slices), pa.py_buffer(ends), pa.py_buffer(b"".join(slices)))
    array.validate(full=True)  # msgspec does not check the encoding of what it does not decode
    return array


if __name__ == "__main__":
    output = Path(sys.argv[4], "ticket_events")
    output.mkdir(parents=True)
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), output / "0.parquet")
