"""Which slices of a dataset are in the warehouse that the DAGs of this package load."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from airflow.sdk import Variable

from airflow_zendesk.exceptions import ZendeskError
from airflow_zendesk.plugins.datasets import StoredDataset
from airflow_zendesk.plugins.places import DEFAULT_PLACE
from airflow_zendesk.plugins.slice_facts import SliceFacts
from airflow_zendesk.warehouse.loaded import loaded_digests
from airflow_zendesk.warehouse.loading import open_warehouse
from airflow_zendesk.window import Slice

#: The schema of the shipped DAGs.
_SCHEMA = "zendesk"
#: The resources whose DAG loads a window on demand.
_LOADED_ON_DEMAND = ("ticket_events", "ticket_metric_events")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loads:
    """The digests of loaded slices, by start; none and the reason in ``error`` if the warehouse cannot be read."""

    warehouse: str
    digests: Mapping[datetime, str] = field(default_factory=dict)
    error: str = ""

    def state(self, slice_: Slice, facts: SliceFacts | None) -> str:
        """Whether a slice is loaded, in words; ``facts`` are those of the stored version, if they are known."""
        if self.error:
            return "unknown"
        if slice_.start not in self.digests:
            return "not loaded"
        if facts and facts.digest not in {None, self.digests[slice_.start]}:
            return "another version"
        return "loaded"

    def loaded(self, slices: Iterable[Slice], facts: Mapping[Slice, SliceFacts]) -> set[Slice] | None:
        """Those of the slices that are loaded as they are stored; None if that is unknown."""
        if self.error:
            return None
        return {slice_ for slice_ in slices if self.state(slice_, facts.get(slice_)) == "loaded"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unloaded:
    """How many slices are not loaded or loaded in another version, and the command that loads them, if there is one."""

    absent: int
    outdated: int
    command: str


def read_loads(stored: StoredDataset) -> Loads | None:
    """Read the ledger of the warehouse; None if the DAGs load this dataset into none."""
    warehouse = Variable.get("zendesk_warehouse", default="")
    if not warehouse or stored.place.name != DEFAULT_PLACE:
        return None
    try:
        database = open_warehouse(warehouse, _SCHEMA, read_only=True)
        return Loads(warehouse=database.name, digests=loaded_digests(database, stored.settings.resource))
    except ZendeskError as error:
        return Loads(warehouse=warehouse, error=str(error))


def unloaded(stored: StoredDataset, loads: Loads, facts: Mapping[Slice, SliceFacts]) -> Unloaded:
    """The slices that a load would add or replace."""
    states = {slice_: loads.state(slice_, facts.get(slice_)) for slice_ in stored.coverage.stored}
    wanted = [slice_ for slice_, state in states.items() if state != "loaded"]
    command = ""
    if wanted and stored.settings.resource in _LOADED_ON_DEMAND:
        first = wanted[0].start.date()
        after = (wanted[-1].end - timedelta(seconds=1)).astimezone(UTC).date() + timedelta(days=1)
        conf = json.dumps({"start": f"{first}", "end": f"{after}"})
        command = f"airflow dags trigger zendesk_load_{stored.settings.resource} --conf '{conf}'"
    return Unloaded(
        absent=sum(state == "not loaded" for state in states.values()),
        outdated=sum(state == "another version" for state in states.values()),
        command=command,
    )
