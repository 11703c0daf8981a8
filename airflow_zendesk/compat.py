"""Features that only newer versions of Airflow have, and names that have moved between versions."""

from typing import Any

from airflow import __version__
from airflow.sdk import Asset, ObjectStoragePath

try:
    from airflow.sdk.observability import stats
except ImportError:  # before Airflow 3.3
    from airflow.stats import Stats as stats  # type: ignore[no-redef]  # noqa: N813  the same functions

try:
    from airflow.sdk.exceptions import AirflowRescheduleException
except ImportError:  # before Airflow 3.2
    from airflow.exceptions import AirflowRescheduleException

__all__ = [
    "HAS_SCOPED_VIEWS",
    "AirflowRescheduleException",
    "add_partition_key",
    "connection_id",
    "for_each_export",
    "stats",
]

#: Since Airflow 3.4, a view of a plugin can belong to some assets and DAGs. Older versions show it on all of them.
HAS_SCOPED_VIEWS = tuple(map(int, __version__.split(".")[:2])) >= (3, 4)


def add_partition_key(outlet_event: Any, key: str) -> None:
    """Give a partition key to an asset event: since Airflow 3.3, it starts a downstream run, which shows the key.

    Older versions have no partition keys; there, a consumer only gets the event's ``extra``.
    """
    if hasattr(outlet_event, "add_partitions"):
        outlet_event.add_partitions([key])


def connection_id(path: ObjectStoragePath) -> str | None:
    """The Airflow connection of a path, or None; before Airflow 3.2 it is an option of the path."""
    return path.conn_id if hasattr(path, "conn_id") else path.storage_options.get("conn_id")


def for_each_export(asset: Asset) -> Any:
    """The schedule of a DAG that runs once for each export that updates an asset.

    Where Airflow has no partition keys, several events of the asset may be merged into one run. Since Airflow 3.4, each
    event has a run of its own, also if its key is that of another event.

    It takes one asset and not several: Airflow 3.3.2 gives a run to a key, whichever asset the key belongs to, and an
    event that arrives while the run of its key is being created gets no run. With one asset nothing is lost, because
    events with the same key have the same slices, and the run reads what is stored when it starts.
    """
    try:
        from airflow.sdk import PartitionedAssetTimetable  # noqa: PLC0415
    except ImportError:
        return [asset]
    return PartitionedAssetTimetable(assets=asset)
