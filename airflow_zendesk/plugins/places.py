"""The destinations that the coverage pages show: those of this Airflow's Variables, and those of other exports.

An event names a destination without the id of its connection, so the credentials must be those of the environment.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from airflow.models.asset import AssetEvent
from airflow.sdk import Variable
from airflow.utils.session import create_session
from sqlalchemy import func, select

from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.zendesk.resources import RESOURCES

#: The name of the destination in the Variable ``zendesk_destination``. Those of accounts are named like their
#: connections, and the others are named by their URIs.
DEFAULT_PLACE = "default"


@dataclass(frozen=True, slots=True)
class Place:
    """A destination that DAGs export to, with the connection of its account.

    Of a destination that no Variable names, the connection is unknown, and a guess.
    """

    name: str
    destination: str
    zendesk_conn_id: str = "zendesk_default"
    is_configured: bool = True


def known_places() -> list[Place]:
    """The destinations in the Variables of the shipped DAGs, then those of events of other exports.

    Raises:
        SettingsError: a Variable is invalid.
    """
    configured = _configured_places()
    uris = {_without_connection(place.destination) for place in configured}
    return [*configured, *(Place(uri, uri, is_configured=False) for uri in sorted(set(_exported_to()) - uris))]


def _configured_places() -> list[Place]:
    destination = Variable.get("zendesk_destination", default="")
    if not destination:
        return []
    folder = destination.rstrip("/")
    accounts = (Place(name, f"{folder}/{name}", name) for name in _accounts())
    return [Place(DEFAULT_PLACE, destination), *accounts]


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


def _exported_to() -> Iterator[str]:
    """The destinations in the newest event of each asset, without connection ids.

    Only events of tasks count: through Airflow's API, users who cannot run code create events with any content, and the
    API server would read what they name.
    """
    newest = select(func.max(AssetEvent.id)).where(AssetEvent.source_task_id.is_not(None)).group_by(AssetEvent.asset_id)
    with create_session() as session:
        extras = session.scalars(select(AssetEvent.extra).where(AssetEvent.id.in_(newest))).all()
    for extra in extras:
        dataset, resource = (extra or {}).get("destination"), (extra or {}).get("resource")
        if (
            isinstance(dataset, str)
            and isinstance(resource, str)
            and resource in RESOURCES
            and dataset.endswith(f"/{resource}")
        ):
            yield dataset.removesuffix(f"/{resource}")


def _without_connection(destination: str) -> str:
    """The destination as an event names it; an invalid URL as it is."""
    try:
        url = urlsplit(destination.rstrip("/"))
    except ValueError:
        return destination
    return url._replace(netloc=url.netloc.rpartition("@")[2]).geturl()
