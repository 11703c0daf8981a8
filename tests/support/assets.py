"""What Airflow hands to a task about assets."""

from types import SimpleNamespace
from typing import Any

from airflow.sdk import Asset

EVENTS = Asset("zendesk_ticket_events")


class Outlet:
    """An asset's event, since 3.3 with partitions."""

    def __init__(self) -> None:
        self.extra: dict[str, Any] = {}
        self.partitions: list[str] = []

    def add_partitions(self, keys: list[str]) -> None:
        """Name partitions."""
        self.partitions += keys


class OutletEvents:
    """The events of all assets of a task; no dictionary, for an Asset of Airflow 3.1 cannot be a key of one."""

    def __init__(self, outlet: Outlet) -> None:
        self.outlet = outlet

    def __getitem__(self, asset: Asset) -> Outlet:
        assert EVENTS.name == asset.name
        return self.outlet


def triggering(*extras: dict[str, Any]) -> dict[str, list[SimpleNamespace]]:
    """The events that a run has been started by."""
    return {EVENTS.name: [SimpleNamespace(extra=extra) for extra in extras]}
