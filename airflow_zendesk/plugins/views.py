"""The values that the templates of the coverage pages show."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from airflow_zendesk.dataset.settings import DatasetSettings
from airflow_zendesk.exceptions import ZendeskError
from airflow_zendesk.plugins.datasets import (
    DEFAULT_PLACE,
    Place,
    StoredDataset,
    configured_places,
    read_dataset,
    stored_resources,
)
from airflow_zendesk.plugins.days import STATES, bars, calendar, calendar_days, days_of
from airflow_zendesk.plugins.repair_plan import plan_repair
from airflow_zendesk.plugins.setup_check import check_setup
from airflow_zendesk.verify.repair import Target
from airflow_zendesk.window import Slice
from airflow_zendesk.zendesk.resources import Query

#: The most gaps that a page lists with a command each.
_MAX_GAPS = 50


def overview() -> dict[str, Any]:
    """All datasets, by destination, and the set-up checklist."""
    return {"groups": _groups(), "checks": check_setup()}


def summary() -> dict[str, int]:
    """The numbers of the tile on the home page."""
    rows = [row for group in _groups() for row in group["rows"]]
    return {"datasets": len(rows), "missing": sum(row["coverage"].missing for row in rows)}


def _groups() -> list[dict[str, Any]]:
    """The datasets of each destination; a destination that cannot be read has an error instead."""
    groups: list[dict[str, Any]] = []
    for place in configured_places():
        try:
            rows = [_row(read_dataset(place, resource)) for resource in stored_resources(place)]
        except ZendeskError as error:
            groups.append({"place": place, "rows": [], "error": str(error)})
        else:
            groups.append({"place": place, "rows": rows, "error": ""})
    return groups


def dataset(place: Place, resource: str, until: date) -> dict[str, Any]:
    """One dataset, with its days until ``until``."""
    stored = read_dataset(place, resource)
    until = max(min(until, stored.now.date()), (stored.coverage.start or stored.now).date())
    period = stored.period(until)
    facts = stored.facts([slice_ for slice_ in stored.coverage.stored if period[0] <= slice_.start.date() <= until])
    days = days_of(period, stored.coverage, facts)
    target = Target(place.destination, stored.settings, place.zendesk_conn_id)
    gaps = stored.coverage.gaps
    others = _other_settings(stored)
    # The DAG exports the default account only, and a snapshot of a list cannot be made for a day that is over.
    can_plan = place.name == DEFAULT_PLACE and not stored.resource.is_list and not others
    return {
        **_row(stored),
        "calendar": calendar(days_of(calendar_days(until), stored.coverage, facts)),
        "bars": bars(days),
        "days": days[::-1],
        "rows": sum(day.rows or 0 for day in days),
        "states": STATES,
        "unreadable": sum(fact.footer is None for fact in facts.values()),
        "gaps": [
            {"window": gap, "slices": stored.coverage.count(gap), "command": target.export(gap)}
            for gap in gaps[:_MAX_GAPS]
        ],
        "more_gaps": max(0, len(gaps) - _MAX_GAPS),
        "other_settings": others,
        "plan": plan_repair(stored.coverage, facts.values(), stored.now) if can_plan else None,
        "earlier": period[0] - timedelta(days=1) if _has_earlier(stored, period[0]) else None,
        "is_latest": until == stored.now.date(),
    }


def day(place: Place, resource: str, day: date) -> dict[str, Any]:
    """The slices of a day, with what their footers say."""
    stored = read_dataset(place, resource)
    slices = [slice_ for slice_ in stored.coverage.stored if slice_.start.date() == day]
    facts = stored.facts(slices)
    gaps = [gap for gap in stored.coverage.gaps if gap.start.date() <= day <= (gap.end - timedelta(seconds=1)).date()]
    return {
        **_row(stored),
        "day": day,
        "slices": [_slice(stored, slice_, facts) for slice_ in slices],
        "gaps": gaps,
    }


def _other_settings(stored: StoredDataset) -> list[str]:
    """The settings of the dataset that the DAG ``zendesk_history`` does not have: its run would be refused."""
    settings = stored.settings
    of_dag = DatasetSettings.from_query(Query.of(settings.resource), settings.account, settings.grain, None)
    return sorted(settings.differences(of_dag))


def _row(stored: StoredDataset) -> dict[str, Any]:
    return {
        "place": stored.place,
        "resource": stored.settings.resource,
        "is_list": stored.resource.is_list,
        "settings": stored.settings,
        "uri": stored.uri,
        "coverage": stored.coverage,
        "lag": stored.lag,
    }


def _slice(stored: StoredDataset, slice_: Slice, facts: Mapping[Slice, Any]) -> dict[str, Any]:
    key = stored.key(slice_)
    written, size = stored.store.details(key)
    footer = facts[slice_].footer
    proven = datetime.fromtimestamp(footer.certificate.server_date_at_least, UTC) if footer else None
    return {
        "slice": slice_,
        "uri": stored.store.uri(key),
        "bytes": size,
        "written": written,
        "footer": footer,
        "damage": facts[slice_].damage,
        "proven": proven,
    }


def _has_earlier(stored: StoredDataset, first: date) -> bool:
    return stored.coverage.start is not None and stored.coverage.start.date() < first
