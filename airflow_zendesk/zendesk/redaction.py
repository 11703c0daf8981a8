"""Applies a privacy to events: see ``privacy``.

What is not named stays the very bytes that Zendesk sent.
"""

import hmac
import re
from collections.abc import Callable, Sequence

import msgspec

from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.zendesk.child_events import PREVIOUS_VALUE
from airflow_zendesk.zendesk.privacy import Privacy, Rule, Rules
from airflow_zendesk.zendesk.records import RawRecord, Record

#: What is kept of a private comment. All that could hold its text goes, also under names that are not known yet.
_KEPT_OF_PRIVATE = {
    "id", "type", "event_type", "via", "via_reference_id", "author_id", "audit_id", "comment_id", "created_at",
    "public", "comment_present", "comment_public",
}  # fmt: skip
_TEXTS = {"body", "html_body", "plain_body"}

_CHILDREN = "child_events"
_CONTAINERS = {b"[", b"{"}
_OBJECT = msgspec.json.Decoder(RawRecord)
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_STRING = msgspec.json.Decoder(str)
_INTEGER = re.compile(rb"-?\d+")
_NULL, _TRUE = msgspec.Raw(b"null"), msgspec.Raw(b"true")


class Redactor:
    """Applies a privacy to events, and counts the private comments whose texts it left out.

    Args:
        privacy: what to keep.
        hash_key: the key of the hashes; only needed if there are any.

    Raises:
        SettingsError: there is no key.
    """

    def __init__(self, privacy: Privacy, hash_key: str | None) -> None:
        if privacy.hash_fields and not hash_key:
            raise SettingsError(
                "hash_fields need a key: put 32 characters or more, such as `openssl rand -hex 32` prints, into the "
                "extra hash_key of the connection. Keep it: without it a dataset cannot go on."
            )
        self.redacted_comments = 0
        self._key = (hash_key or "").encode()
        self._rules = privacy.rules()
        self._private_comments = privacy.private_comments

    def apply(self, records: Sequence[Record]) -> Sequence[Record]:
        """The events with what is kept of them."""
        if not self._rules and self._private_comments:
            return records
        return [record._replace(raw=self._event(record.raw)) for record in records]

    def _event(self, wire: RawRecord) -> RawRecord:
        if not self._private_comments and _CHILDREN in wire:
            wire = wire | {_CHILDREN: self._children(wire[_CHILDREN])}
        return self._members(wire, self._rules)

    def _children(self, raw: msgspec.Raw) -> msgspec.Raw:
        return _each(raw, self._child) if _first(raw) == b"[" else raw

    def _child(self, raw: msgspec.Raw) -> msgspec.Raw:
        if _first(raw) != b"{":
            return raw
        child = _OBJECT.decode(raw)
        if not _is_comment(child) or _is_public(child) or child.keys() <= _KEPT_OF_PRIVATE:
            return raw
        self.redacted_comments += 1
        return _object({key: value for key, value in child.items() if key in _KEPT_OF_PRIVATE})

    def _members(self, wire: RawRecord, rules: Rules) -> RawRecord:
        """The members of an object, in their order."""
        kept = dict(wire)
        for key in wire.keys() & rules.keys():
            rule = rules[key]
            _put(kept, key, self._treat(wire[key], rule))
            if PREVIOUS_VALUE in kept:
                _put(kept, PREVIOUS_VALUE, self._previous(kept[PREVIOUS_VALUE], wire[key], rule))
        return kept

    def _previous(self, previous: msgspec.Raw, raw: msgspec.Raw, rule: "Rule | Rules") -> msgspec.Raw | None:
        if isinstance(rule, dict) and _first(previous) not in _CONTAINERS:
            # The value of one of the fields inside, it is not said which; unless there are only others.
            others = _first(raw) in _CONTAINERS and self._treat(raw, rule) == raw
            return previous if others else self._treat(previous, _strictest(rule))
        return self._treat(previous, rule)

    def _treat(self, raw: msgspec.Raw, rule: "Rule | Rules") -> msgspec.Raw | None:
        """What is kept of a value; None for nothing."""
        if isinstance(rule, dict):
            return self._inside(raw, rule)
        return self._hash(raw) if rule is Rule.HASH else None

    def _inside(self, raw: msgspec.Raw, rules: Rules) -> msgspec.Raw:
        match _first(raw):
            case b"[":
                return _each(raw, lambda member: self._inside(member, rules))
            case b"{":
                members = _OBJECT.decode(raw)
                kept = self._members(members, rules)
                return raw if kept == members else _object(kept)
        return raw

    def _hash(self, raw: msgspec.Raw) -> msgspec.Raw:
        """Null stays null, an array an array, an integer an integer (of 63 bits); all else becomes 64 hex digits."""
        if raw == _NULL:
            return raw
        if _first(raw) == b"[":
            return _each(raw, self._hash)
        if _INTEGER.fullmatch(bytes(raw)):
            return msgspec.Raw(b"%d" % (int.from_bytes(self._mac(bytes(raw))[:8]) >> 1))
        if _first(raw) == b'"':
            text = _STRING.decode(raw).encode()
        else:
            # However Zendesk happens to sort or space it.
            text = msgspec.json.encode(msgspec.json.decode(raw), order="sorted")
        return msgspec.Raw(b'"%b"' % self._mac(text).hex().encode())

    def _mac(self, text: bytes) -> bytes:
        return hmac.digest(self._key, text, "sha256")


def _strictest(rule: "Rule | Rules") -> Rule:
    """What is done with a value that may be that of any field within."""
    if isinstance(rule, Rule):
        return rule
    inner = {_strictest(member) for member in rule.values()}
    return Rule.DROP if Rule.DROP in inner else Rule.HASH


def _put(wire: RawRecord, key: str, raw: msgspec.Raw | None) -> None:
    if raw is None:
        del wire[key]
    else:
        wire[key] = raw


def _is_comment(child: RawRecord) -> bool:
    kinds = (child.get(key, _NULL) for key in ("type", "event_type"))
    return bool(_TEXTS & child.keys()) or any(b"comment" in bytes(kind).lower() for kind in kinds)


def _is_public(child: RawRecord) -> bool:
    return child.get("public", child.get("comment_public")) == _TRUE


def _first(raw: msgspec.Raw) -> bytes:
    return bytes(memoryview(raw)[:1])


def _each(raw: msgspec.Raw, treat: Callable[[msgspec.Raw], msgspec.Raw]) -> msgspec.Raw:
    """An array with its members treated; one of which nothing changes stays as it was sent."""
    members = _ARRAY.decode(raw)
    kept = [treat(member) for member in members]
    return raw if kept == members else msgspec.Raw(b"[" + b",".join(kept) + b"]")


def _object(members: RawRecord) -> msgspec.Raw:
    return msgspec.Raw(
        b"{" + b",".join(msgspec.json.encode(key) + b":" + value for key, value in members.items()) + b"}"
    )
