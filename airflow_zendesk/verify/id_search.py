"""Find the slices that contain a ticket or a user: they must be exported again when a person is to be erased."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from airflow_zendesk.dataset.layout import parse_slice_key, slice_key
from airflow_zendesk.dataset.publish import open_slice
from airflow_zendesk.dataset.slice_file import read_footer, report_damage
from airflow_zendesk.exceptions import DamagedObjectError, SettingsError
from airflow_zendesk.storage.store import Store
from airflow_zendesk.window import Slice, Window
from airflow_zendesk.wording import counted
from airflow_zendesk.zendesk.redaction import hash_integer, hash_text
from airflow_zendesk.zendesk.resources import RESOURCES

#: What the ids that are searched identify.
IdKind = Literal["ticket", "user"]


@dataclass(frozen=True, slots=True)
class Match:
    """A slice that contains some of the ids, with the number of rows of each."""

    slice: Slice
    uri: str
    rows: dict[int, int]


@dataclass(slots=True)
class Search:
    """The result of a search; ``not_searched`` are objects, with the reason, that may also contain the ids."""

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
        return f"{self.done:,} of {counted(self.total, 'object')} searched, {counted(self.rows, 'row')} found"


@dataclass(frozen=True, slots=True)
class _Terms:
    """The values that stand for an id: numbers, and a regular expression for texts that contain one."""

    numbers: tuple[int, ...]
    text: str

    @classmethod
    def of(cls, id_: int, hash_key: str | None) -> Self:
        """The id, and its hashes if there is a key."""
        if not hash_key:
            return cls((id_,), rf"(^|\D){id_}(\D|$)")
        key = hash_key.encode()
        hashed = hash_integer(id_, key)
        return cls((id_, hashed), rf"(^|\D)({id_}|{hashed})(\D|$)|{hash_text(b'%d' % id_, key)}")


def find_ids(
    store: Store,
    resource: str,
    kind: IdKind,
    ids: Iterable[int],
    window: Window | None = None,
    on_progress: Callable[[SearchProgress], None] = lambda _: None,
    *,
    hash_key: str | None = None,
) -> Search:
    """Search a dataset for the rows that contain tickets or users.

    For tickets, it reads the footers, and one column of the row groups that can contain one of the ids. A user can be
    in any column, also within JSON: a row counts if a number or a text contains the id or its hash.

    Args:
        store: the destination.
        resource: the resource of the dataset.
        kind: what the ids identify.
        ids: the ids.
        window: the time to search, including slices that overlap it; None for the whole dataset.
        on_progress: called after each object.
        hash_key: the key of the dataset's hashed fields, for users; None if nothing is hashed.

    Raises:
        SettingsError: the resource has no ticket ids.
        StorageError: the dataset is unreadable.
    """
    terms = {id_: _Terms.of(id_, hash_key) for id_ in ids}
    column = None if kind == "user" else _ticket_column(resource)
    search = Search(store.uri(resource))
    keys = sorted(store.walk(resource))
    for done, key in enumerate(keys, 1):
        slice_ = parse_slice_key(key)
        if slice_ is None or key != slice_key(resource, slice_):
            search.not_searched.append((store.uri(key), "it is not a slice"))
        elif window is None or (slice_.start < window.end and window.start < slice_.end):
            _search(store, key, slice_, column, terms, search)
        on_progress(SearchProgress(done, len(keys), search.rows))
    return search


def _ticket_column(resource: str) -> str:
    """The column with the id of the ticket."""
    if resource == "tickets":
        return "id"
    with_tickets = [name for name, each in RESOURCES.items() if any(c.name == "ticket_id" for c in each.columns)]
    if resource not in with_tickets:
        raise SettingsError(f"{resource} have no ticket ids. Search one of {', '.join([*with_tickets, 'tickets'])}.")
    return "ticket_id"


def _search(
    store: Store, key: str, slice_: Slice, column: str | None, terms: dict[int, _Terms], search: Search
) -> None:
    try:
        found = _count(store, key, column, terms)
    except DamagedObjectError as error:
        search.not_searched.append((error.uri, error.reason))
        return
    search.searched += 1
    if found:
        search.matches.append(Match(slice_, store.uri(key), dict(sorted(found.items()))))


def _count(store: Store, key: str, column: str | None, terms: dict[int, _Terms]) -> Counter[int]:
    """The number of rows of each id in one slice; without a column, in any of them."""
    uri = store.uri(key)
    with open_slice(store, key) as file:
        read_footer(file, uri)
        if column is not None and column not in file.schema_arrow.names:
            raise DamagedObjectError(uri, f"it has no column {column}")
        groups = [group for group in range(file.num_row_groups) if _may_contain(file, group, column, terms)]
        found: Counter[int] = Counter()
        with report_damage(uri):
            for group in groups:
                table = file.read_row_group(group, columns=column and [column], use_threads=False)
                found += _count_in(table, terms)
        return found


def _count_in(table: pa.Table, terms: dict[int, _Terms]) -> Counter[int]:
    """The number of rows of each id: those that have one of its numbers, or one of its texts within a text."""
    found: Counter[int] = Counter()
    for id_, term in terms.items():
        matches = pa.array([False] * table.num_rows)
        for column in table.columns:
            if pa.types.is_int64(column.type):
                in_column = pc.is_in(column, pa.array(term.numbers, pa.int64()))
            elif pa.types.is_string(column.type):
                in_column = pc.match_substring_regex(column, term.text)
            else:
                continue
            matches = pc.or_kleene(matches, in_column)
        if rows := pc.sum(matches).as_py():
            found[id_] = rows
    return found


def _may_contain(file: pq.ParquetFile, group: int, column: str | None, ids: Iterable[int]) -> bool:
    """Whether, by its statistics, a row group can contain one of the ids."""
    if column is None:
        return True
    statistics = file.metadata.row_group(group).column(file.schema_arrow.get_field_index(column)).statistics
    if statistics is None or not statistics.has_min_max:
        return True
    return any(statistics.min <= id_ <= statistics.max for id_ in ids)
