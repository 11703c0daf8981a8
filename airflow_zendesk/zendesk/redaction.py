"""Redaction of events before any byte is written: private comments, dropped fields and hashed fields.

Values that no rule names keep the exact bytes that Zendesk sent. ``privacy`` describes the rules.
"""

import hmac
import re
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from airflow_zendesk.zendesk.child_events import PREVIOUS_VALUE
from airflow_zendesk.zendesk.privacy import FieldRule, Privacy, Rule, Rules
from airflow_zendesk.zendesk.private_comments import first_byte, private_comments
from airflow_zendesk.zendesk.records import RawRecord, Record

#: Members of a private comment that are kept although they are texts or objects: they never contain what a user wrote.
_KEPT_TEXTS = {
    "id", "type", "event_type", "via", "via_reference_id", "author_id", "audit_id", "comment_id", "created_at",
}  # fmt: skip

_CHILDREN, _DESCRIPTION = "child_events", "description"
_CONTAINERS = {b"[", b"{"}
#: First bytes of the JSON values that can contain text.
_TEXTS = {b'"', *_CONTAINERS}
_OBJECT = msgspec.json.Decoder(RawRecord)
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_STRING = msgspec.json.Decoder(str)
_INTEGER = re.compile(rb"-?\d+")
_NULL, _FALSE = msgspec.Raw(b"null"), msgspec.Raw(b"false")


class Redactor:
    """Applies the privacy settings of a dataset to its events.

    Args:
        privacy: the privacy settings.
        hash_key: the key of the hashes; needed if fields are hashed.
    """

    def __init__(self, privacy: Privacy, hash_key: str | None) -> None:
        #: Names of dropped and hashed fields that some event had.
        self.matched_fields: set[str] = set()
        self._key = (hash_key or "").encode()
        self._rules = privacy.rules()
        self._private_comments = privacy.private_comments
        self._redacted: Counter[str] = Counter()

    def apply(self, records: Sequence[Record]) -> tuple[Sequence[Record], Counter[str]]:
        """Redact events.

        Returns:
            The events as they are to be stored, and how many private comments lost their texts, by kind of comment.
        """
        self._redacted = Counter()
        redacted = [record.raw for record in records]
        if not self._private_comments:
            self._redact_comments(redacted)
        if self._rules:
            redacted = [self._members(raw, self._rules) for raw in redacted]
        kept = [
            record if raw is record.raw else record._replace(raw=raw)
            for record, raw in zip(records, redacted, strict=True)
        ]
        return kept, self._redacted

    def _redact_comments(self, raws: list[RawRecord]) -> None:
        """Replace the records that have private comments."""
        private = private_comments([raw.get(_CHILDREN, _NULL) for raw in raws])
        for position, kinds in private.items():
            raws[position] = raws[position] | {_CHILDREN: self._children(raws[position][_CHILDREN], kinds)}
        for position, raw in enumerate(raws):
            if raw.get("is_public") == _FALSE and raw.get(_DESCRIPTION, _NULL) != _NULL:
                # The description of a ticket is its first comment, and this ticket has only private ones.
                self._redacted[_DESCRIPTION] += 1
                raws[position] = raw | {_DESCRIPTION: _NULL}

    def _children(self, raw: msgspec.Raw, private: dict[int, str]) -> msgspec.Raw:
        """An array of child events; a private comment loses every value that could contain text."""
        children, is_changed = _ARRAY.decode(raw), False
        for position, kind in private.items():
            child = _OBJECT.decode(children[position])
            # Also under unknown keys.
            kept = {key: value for key, value in child.items() if key in _KEPT_TEXTS or first_byte(value) not in _TEXTS}
            if len(kept) < len(child):
                self._redacted[kind] += 1
                children[position], is_changed = _object(kept), True
        return _array(children) if is_changed else raw

    def _members(self, raw: RawRecord, rules: Rules) -> RawRecord:
        """The members of an object, in their order."""
        kept = dict(raw)
        for key in raw.keys() & rules.keys():
            rule = rules[key]
            _put(kept, key, self._treat(raw[key], rule))
            if PREVIOUS_VALUE in kept:
                _put(kept, PREVIOUS_VALUE, self._previous(kept[PREVIOUS_VALUE], raw[key], rule))
        return kept

    def _previous(self, previous: msgspec.Raw, raw: msgspec.Raw, rule: FieldRule | Rules) -> msgspec.Raw | None:
        """The former value of a field, which is treated like the field."""
        if isinstance(rule, dict) and first_byte(previous) not in _CONTAINERS:
            # It belongs to one of the fields inside, unless the object has only fields without a rule.
            has_only_others = first_byte(raw) in _CONTAINERS and self._treat(raw, rule) == raw
            return previous if has_only_others else self._treat(previous, _strictest(rule))
        return self._treat(previous, rule)

    def _treat(self, raw: msgspec.Raw, rule: FieldRule | Rules) -> msgspec.Raw | None:
        """The value to store in place of a value; None to drop it."""
        if isinstance(rule, dict):
            return self._inside(raw, rule)
        self.matched_fields.add(rule.name)
        return self._hash(raw) if rule.rule is Rule.HASH else None

    def _inside(self, raw: msgspec.Raw, rules: Rules) -> msgspec.Raw:
        match first_byte(raw):
            case b"[":
                return _each(raw, lambda member: self._inside(member, rules))
            case b"{":
                members = _OBJECT.decode(raw)
                kept = self._members(members, rules)
                return raw if kept == members else _object(kept)
        return raw

    def _hash(self, raw: msgspec.Raw) -> msgspec.Raw:
        """Null stays null, an array an array, an integer an integer (63 bits); anything else becomes 64 hex digits."""
        if raw == _NULL:
            return raw
        if first_byte(raw) == b"[":
            return _each(raw, self._hash)
        if _INTEGER.fullmatch(bytes(raw)):
            return msgspec.Raw(b"%d" % hash_integer(int(bytes(raw)), self._key))
        if first_byte(raw) == b'"':
            text = _STRING.decode(raw).encode()
        else:
            # Independent of order and spaces.
            text = msgspec.json.encode(msgspec.json.decode(raw), order="sorted")
        return msgspec.Raw(b'"%b"' % hash_text(text, self._key).encode())


