"""Find the slices that contain a ticket: they must be exported again when a person is to be erased."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pyarrow.parquet as pq

from airflow_zendesk.dataset.layout import parse_slice_key, slice_key
from airflow_zendesk.dataset.publish import open_slice
from airflow_zendesk.dataset.slice_file import read_footer, report_damage
from airflow_zendesk.exceptions import DamagedObjectError
from airflow_zendesk.storage.store import Store
from airflow_zendesk.window import Slice, Window

_COLUMN = "ticket_id"


@dataclass(frozen=True, slots=True)
class Match:
    """A slice that contains some of the tickets, with the number of rows of each."""

    slice: Slice
    uri: str
    rows: dict[int, int]


@dataclass(slots=True)
class Search:
    """The result of a search; ``not_searched`` are objects, with the reason, that may also contain the tickets."""

    uri: str
    searched: int = 0
    matches: list[Match] = field(default_factory=list)
    not_searched: list[tuple[str, str]] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """The number of rows found in all slices."""
        return sum(sum(match.rows.values()) for match in self.matches)


@dataclass(frozen=True, slots=True)
class SearchProgress:
    """The progress of a search."""

    done: int
    total: int
    rows: int

    def __str__(self) -> str:
        return f"{self.done:,} of {self.total:,} objects searched, {self.rows:,} rows found"


def find_tickets(
    store: Store,
    resource: str,
    ticket_ids: Iterable[int],
    window: Window | None = None,
    on_progress: Callable[[SearchProgress], None] = lambda _: None,
) -> Search:
    """Search a dataset for the rows of tickets.

    Reads the footer of each slice, and the column ``ticket_id`` of the row groups that can contain one of the tickets.

    Args:
        store: the destination.
        resource: the resource of the dataset.
        ticket_ids: the tickets.
        window: the time to search, including slices that overlap it; None for the whole dataset.
        on_progress: called after each object.

    Raises:
        StorageError: the dataset cannot be read.
    """
    wanted = frozenset(ticket_ids)
    search = Search(store.uri(resource))
    keys = sorted(store.walk(resource))
    for done, key in enumerate(keys, 1):
        slice_ = parse_slice_key(key)
        if slice_ is None or key != slice_key(resource, slice_):
            search.not_searched.append((store.uri(key), "it is not a slice"))
        elif window is None or (slice_.start < window.end and window.start < slice_.end):
            _search(store, key, slice_, wanted, search)
        on_progress(SearchProgress(done, len(keys), search.rows))
    return search


def _search(store: Store, key: str, slice_: Slice, wanted: frozenset[int], search: Search) -> None:
    try:
        found = _count(store, key, wanted)
    except DamagedObjectError as error:
        search.not_searched.append((error.uri, error.reason))
        return
    search.searched += 1
    if found:
        search.matches.append(Match(slice_, store.uri(key), dict(sorted(found.items()))))


def _count(store: Store, key: str, wanted: frozenset[int]) -> Counter[int]:
    """The number of rows of each ticket in one slice."""
    with open_slice(store, key) as file:
        read_footer(file, store.uri(key))
        groups = [group for group in range(file.num_row_groups) if _may_contain(file, group, wanted)]
        with report_damage(store.uri(key)):
            column = file.read_row_groups(groups, columns=[_COLUMN], use_threads=False).column(_COLUMN)
        return Counter(ticket_id for ticket_id in column.to_pylist() if ticket_id in wanted)


def _may_contain(file: pq.ParquetFile, group: int, wanted: frozenset[int]) -> bool:
    """Whether, by its statistics, a row group can contain one of the tickets."""
    statistics = file.metadata.row_group(group).column(file.schema_arrow.get_field_index(_COLUMN)).statistics
    if statistics is None or not statistics.has_min_max:
        return True
    return any(statistics.min <= ticket_id <= statistics.max for ticket_id in wanted)
