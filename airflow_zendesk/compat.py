"""What only newer Airflows have."""

from collections.abc import Iterable
from typing import Any


def add_partition_keys(outlet_event: Any, keys: Iterable[str]) -> None:
    """Name the partitions that an asset event brings: Airflow 3.3 starts one downstream run for each.

    Older Airflows have no partition keys; there the event's ``extra`` is all a consumer gets.
    """
    if hasattr(outlet_event, "add_partitions"):
        outlet_event.add_partitions(list(keys))
