"""The datasets that the DAGs of this Airflow export to, and what is stored in them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from airflow.sdk import Variable

from airflow_zendesk.dataset.layout import parse_slice_key, settings_key, slice_key
from airflow_zendesk.dataset.settings import DatasetSettings, load_settings
from airflow_zendesk.destination import open_destination
from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.storage.store import Store, Version
from airflow_zendesk.verify.coverage import Coverage
from airflow_zendesk.verify.footers import FooterCache, SliceFacts
from airflow_zendesk.window import DAY_SECONDS, Slice
from airflow_zendesk.zendesk.resources import RESOURCES, Resource

#: The name of the destination in the Variable ``zendesk_destination``; the others are named like their connections.
DEFAULT_PLACE = "default"
#: The footers that a page reads: 90 daily slices, or 41 days of hourly ones.
_MAX_DAYS, _MAX_SLICES = 90, 1_000
_FOOTERS = FooterCache()
#: Keys whose slices are remembered, because parsing them takes time too: nearly six years of hourly slices.
_MAX_PARSED = 50_000


@dataclass(frozen=True, slots=True)
class Place:
    """A destination that the DAGs export to, with the connection of its account."""

    name: str
    destination: str
    zendesk_conn_id: str


def configured_places() -> list[Place]:
    """The destinations in the Airflow Variables that the DAGs of this package read; empty if there are none.

    Raises:
        SettingsError: a Variable is invalid.
    """
    destination = Variable.get("zendesk_destination", default="")
    if not destination:
        return []
    folder = destination.rstrip("/")
    accounts = (Place(name, f"{folder}/{name}", name) for name in _accounts())
    return [Place(DEFAULT_PLACE, destination, "zendesk_default"), *accounts]


def _accounts() -> list[str]:
    text = Variable.get("zendesk_accounts", default="[]")
    try:
        names = json.loads(text)
    except ValueError:
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SettingsError(
            'The Airflow Variable zendesk_accounts is not a list of connections. Set it to one like ["zendesk_acme"].'
        )
    return names


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDataset:
    """A dataset with its settings, the versions of its slices, and its coverage."""

    place: Place
    store: Store
    settings: DatasetSettings
    versions: Mapping[Slice, Version]
    coverage: Coverage
    now: datetime

    @property
    def resource(self) -> Resource:
        """The resource of the dataset."""
        return RESOURCES[self.settings.resource]

    @property
    def uri(self) -> str:
        """The folder of the dataset."""
        return self.store.uri(self.settings.resource)

    @property
    def lag(self) -> timedelta | None:
        """The time between the end of the last slice and now."""
        return self.now - self.coverage.stored_until if self.coverage.stored_until else None

    def key(self, slice_: Slice) -> str:
        """The key of a slice."""
        return slice_key(self.settings.resource, slice_)

    def period(self, until: date) -> list[date]:
        """The days until ``until``, inclusive, whose footers a page reads."""
        per_day = DAY_SECONDS // self.settings.grain.seconds
        days = max(1, min(_MAX_DAYS, _MAX_SLICES // per_day))
        return [until - timedelta(days=back) for back in reversed(range(days))]

    def facts(self, slices: Iterable[Slice]) -> dict[Slice, SliceFacts]:
        """The footers of stored slices."""
        keys = {self.key(slice_): slice_ for slice_ in slices}
        found = _FOOTERS.read(self.store, {key: self.versions[slice_] for key, slice_ in keys.items()})
        return {keys[key]: facts for key, facts in found.items()}


def stored_resources(place: Place) -> list[str]:
    """The resources that have a dataset at a destination, in the order of ``RESOURCES``."""
    keys = open_destination(place.destination).list("_datasets")
    return [name for name in RESOURCES if settings_key(name) in keys]


def read_dataset(place: Place, resource: str) -> StoredDataset:
    """List a dataset.

    Raises:
        DatasetNotFoundError: there is no such dataset.
        StorageError: the storage fails.
    """
    store = open_destination(place.destination)
    settings = load_settings(store, resource)
    listed = ((_slice_of(resource, key), version) for key, version in store.walk(resource).items())
    versions = {slice_: version for slice_, version in listed if slice_}
    now = datetime.now(UTC)
    coverage = Coverage.of(versions, settings.grain, now)
    if RESOURCES[resource].is_list:
        # No export can make the snapshot of an earlier day.
        coverage = replace(coverage, gaps=())
    return StoredDataset(
        place=place,
        store=store,
        settings=settings,
        versions=versions,
        coverage=coverage,
        now=now,
    )


@lru_cache(maxsize=_MAX_PARSED)
def _slice_of(resource: str, key: str) -> Slice | None:
    """The slice whose object has this key, or None if it is not the key of a slice."""
    slice_ = parse_slice_key(key)
    return slice_ if slice_ and key == slice_key(resource, slice_) else None
