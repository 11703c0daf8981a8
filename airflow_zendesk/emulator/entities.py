"""Users and organizations over time: each changes at intervals of its own, and some are deleted at last.

How often an entity has changed follows from the time alone, so its content at any present can be computed directly.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import shake_128

from airflow_zendesk.emulator.revisions import NEVER, Revision
from airflow_zendesk.emulator.ticket import choose

_HOUR = 3_600
_BYTES_PER_ENTITY = 48
#: The random bytes that determine what each change is about; the others determine the entity itself.
_CHANGE_BYTES = slice(16, 48)


@dataclass(frozen=True, slots=True)
class Entity:
    """A user or an organization.

    Args:
        id: The id.
        created: When it was created, in unix seconds.
        interval: The seconds between two changes.
        deletion: The number of the change that deletes it; 0 if none does. Nothing changes after it.
        randomness: The random bytes that its content follows from.
    """

    id: int
    created: int
    interval: int
    deletion: int
    randomness: bytes

    def changes_until(self, now: int) -> int:
        """Return the number of changes up to now; the creation does not count."""
        changes = (now - self.created) // self.interval
        return min(changes, self.deletion) if self.deletion else changes

    def is_deleted(self, changes: int) -> bool:
        """Whether it is deleted after this many changes."""
        return 0 < self.deletion <= changes

    def revision(self, changes: int) -> "Revision[Entity]":
        """Return its revision after this many changes."""
        changed, is_deletion = self.created + changes * self.interval, self.is_deleted(changes)
        replaced = NEVER if is_deletion else changed + self.interval
        return Revision(changed, self.id, replaced, is_deletion, self)

    def count_changes(self, kinds: Sequence[str], changes: int) -> "Counter[str]":
        """Return how often each kind of change is among the first changes."""
        drawn = self.randomness[_CHANGE_BYTES]
        return Counter(choose(kinds, drawn[number % len(drawn)]) for number in range(changes))


@cache
def _prefix(kind: str, seed: int) -> bytes:
    return f"{kind}:{seed}:".encode()


def entity_bytes(kind: str, seed: int, id_: int) -> bytes:
    """Return the random bytes of an entity; they are the same in every process and on every machine."""
    return shake_128(_prefix(kind, seed) + b"%d" % id_).digest(_BYTES_PER_ENTITY)


def revisions_in(entities: Iterable[Entity], hour: int) -> list[Revision[Entity]]:
    """Return the revisions that are current at some second of an hour, ordered by time and id."""
    start, end = hour * _HOUR, (hour + 1) * _HOUR
    revisions = []
    for entity in entities:
        if entity.created >= end:
            continue
        first, last = max(entity.changes_until(start), 0), entity.changes_until(end - 1)
        revisions += [entity.revision(changes) for changes in range(first, last + 1)]
    return sorted(revisions, key=lambda revision: revision[:2])