def hash_integer(value: int, key: bytes) -> int:
    """The keyed hash of an integer: 63 bits, the same in every field and every resource."""
    return int.from_bytes(hmac.digest(key, b"%d" % value, "sha256")[:8]) >> 1


def hash_text(text: bytes, key: bytes) -> str:
    """The keyed hash of a text: 64 hex digits, the same in every field and every resource."""
    return hmac.digest(key, text, "sha256").hex()


def _strictest(rule: FieldRule | Rules) -> FieldRule:
    """The rule for a value that may belong to any of the fields inside: to drop it, if one of them is dropped."""
    if isinstance(rule, FieldRule):
        return rule
    inner = [_strictest(member) for member in rule.values()]
    return next((each for each in inner if each.rule is Rule.DROP), inner[0])


def _put(raw: RawRecord, key: str, value: msgspec.Raw | None) -> None:
    if value is None:
        del raw[key]
    else:
        raw[key] = value


def _each(raw: msgspec.Raw, treat: Callable[[msgspec.Raw], msgspec.Raw]) -> msgspec.Raw:
    """An array with its members treated; if nothing changes, the bytes that were sent."""
    members = _ARRAY.decode(raw)
    kept = [treat(member) for member in members]
    return raw if kept == members else _array(kept)


def _array(members: Sequence[msgspec.Raw]) -> msgspec.Raw:
    return msgspec.Raw(b"[" + b",".join(members) + b"]")


def _object(members: RawRecord) -> msgspec.Raw:
    return msgspec.Raw(
        b"{" + b",".join(msgspec.json.encode(key) + b":" + value for key, value in members.items()) + b"}"
    )
