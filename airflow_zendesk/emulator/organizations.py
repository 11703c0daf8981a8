"""The organizations of the account: most were imported in one second, others were added over the years."""

from collections.abc import Iterator
from functools import lru_cache

from airflow_zendesk.emulator.entities import Entity, entity_bytes, revisions_in
from airflow_zendesk.emulator.fixtures import IMPORTED_ORGANIZATION_IDS, LATER_ORGANIZATION_IDS
from airflow_zendesk.emulator.revisions import Revision, current_of

_HOUR, _DAY = 3_600, 86_400
#: An organization is added every five days, after the import.
_ADDED_EVERY = 5 * _DAY + 4_321
#: Every fourth of these is deleted, at its second change.
_DELETED_EVERY, _DELETION = 4, 2


class Organizations:
    """The organizations of the account, with their revisions. Each changes every 3 to 66 days.

    Args:
        opened: When the account was opened, in unix seconds.
    """

    def __init__(self, opened: int) -> None:
        self._entities = [
            *(_entity(id_, opened, deletion=0) for id_ in IMPORTED_ORGANIZATION_IDS),
            *(
                _entity(id_, opened + number * _ADDED_EVERY, deletion=0 if number % _DELETED_EVERY else _DELETION)
                for number, id_ in enumerate(LATER_ORGANIZATION_IDS, start=1)
            ),
        ]
        self._hour = lru_cache(maxsize=24)(self._compute_hour)

    def current(self, start: int, now: int) -> Iterator[Revision[Entity]]:
        """Yield the revisions since `start` that are current now, ordered by time and id."""
        return current_of(self._hour(now // _HOUR), start, now)

    def _compute_hour(self, hour: int) -> list[Revision[Entity]]:
        return revisions_in(self._entities, hour)


def _entity(id_: int, created: int, deletion: int) -> Entity:
    randomness = entity_bytes("organization", 0, id_)
    interval = 3 * _DAY + randomness[0] * _DAY // 4 + randomness[1]
    return Entity(id_, created, interval, deletion, randomness)
