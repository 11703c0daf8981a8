"""Privacy settings of a dataset: which fields are dropped or hashed, and whether private comments keep their texts.

A field is named by the keys that lead to it, joined by dots: ``updater_id``, ``system.location``,
``child_events.body``. An array on the path applies to each member: the last of these is the ``body`` of every child
event. A ``previous_value`` beside a field is its former value, and is treated like the field.
"""

import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Self

from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.zendesk.records import TIMESTAMP, Column

#: These identify an event, sort it in time, and find it when a person is to be erased.
_REQUIRED = ("id", "ticket_id", TIMESTAMP)
#: Columns that can store a hash: that of an integer is an integer, any other is text.
_HASHABLE = {"int64", "string", "via", "json"}
_FIELD_NAME = re.compile(r"[\w-]+(\.[\w-]+)*")


class Rule(Enum):
    """The treatment of a field."""

    DROP = "dropped"
    HASH = "hashed"


class FieldRule(NamedTuple):
    """The rule for one field, with the name that the user gave it."""

    rule: Rule
    name: str


#: The rules for the members of an object, by key; nested where more keys lead to the field.
Rules = dict[str, "FieldRule | Rules"]


@dataclass(frozen=True, slots=True)
class Privacy:
    """The fields that a dataset does not store, or stores as hashes.

    Args:
        private_comments: whether private comments keep their texts.
        drop_fields: fields that are left out.
        hash_fields: fields that are replaced by a keyed hash (HMAC-SHA256). Equal values stay equal and can be joined,
            but without the key nobody can recover or guess them.
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
        can_hash_id: bool = False,
    ) -> Self:
        """The privacy settings of a resource with these columns.

        With ``can_hash_id``, its ``id`` may be hashed, like the ids in other resources that refer to it.

        Raises:
            SettingsError: a name is not that of a field, or the field is required, cannot be hashed or is named twice.
        """
        dropped, hashed = _names("drop_fields", drop_fields), _names("hash_fields", hash_fields)
        kinds = {column.name: column.kind for column in columns}
        for name in (*dropped, *hashed):
            if name in _REQUIRED and not (can_hash_id and name == "id" and name not in dropped):
                required = ", ".join(_REQUIRED)
                raise SettingsError(f"The field {name!r} cannot be dropped or hashed. Records need {required}.")
        for name in hashed:
            if kinds.get(name, "json") not in _HASHABLE:
                raise SettingsError(
                    f"The field {name!r} cannot be hashed, because its column cannot store one. Drop it."
                )
        privacy = cls(private_comments, dropped, hashed)
        privacy.rules()
        return privacy

    def rules(self) -> Rules:
        """The rules as a tree of keys.

        Raises:
            SettingsError: a field is named twice, or is part of another named field.
        """
        rules: Rules = {}
        named = [FieldRule(Rule.DROP, name) for name in self.drop_fields]
        named += [FieldRule(Rule.HASH, name) for name in self.hash_fields]
        for rule in named:
            *path, last = rule.name.split(".")
            at = rules
            for key in path:
                inner = at.setdefault(key, {})
                if isinstance(inner, FieldRule):
                    raise SettingsError(
                        f"The field {rule.name!r} is part of {inner.name!r}, which is {inner.rule.value}. "
                        "Name only one of them."
                    )
                at = inner
            if last in at:
                raise SettingsError(
                    f"The field {rule.name!r}, or a part of it, is named in both drop_fields and hash_fields. "
                    "Name it once."
                )
            at[last] = rule
        return rules


def key_id(hash_key: str) -> str:
    """An identifier of a hash key that a dataset can store: it reveals nothing of the key."""
    return hmac.digest(hash_key.encode(), b"airflow-zendesk", "sha256").hex()[:16]


def option_names(option: str, value: Iterable[str]) -> tuple[str, ...]:
    """The names that a list option contains, sorted and each once; a text is one name.

    Raises:
        SettingsError: it is neither a text nor a list of texts.
    """
    names = [value] if isinstance(value, str) else list(value) if isinstance(value, Iterable) else [value]
    if wrong := [type(name).__name__ for name in names if not isinstance(name, str)]:
        raise SettingsError(f"{option} contains a value of the type {wrong[0]}. Use a list of names, or () for none.")
    return tuple(sorted(set(names)))


def _names(option: str, fields: Iterable[str]) -> tuple[str, ...]:
    names = option_names(option, fields)
    for name in names:
        if not _FIELD_NAME.fullmatch(name):
            raise SettingsError(
                f"{option} contains {name!r}, which is not the name of a field. Give one name per list item, made of "
                "the keys that lead to the field, joined by dots, like 'system.location'."
            )
    return names
