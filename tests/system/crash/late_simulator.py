"""A simulator that can hold some of its events back."""

from collections.abc import Iterator

from airflow_zendesk.emulator import Simulator
from airflow_zendesk.emulator.simulator import Event


class LateSimulator(Simulator):
    """A simulator that leaves out every third event while ``holds_back`` is true."""

    holds_back = False

    def events(self, resource: str, start: int, end: int) -> Iterator[Event]:
        """The visible events of a half-open time."""
        events = super().events(resource, start, end)
        return (event for event in events if event.id % 3) if self.holds_back else events
