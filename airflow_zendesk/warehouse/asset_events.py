"""Which slices an asset event is about: what the export put on it, read again. Pure, for loads of every warehouse."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_zendesk.dataset.layout import slice_key
from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.window import Grain, Slice, Window, to_utc


@dataclass(frozen=True, slots=True, order=True)
class SliceRef:
    """A slice that an export tells of; ``dataset`` is the address of its dataset, without a connection id."""

    dataset: str
    resource: str
    slice: Slice

    @property
    def uri(self) -> str:
        """Where it lies."""
        return self.dataset.removesuffix(self.resource) + slice_key(self.resource, self.slice)


def slice_refs(extras: Iterable[Mapping[str, Any]], partition_key: str | None = None) -> list[SliceRef]:
    """The slices that the extras of asset events name, in order, each once.

    An export of many slices tells only its window and grain, and means all slices in it. With a partition key, which is
    the start of a slice, an event that lists its slices means only that one: each of the others has a run of its own.

    Raises:
        SettingsError: an event is none of our exports', or names no slice of that key.
    """
    named: set[SliceRef] = set()
    for extra in extras:
        try:
            told = _told(extra)
        except (KeyError, TypeError, ValueError):
            raise SettingsError(
                "An asset event of this run tells of no slices: no export of airflow-zendesk made it, but somebody by "
                "hand. To load without an event, give start and end."
            ) from None
        if partition_key is not None and "slices" in extra:
            start = to_utc(f"{partition_key}+00:00", "partition key")
            told = [each for each in told if each.slice.start == start]
            if not told:
                raise SettingsError(f"The event of partition {partition_key} lists no slice that starts then.")
        named.update(told)
    return sorted(named)


def _told(extra: Mapping[str, Any]) -> list[SliceRef]:
    dataset, resource = str(extra["destination"]), str(extra["resource"])
    if "slices" in extra:
        slices: Iterable[Slice] = [Slice.of(each["start"], each["end"]) for each in extra["slices"]]
    else:
        slices = Grain.of(str(extra["grain"])).slices(Window.of(extra["start"], extra["end"]))
    return [SliceRef(dataset, resource, slice_) for slice_ in slices]
