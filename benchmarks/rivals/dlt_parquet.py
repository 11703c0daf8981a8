"""dlt with its REST client, incremental cursor and file system destination: dlt_parquet.py URL START END FOLDER.

A fifth argument limits the nesting of tables; with 0, child events are one JSON column.
"""

import os
import sys
from collections.abc import Iterator
from typing import Any

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

import dlt
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.auth import HttpBasicAuth
from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator

URL, START, END, FOLDER = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
NESTING = int(sys.argv[5]) if sys.argv[5:] else None


@dlt.resource(primary_key="id", write_disposition="append", max_table_nesting=NESTING)
def ticket_events(
    timestamp: dlt.sources.incremental[int] = dlt.sources.incremental(  # noqa: B008 - dlt reads the default
        "timestamp", initial_value=START, end_value=END, row_order="asc"
    ),
) -> Iterator[list[dict[str, Any]]]:
    """Yield pages from the start on; dlt stops after the first row at the end, because rows ascend."""
    client = RESTClient(
        base_url=URL,
        auth=HttpBasicAuth("agent@example.com/token", "invented-token"),
        paginator=JSONResponseCursorPaginator(cursor_path="end_time", cursor_param="start_time"),
        data_selector="ticket_events",
    )
    params = {
        "start_time": timestamp.start_value,
        "include": "comment_events",
        "support_type_scope": "all",
        "per_page": 1000,
    }
    yield from client.paginate("/api/v2/incremental/ticket_events", params=params)


if __name__ == "__main__":
    pipeline = dlt.pipeline(
        "zendesk",
        pipelines_dir=f"{FOLDER}/state",
        destination=dlt.destinations.filesystem(f"file://{FOLDER}/data"),
        dataset_name="zendesk",
    )
    pipeline.run(ticket_events(), loader_file_format="parquet")
