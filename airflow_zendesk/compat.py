"""What only newer Airflows have, and what has moved."""

from collections.abc import Iterable
from typing import Any

from airflow.sdk import Asset

try:
    from airflow.sdk.observability import stats
except ImportError:  # before Airflow 3.3
    from airflow.stats import Stats as stats  # type: ignore[no-redef]  # noqa: N813  the same functions

__all__ = ["add_partition_keys", "stats"]


def add_partition_keys(outlet_event: Any, keys: Iterable[str]) -> None:
    """Name the partitions that an asset event brings: Airflow 3.3 starts one downstream run for each.

    Older Airflows have no partition keys; there the event's ``extra`` is all a consumer gets.
    """
    if hasattr(outlet_event, "add_partitions"):
        outlet_event.add_partitions(list(keys))


def for_each_partition(asset: Asset) -> Any:
    """The schedule of a DAG that runs once for each partition of an asset.

    Where Airflow has no partitions, the DAG runs for the asset's events, of which it may merge several into one run.

    One asset, and not several: Airflow 3.3.2 gives a run to a key, whichever asset it is of, and an event that comes
    while the run of its key is being made gets none. Of one asset that is no loss: the run reads what is stored then.
    """
    try:
        from airflow.sdk import PartitionedAssetTimetable  # noqa: PLC0415
    except ImportError:
        return [asset]
    return PartitionedAssetTimetable(assets=asset)
