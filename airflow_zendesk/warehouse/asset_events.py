"""Read which slices an asset event is about, from the extra that the export attached to it. No I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_zendesk.dataset.layout import slice_key
from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.window import Grain, Slice, Window


@dataclass(frozen=True, slots=True, order=True)
class SliceRef:
    """A slice that an asset event refers to; ``dataset`` is the URI of its dataset, without a connection id."""

    dataset: str
    resource: str
    slice: Slice

    @property
    def uri(self) -> str:
        """The URI of the slice's object."""
        return self.dataset.removesuffix(self.resource) + slice_key(self.resource, self.slice)


def slice_refs(extras: Iterable[Mapping[str, Any]]) -> list[SliceRef]:
    """Return the slices that the extras of asset events refer to, sorted, each once.

    An export of many slices reports only its window and grain; the event then refers to all slices of the window.

    Raises:
        SettingsError: an event was not made by an export.
    """
    refs: set[SliceRef] = set()
    for extra in extras:
        try:
            refs.update(_refs(extra))
        except (KeyError, TypeError, ValueError):
            raise SettingsError(
                "An asset event of this run lists no slices, so no export of airflow-zendesk created it. "
                "Let an export update the asset, or set start and end to load without an event."
            ) from None
    return sorted(refs)


def _refs(extra: Mapping[str, Any]) -> list[SliceRef]:
    dataset, resource = str(extra["destination"]), str(extra["resource"])
    if "slices" in extra:
        slices: Iterable[Slice] = [Slice.of(each["start"], each["end"]) for each in extra["slices"]]
    else:
        slices = Grain.of(str(extra["grain"])).slices(Window.of(extra["start"], extra["end"]))
    return [SliceRef(dataset, resource, slice_) for slice_ in slices]
