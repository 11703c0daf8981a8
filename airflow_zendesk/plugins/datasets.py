"""The datasets at a destination, and what is stored in them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from airflow_zendesk.dataset.layout import parse_slice_key, settings_key, slice_key
from airflow_zendesk.dataset.settings import DatasetSettings, load_settings
from airflow_zendesk.destination import open_destination
from airflow_zendesk.plugins.places import Place
from airflow_zendesk.plugins.slice_facts import SliceFacts
from airflow_zendesk.storage.store import ListedObject, Store
from airflow_zendesk.verify.coverage import Coverage
from airflow_zendesk.verify.footers import FooterCache, ReadFooter
from airflow_zendesk.verify.verified_slices import VerifiedSlices, read_verified
from airflow_zendesk.window import DAY_SECONDS, Slice
from airflow_zendesk.zendesk.resources import RESOURCES, Resource

#: What a page shows in detail: 90 daily slices, or 41 days of hourly ones. It reads the footers of no more slices.
_MAX_DAYS, _MAX_SLICES = 90, 1_000
_FOOTERS = FooterCache()
#: Keys whose slices are remembered, because parsing them takes time too: nearly six years of hourly slices.
_MAX_PARSED = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDataset:
    """A dataset as it was listed at ``now``: the objects of its slices, and what verifications have found of them."""

    place: Place
    store: Store
    settings: DatasetSettings
    objects: Mapping[Slice, ListedObject]
    coverage: Coverage
    verified: Mapping[Slice, SliceFacts]
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
    def bytes(self) -> int:
        """The size of all slices."""
        return sum(self.objects[slice_].size for slice_ in self.coverage.stored)

    @property
    def lag(self) -> timedelta | None:
        """The time between the end of the last slice and now."""
        return self.now - self.coverage.stored_until if self.coverage.stored_until else None

    def key(self, slice_: Slice) -> str:
        """The key of a slice."""
        return slice_key(self.settings.resource, slice_)

    def period(self, until: date) -> list[date]:
        """The days until ``until``, inclusive, that a page shows in detail."""
        per_day = DAY_SECONDS // self.settings.grain.seconds
        days = max(1, min(_MAX_DAYS, _MAX_SLICES // per_day))
        return [until - timedelta(days=back) for back in reversed(range(days))]

    def footers(self, slices: Iterable[Slice]) -> dict[Slice, ReadFooter]:
        """Read the footers of stored slices."""
        keys = {self.key(slice_): slice_ for slice_ in slices}
        found = _FOOTERS.read(self.store, {key: self.objects[slice_].version for key, slice_ in keys.items()})
        return {keys[key]: read for key, read in found.items()}

    def facts(self, readable: Sequence[Slice]) -> dict[Slice, SliceFacts]:
        """What is known of the stored slices: from verifications, and from the footers of ``readable`` slices."""
        read = self.footers([slice_ for slice_ in readable if slice_ not in self.verified])
        return {**self.verified, **{slice_: SliceFacts.of_footer(footer) for slice_, footer in read.items()}}


#: The maximum age of a listing that another page may show, so that a user who opens several pages waits once.
MAX_AGE = timedelta(seconds=10)
_RECENT: dict[tuple[Place, str], StoredDataset] = {}


def stored_resources(place: Place) -> list[str]:
    """The resources that have a dataset at a destination, in the order of ``RESOURCES``."""
    keys = open_destination(place.destination).list("_datasets")
    return [name for name in RESOURCES if settings_key(name) in keys]


def read_dataset(place: Place, resource: str, *, max_age: timedelta = MAX_AGE) -> StoredDataset:
    """List a dataset, or return a listing that is not older than ``max_age``.

    Raises:
        DatasetNotFoundError: there is no such dataset.
        StorageError: the storage fails.
    """
    now = datetime.now(UTC)
    for key, listed in list(_RECENT.items()):
        if now - listed.now > MAX_AGE:
            _RECENT.pop(key, None)
    recent = _RECENT.get((place, resource))
    if recent is None or now - recent.now > max_age:
        recent = _RECENT[place, resource] = _list_dataset(place, resource, now)
    return recent


def _list_dataset(place: Place, resource: str, now: datetime) -> StoredDataset:
    store = open_destination(place.destination)
    settings = load_settings(store, resource)
    listed = ((_slice_of(resource, key), found) for key, found in store.walk_sizes(resource).items())
    objects = {slice_: found for slice_, found in listed if slice_}
    coverage = Coverage.of(objects, settings.grain, now)
    if RESOURCES[resource].is_list:
        # No export can make the snapshot of an earlier day.
        coverage = replace(coverage, gaps=())
    return StoredDataset(
        place=place,
        store=store,
        settings=settings,
        objects=objects,
        coverage=coverage,
        verified=_verified(objects, coverage, read_verified(store, resource)),
        now=now,
    )


def _verified(
    objects: Mapping[Slice, ListedObject], coverage: Coverage, results: VerifiedSlices
) -> dict[Slice, SliceFacts]:
    """The results for the versions that are stored now."""
    found = ((slice_, results.get(slice_.start_time)) for slice_ in coverage.stored)
    return {
        slice_: SliceFacts.of_verified(result)
        for slice_, result in found
        if result and result.version == objects[slice_].version
    }


@lru_cache(maxsize=_MAX_PARSED)
def _slice_of(resource: str, key: str) -> Slice | None:
    """The slice whose object has this key, or None if it is not the key of a slice."""
    slice_ = parse_slice_key(key)
    return slice_ if slice_ and key == slice_key(resource, slice_) else None
