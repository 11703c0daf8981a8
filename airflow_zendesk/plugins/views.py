"""The values that the templates of the coverage pages show."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from functools import partial
from typing import Any

from airflow_zendesk.dataset.settings import DatasetSettings
from airflow_zendesk.exceptions import DatasetError, ZendeskError
from airflow_zendesk.plugins.datasets import MAX_AGE, StoredDataset, read_dataset, stored_resources
from airflow_zendesk.plugins.days import STATES, bars, calendar, calendar_days, days_of
from airflow_zendesk.plugins.loads import read_loads, unloaded
from airflow_zendesk.plugins.places import DEFAULT_PLACE, Place, known_places
from airflow_zendesk.plugins.repair_plan import plan_repair
from airflow_zendesk.plugins.setup_check import check_setup
from airflow_zendesk.plugins.slice_facts import SliceFacts, Totals
from airflow_zendesk.verify.repair import Target
from airflow_zendesk.window import Slice, Window
from airflow_zendesk.zendesk.resources import Query

#: Requests to a storage at a time.
_THREADS = 16
#: The footers that the overview reads of each dataset.
_MAX_COUNTED = 100
#: The most gaps that a page lists with a command each.
_MAX_GAPS = 50


def overview() -> dict[str, Any]:
    """All datasets, by destination, and the set-up checklist."""
    return {"groups": _groups(), "checks": check_setup()}


def summary() -> dict[str, int]:
    """The numbers of the tile on the home page; ``unreadable`` counts destinations."""
    datasets: list[StoredDataset] = []
    unreadable = 0
    for place in known_places():
        try:
            found, errors = _read_datasets(place)
        except ZendeskError:
            # Of an export that no Variable names, the API server may lack the credentials.
            unreadable += place.is_configured
        else:
            datasets += found
            unreadable += bool(errors)
    missing = sum(stored.coverage.missing for stored in datasets)
    return {"datasets": len(datasets), "missing": missing, "unreadable": unreadable}


def _groups() -> list[dict[str, Any]]:
    """The datasets of each destination; a destination or a dataset that cannot be read has an error instead."""
    groups: list[dict[str, Any]] = []
    for place in known_places():
        try:
            found, errors = _read_datasets(place)
            rows = [_row(stored, stored.facts(stored.coverage.stored[-_MAX_COUNTED:])) for stored in found]
        except ZendeskError as error:
            groups.append({"place": place, "rows": [], "errors": [str(error)]})
        else:
            if rows or errors or place.is_configured:
                groups.append({"place": place, "rows": rows, "errors": errors})
    return groups


def _read_datasets(place: Place) -> tuple[list[StoredDataset], list[str]]:
    """The datasets at a destination, and the errors of those whose settings are damaged or newer than this package.

    They are listed at the same time, because a storage takes its time to answer.
    """
    resources = stored_resources(place)
    with ThreadPoolExecutor(_THREADS) as pool:
        results = list(pool.map(partial(_read_or_error, place), resources))
    return (
        [each for each in results if isinstance(each, StoredDataset)],
        [each for each in results if isinstance(each, str)],
    )


def _read_or_error(place: Place, resource: str) -> StoredDataset | str:
    try:
        return read_dataset(place, resource)
    except DatasetError as error:
        return str(error)


def dataset(place: Place, resource: str, until: date, *, fresh: bool = False) -> dict[str, Any]:
    """One dataset, with its days until ``until``; ``fresh`` if an earlier listing would be wrong."""
    stored = read_dataset(place, resource, max_age=timedelta() if fresh else MAX_AGE)
    until = max(min(until, stored.now.date()), (stored.coverage.start or stored.now).date())
    period = stored.period(until)
    facts = stored.facts([slice_ for slice_ in stored.coverage.stored if period[0] <= slice_.start.date() <= until])
    loads = read_loads(stored)
    loaded = loads.loaded(stored.coverage.stored, facts) if loads else None
    days = days_of(period, stored.coverage, facts, loaded)
    return {
        **_row(stored, facts),
        **_gaps(stored, facts),
        "verify_command": _verify_command(stored),
        "loads": loads,
        "unloaded": unloaded(stored, loads, facts) if loads else None,
        "calendar": calendar(days_of(calendar_days(until), stored.coverage, facts, loaded)),
        "bars": bars(days),
        "days": days[::-1],
        "rows": sum(day.rows or 0 for day in days),
        "states": STATES,
        "earlier": period[0] - timedelta(days=1) if _has_earlier(stored, period[0]) else None,
        "is_latest": until == stored.now.date(),
    }


def day(place: Place, resource: str, day: date) -> dict[str, Any]:
    """The slices of a day, with what their footers say."""
    stored = read_dataset(place, resource)
    slices = [slice_ for slice_ in stored.coverage.stored if slice_.start.date() == day]
    facts = stored.facts(slices)
    return {
        **_row(stored, facts),
        "day": day,
        "slices": _slices(stored, slices, facts),
        "gaps": [
            gap for gap in stored.coverage.gaps if gap.start.date() <= day <= (gap.end - timedelta(seconds=1)).date()
        ],
    }


def _verify_command(stored: StoredDataset) -> str:
    """The command that verifies all slices; empty if there is none."""
    start, end = stored.coverage.start, stored.coverage.stored_until
    target = Target(stored.place.destination, stored.settings)
    return target.verify(Window(start, end)) if start and end else ""


def _gaps(stored: StoredDataset, facts: Mapping[Slice, SliceFacts]) -> dict[str, Any]:
    """The gaps with their commands, and the run that exports all of them."""
    target = Target(stored.place.destination, stored.settings, stored.place.zendesk_conn_id)
    gaps, others = stored.coverage.gaps, _other_settings(stored)
    # The DAG exports the default account only, and a snapshot of a list cannot be made for a day that is over.
    can_plan = stored.place.name == DEFAULT_PLACE and not stored.resource.is_list and not others
    return {
        "gaps": [
            {"window": gap, "slices": stored.coverage.count(gap), "command": target.export(gap)}
            for gap in gaps[:_MAX_GAPS]
        ],
        "more_gaps": max(0, len(gaps) - _MAX_GAPS),
        "other_settings": others,
        "plan": plan_repair(stored.coverage, facts.values(), stored.now) if can_plan else None,
    }


def _other_settings(stored: StoredDataset) -> list[str]:
    """The settings of the dataset that the DAG ``zendesk_history`` does not have: its run would be refused."""
    settings = stored.settings
    of_dag = DatasetSettings.from_query(Query.of(settings.resource), settings.account, settings.grain, None)
    return sorted(settings.differences(of_dag))


def _row(stored: StoredDataset, facts: Mapping[Slice, SliceFacts]) -> dict[str, Any]:
    return {
        "place": stored.place,
        "resource": stored.settings.resource,
        "is_list": stored.resource.is_list,
        "settings": stored.settings,
        "uri": stored.uri,
        "listed": stored.now,
        "coverage": stored.coverage,
        "lag": stored.lag,
        "bytes": stored.bytes,
        "totals": Totals.of(facts.values()),
    }


def _slices(stored: StoredDataset, slices: Sequence[Slice], facts: Mapping[Slice, SliceFacts]) -> list[dict[str, Any]]:
    """What is known of each slice of a day."""
    loads, read = read_loads(stored), stored.footers(slices)
    with ThreadPoolExecutor(_THREADS) as pool:
        written = list(pool.map(lambda slice_: stored.store.modified_at(stored.key(slice_)), slices))
    return [
        {
            "slice": slice_,
            "uri": stored.store.uri(stored.key(slice_)),
            "bytes": stored.objects[slice_].size,
            "written": at,
            "footer": read[slice_].footer,
            "damage": read[slice_].damage,
            "facts": facts[slice_],
            "loaded": loads.state(slice_, facts[slice_]) if loads else "",
        }
        for slice_, at in zip(slices, written, strict=True)
    ]


def _has_earlier(stored: StoredDataset, first: date) -> bool:
    return stored.coverage.start is not None and stored.coverage.start.date() < first
