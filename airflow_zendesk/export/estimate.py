"""Estimate the cost of a long export from a few requests."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from airflow_zendesk.dataset.settings import DatasetSettings
from airflow_zendesk.dataset.slice_file import Certificate, SliceWriter
from airflow_zendesk.export.sampling import Sampling, requests_per_run
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.window import DEFAULT_GRAIN, Grain, Slice, Window
from airflow_zendesk.zendesk.cursor_paging import sweep_of
from airflow_zendesk.zendesk.page_size import MAX_PER_PAGE
from airflow_zendesk.zendesk.records import Record
from airflow_zendesk.zendesk.resources import Query

#: One minute of Zendesk's documented limit.
MAX_PROBES = 10


@dataclass(frozen=True, slots=True)
class Cost:
    """Requests, and the minutes they take at the account's limit if nothing else uses it."""

    requests: int
    minutes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The estimated content of a window, and the cost of its export.

    ``events`` is right within ``margin`` with 95 % confidence: 0 if they were counted, None if only one page was
    sampled. ``bytes`` is the size of all slices in storage.
    """

    window: Window
    grain: str
    slices: int
    probes: int
    requests_per_minute: int
    events: int
    noun: str
    margin: int | None
    bytes: int
    sweep: Cost
    run_per_slice: Cost

    def to_dict(self) -> dict[str, Any]:
        """The estimate as JSON values; times are ISO 8601."""
        window = {"start": self.window.start.isoformat(), "end": self.window.end.isoformat()}
        return {**asdict(self), "window": window}


def estimate(hook: ZendeskHook, query: Query, window: Window, grain: Grain) -> Estimate:
    """Estimate the cost of a window, made of whole slices, from at most ``MAX_PROBES`` of its pages."""
    slices = grain.slices(window)
    sampling = Sampling(window=window, pages=MAX_PROBES)
    sizes = []
    while not sampling.done:
        start = window.start + timedelta(seconds=sampling.start_time - window.start_time)
        pages = hook.iter_sweep(query, sweep_of(query.resource, [Window(start, window.end)]))
        # The first may not advance; it is then requested again in another size.
        page = next(page for page in pages if page.complete_until > page.start_time)
        sampling.take(len(page.records), page.complete_until)
        sample = sampling.samples[-1]
        per_slice = sample.rate * grain.seconds
        sizes.append(_slice_size(query, slices[0], page.records, per_slice) * sample.share / grain.seconds)
    limit = hook.requests_per_minute(query)
    sweep_requests = int(sampling.events) // MAX_PER_PAGE + 1
    requests = requests_per_run(sampling.samples, grain.seconds, MAX_PER_PAGE)
    return Estimate(
        window=window,
        grain=str(grain),
        slices=len(slices),
        probes=len(sampling.samples),
        requests_per_minute=limit,
        events=round(sampling.events),
        noun=query.resource.noun,
        margin=None if sampling.margin is None else round(sampling.margin),
        bytes=round(sum(sizes)),
        sweep=Cost(sweep_requests, round(sweep_requests / limit, 1)),
        run_per_slice=Cost(requests, round(requests / limit, 1)),
    )


def _slice_size(query: Query, slice_: Slice, records: Sequence[Record], rows: float) -> float:
    """The size in storage of a slice with that many rows like these."""
    empty = _file_size(query, slice_, [])
    some = records[: max(1, round(rows))]
    return empty + (_file_size(query, slice_, some) - empty) * rows / len(some) if some else empty


def _file_size(query: Query, slice_: Slice, records: Sequence[Record]) -> int:
    with closing(SliceWriter(DatasetSettings.from_query(query, "", DEFAULT_GRAIN, None), slice_)) as writer:
        if records:
            writer.write(records)
        return writer.seal(Certificate("end_time", None, slice_.end_time), duplicates=0).size
