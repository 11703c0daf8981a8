"""What only newer Airflows have."""

from collections.abc import Iterable
from typing import Any

from airflow.sdk.definitions.asset import BaseAsset


def add_partition_keys(outlet_event: Any, keys: Iterable[str]) -> None:
    """Name the partitions that an asset event brings: Airflow 3.3 starts one downstream run for each.

    Older Airflows have no partition keys; there the event's ``extra`` is all a consumer gets.
    """
    if hasattr(outlet_event, "add_partitions"):
        outlet_event.add_partitions(list(keys))


def for_each_partition(assets: BaseAsset) -> Any:
    """The schedule of a DAG that runs once for each partition of its assets.

    Where Airflow has no partitions, the DAG runs for their events, of which it may merge several into one run.
    """
    try:
        from airflow.sdk import PartitionedAssetTimetable  # noqa: PLC0415
    except ImportError:
        return assets
    return PartitionedAssetTimetable(assets=assets)
