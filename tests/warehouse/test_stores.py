"""Loads from a bucket of an S3 server into a warehouse."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb

from airflow_zendesk.emulator import ZendeskEmulator
from airflow_zendesk.operators.incremental_export import ZendeskIncrementalExportOperator
from airflow_zendesk.operators.load_warehouse import ZendeskLoadWarehouseOperator
from tests.support.asset_events import triggering
from tests.support.stores.servers import StoreServer


def test_slices_in_a_bucket_are_loaded(moto: StoreServer, emulator: ZendeskEmulator, tmp_path: Path) -> None:
    """The bucket is read with the connection in the destination, whose id is not stored in the ledger."""
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 6, tzinfo=UTC)
    destination = moto.destination()
    extra = ZendeskIncrementalExportOperator(
        task_id="export", destination=destination, start=start, end=end, grain="3h"
    ).execute({})
    load = ZendeskLoadWarehouseOperator(
        task_id="load", warehouse=f"duckdb://{tmp_path}/w.duckdb", destination=destination
    )
    context = {"triggering_asset_events": triggering(extra)}
    assert [(2, 0), (0, 2)] == [
        (report["loaded"], report["unchanged"])
        for _ in range(2)
        for report in load.execute(context)  # type: ignore[arg-type]
    ]
    with duckdb.connect(tmp_path / "w.duckdb") as connection:
        ids = connection.execute("SELECT id FROM zendesk.ticket_events ORDER BY id").fetchall()
        ((uri,), *_) = connection.execute("SELECT uri FROM zendesk.loaded_slices").fetchall()
    assert sorted(emulator.expected_ids("ticket_events", start, end)) == [id_ for (id_,) in ids]
    assert moto.conn_id not in uri
