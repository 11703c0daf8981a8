"""A support desk some of whose events surface later than others."""

from collections.abc import Iterator

from airflow_zendesk.emulator import Simulator
from airflow_zendesk.emulator.simulator import Event


class LateSimulator(Simulator):
    """A desk that keeps every third event back, until it is told not to."""

    redacted_comments = False

    def events(self, resource: str, start: int, end: int) -> Iterator[Event]:
        """What has surfaced of the half-open time."""
        happened = super().events(resource, start, end)
        return (event for event in happened if event.id % 3) if self.redacted_comments else happened
