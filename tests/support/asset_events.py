"""The objects with asset events that Airflow passes to a task."""

from types import SimpleNamespace
from typing import Any

from airflow.sdk import Asset

EVENTS = Asset("zendesk_ticket_events")


class Outlet:
    """The outgoing event of an asset, with partitions (since Airflow 3.3)."""

    def __init__(self) -> None:
        self.extra: dict[str, Any] = {}
        self.partitions: list[str] = []

    def add_partitions(self, keys: list[str]) -> None:
        """Add the keys of partitions."""
        self.partitions += keys


class OutletEvents:
    """The outgoing events of a task. Not a dictionary, because an Asset of Airflow 3.1 is not hashable."""

    def __init__(self, outlet: Outlet) -> None:
        self.outlet = outlet

    def __getitem__(self, asset: Asset) -> Outlet:
        assert EVENTS.name == asset.name
        return self.outlet


def triggering(*extras: dict[str, Any]) -> dict[str, list[SimpleNamespace]]:
    """The asset events that started a run."""
    return {EVENTS.name: [SimpleNamespace(extra=extra) for extra in extras]}
