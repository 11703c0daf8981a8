"""What is kept of an event: fields are dropped or hashed, and private comments lose their texts, before bytes land.

A field is named by the keys that lead to it, joined by dots: ``updater_id``, ``system.location``,
``child_events.body``. Arrays on the way are passed through: the last of these is the ``body`` of every child. What a
``previous_value`` beside a field holds was the field's value before, and is treated like it.

Nothing else of an event changes: what is not named stays the very bytes that Zendesk sent.
"""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Self

from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.zendesk.records import TIMESTAMP, Column

#: By these an event is told from others, sorted in time, and found when a person is to be forgotten.
_KEPT = ("id", "ticket_id", TIMESTAMP)
#: Columns that can hold a hash: of an integer it is an integer, of anything else a text.
_HASHABLE = {"int64", "string", "via", "json"}


class Rule(Enum):
    """What is done with a field."""

    DROP = "dropped"
    HASH = "hashed"


#: What is done with the members of an object, by key; a tree where more keys lead to the field.
Rules = dict[str, "Rule | Rules"]


@dataclass(frozen=True, slots=True)
class Privacy:
    """What a dataset keeps of its events.

    Args:
        private_comments: whether the texts of private comments are kept.
        drop_fields: fields that are left out.
        hash_fields: fields that are replaced by a keyed hash (HMAC-SHA256): equal values stay equal, and can be joined,
            but nobody without the key can tell or try out what they were.
    """

    private_comments: bool = False
    drop_fields: tuple[str, ...] = ()
    hash_fields: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        columns: Sequence[Column],
        *,
        private_comments: bool,
        drop_fields: Iterable[str],
        hash_fields: Iterable[str],
    ) -> Self:
        """The privacy of a resource with these columns.

        Raises:
            SettingsError: a field is none, cannot be done without, cannot be hashed, or is named twice.
        """
        dropped, hashed = _names(drop_fields), _names(hash_fields)
        kinds = {column.name: column.kind for column in columns}
        for name in (*dropped, *hashed):
            if not all(name.split(".")):
                raise SettingsError(f"{name!r} names no field: write the keys that lead to it, joined by dots.")
            if name in _KEPT:
                raise SettingsError(f"The field {name!r} cannot be dropped or hashed: events need {', '.join(_KEPT)}.")
        for name in hashed:
            if kinds.get(name, "json") not in _HASHABLE:
                raise SettingsError(f"The field {name!r} can be dropped but not hashed: its column holds no text.")
        privacy = cls(private_comments, dropped, hashed)
        privacy.rules()
        return privacy

    def rules(self) -> Rules:
        """What is done with each field.

        Raises:
            SettingsError: a field is named twice, or lies within another.
        """
        rules: Rules = {}
        named = [(name, Rule.DROP) for name in self.drop_fields] + [(name, Rule.HASH) for name in self.hash_fields]
        for name, rule in named:
            *way, last = name.split(".")
            at = rules
            for key in way:
                inner = at.setdefault(key, {})
                if isinstance(inner, Rule):
                    raise SettingsError(f"The field {name!r} lies within another that is {inner.value}.")
                at = inner
            if last in at:
                raise SettingsError(f"The field {name!r}, or one within it, is both to be dropped and hashed.")
            at[last] = rule
        return rules


def key_id(hash_key: str) -> str:
    """What a dataset remembers of the key, to notice another one: nothing that the key could be found by."""
    return hmac.digest(hash_key.encode(), b"airflow-zendesk", "sha256").hex()[:16]


def _names(fields: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({fields} if isinstance(fields, str) else set(fields)))
