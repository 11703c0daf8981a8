"""What only newer Airflows have, and what has moved."""

from collections.abc import Iterable
from typing import Any

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
