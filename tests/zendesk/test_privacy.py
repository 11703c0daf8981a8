"""What is kept of an event."""

import hmac
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.zendesk.privacy import key_id
from airflow_zendesk.zendesk.records import RawRecord, Record
from airflow_zendesk.zendesk.redaction import Redactor, hash_integer
from airflow_zendesk.zendesk.resources import Query

KEY = "an invented key of 32 characters"
OTHER_KEY = "another invented key, longer still"

Event = dict[str, Any]


def kept(event: Event, key: str = KEY, **privacy: Any) -> Event:
    """What is kept of an event that is asked for with comments."""
    read: Event = json.loads(text_kept(json.dumps(event), key, **privacy))
    return read


def text_kept(event: str, key: str = KEY, **privacy: Any) -> str:
    """The same, as JSON texts."""
    query = Query.of("ticket_events", ["comment_events"], **privacy)
    raw = msgspec.json.decode(event, type=RawRecord)
    ((record,), _) = Redactor(query.privacy, key).apply([Record(1, 1, raw)])
    return "{" + ",".join(f'"{name}":{bytes(raw).decode()}' for name, raw in record.raw.items()) + "}"


def hashed(text: str) -> str:
    """What a reader with the key makes of a text, worked out apart from the code under test."""
    return hmac.new(KEY.encode(), text.encode(), "sha256").hexdigest()


def children(*members: Event) -> Event:
    """An event with these children."""
    return {"id": 1, "ticket_id": 7, "timestamp": 5, "child_events": list(members)}


def test_fields_are_dropped_wherever_they_stand() -> None:
    """Inside objects, and in each member of an array; what is not there is no matter."""
    event = {"id": 1, "system": {"client": "a", "location": "b"}, "child_events": [{"note": "c", "id": 2}, 3, None]}
    expected = {"id": 1, "system": {"client": "a"}, "child_events": [{"id": 2}, 3, None]}
    assert expected == kept(event, drop_fields=["system.location", "child_events.note", "metadata.deep.er"])
    assert {"id": 1} == kept(event, drop_fields=["system", "child_events"])
    assert event == kept(event, drop_fields=["id.x", "child_events.id.x"]), "a number has no members"


def test_what_is_not_named_stays_as_it_was_sent() -> None:
    """Values byte for byte, also beside one that goes; an object of which nothing goes, with its spaces."""
    event = '{"system":{"a": 1.10,  "b":"\\u00e9"},"metadata":{"x":1,"y": 1e2},"child_events":[{"id" :1},  {"id":2}]}'
    assert event == text_kept(event, drop_fields=["system.location", "child_events.body"])
    assert event.replace('"x":1,"y": 1e2', '"y":1e2') == text_kept(event, drop_fields=["metadata.x"])


def test_hash_keeps_kind_and_equality() -> None:
    """Text becomes 64 hex digits, an integer an integer that fits the column, an object one hash, null stays null."""
    event = children({"author_id": 12, "tags": ["é", None], "via": {"b": 1, "a": "x"}}) | {"updater_id": 12}
    number = int(hashed("12")[:16], 16) >> 1
    assert number < 2**63
    fields = ["updater_id", "child_events.author_id", "child_events.tags", "child_events.via"]
    expected = children(
        {"author_id": number, "tags": [hashed("é"), None], "via": hashed('{"a":"x","b":1}')},
    ) | {"updater_id": number}
    assert expected == kept(event, hash_fields=fields)
    assert event.keys() == expected.keys()
    reordered = children({"author_id": 12, "tags": ["é", None], "via": {"a": "x", "b": 1}}) | {"updater_id": 12}
    assert expected == kept(reordered, hash_fields=fields)
    assert {expected["updater_id"]}.isdisjoint({kept(event, OTHER_KEY, hash_fields=fields)["updater_id"]})


def change(value: Any, previous: Any, name: str = "subject") -> Event:
    """A child that tells a change."""
    return {name: value, "previous_value": previous, "event_type": "Change"}


def test_previous_value_goes_the_way_of_its_field() -> None:
    """It is the same field, an hour before; also where the field is empty now."""
    event = children(change("now", "before"), change(None, "before"), change("open", "new", "status"))
    dropped = children({"event_type": "Change"}, {"event_type": "Change"}, change("open", "new", "status"))
    assert dropped == kept(event, drop_fields=["child_events.subject"])
    replaced = children(
        change(hashed("now"), hashed("before")), change(None, hashed("before")), change("open", "new", "status")
    )
    assert replaced == kept(event, hash_fields=["child_events.subject"])


def test_previous_value_of_a_custom_field_goes_with_it() -> None:
    """Whether it comes as an object or bare; those of other custom fields stay."""
    name = "custom_ticket_fields"
    event = children(
        change({"205": "gold"}, {"205": "tin", "206": "a"}, name),
        change({"205": "gold"}, "tin", name),
        change(None, "tin", name),
        change({"206": "a"}, "b", name),
    )
    expected = children(
        change({}, {"206": "a"}, name),
        {name: {}, "event_type": "Change"},
        {name: None, "event_type": "Change"},
        change({"206": "a"}, "b", name),
    )
    assert expected == kept(event, drop_fields=[f"child_events.{name}.205"])
    bare = kept(event, hash_fields=[f"child_events.{name}.205"])["child_events"][1]
    assert change({"205": hashed("gold")}, hashed("tin"), name) == bare


@pytest.mark.parametrize(
    "private",
    [
        {"event_type": "Comment", "public": False, "body": "hidden", "html_body": "hidden", "new_key": "hidden"},
        {"event_type": "Comment", "comment_public": False, "plain_body": "hidden"},
        {"type": "VoiceComment", "public": False, "data": {"transcription_text": "hidden"}},
        {"event_type": "New", "public": False, "body": "hidden"},
        {"event_type": "New", "comment_public": False, "text": "hidden"},
        {"event_type": "Comment", "body": "hidden"},
        {"body": "hidden"},
        {"event_type": "Comment", "public": None, "body": "hidden"},
        {"event_type": "Comment", "public": "true", "attachments": [{"file_name": "hidden"}]},
    ],
)
def test_private_comments_lose_their_texts(private: Event) -> None:
    """Unless they are asked for; what does not say that it is public, is private."""
    public = {"event_type": "Comment", "public": True, "body": "shown"}
    event = children({"id": 5, "author_id": 6} | private, public)
    filtered = kept(event)
    assert "hidden" not in json.dumps(filtered)
    assert {"id": 5, "author_id": 6}.items() <= filtered["child_events"][0].items()
    assert public == filtered["child_events"][1]
    assert event == kept(event, private_comments=True)


def test_redacted_comments_are_counted_by_kind() -> None:
    """Only those that had something to lose."""
    redactor = Redactor(Query.of("ticket_events", ["comment_events"]).privacy, None)
    bare = {"event_type": "Comment", "comment_present": True, "comment_public": False}
    voice = {"event_type": "VoiceComment", "public": False, "data": {"transcription_text": "y"}}
    event = json.dumps(children(bare, bare | {"body": "x"}, bare | {"body": "y", "comment_public": True}, voice))
    _, redacted = redactor.apply([Record(1, 1, msgspec.json.decode(event, type=RawRecord))] * 3)
    assert {"Comment": 3, "VoiceComment": 3} == redacted


@pytest.mark.parametrize(
    "child",
    [
        {"event_type": "SatisfactionRating", "score": "good", "assignee_id": 7, "body": "Thanks"},
        {"event_type": "Notification", "subject": "Updated", "body": "Ticket #47", "recipients": [8, 9]},
        {"event_type": "SMS", "body": "text", "phone_number": "+15550001111", "recipient_id": 7},
        {"event_type": "Tweet", "direct_message": False, "body": "Hi", "recipients": [8]},
        {"event_type": "KnowledgeLinked", "body": {"article": {"id": 1, "title": "How"}}},
        {"event_type": "SurveyResponseSubmitted", "rating": 5, "comment": "nice"},
        {"event_type": "WebhookEvent", "webhook_id": "w", "body": "{}", "status": 200},
        {"event_type": "CommentPrivacyChange", "comment_id": 5, "public": False},
        {"event_type": "CommentPrivacyChange", "comment_id": 5, "public": False, "reason": "text"},
        {"event_type": "CommentRedactionEvent", "comment_id": 5, "author_id": 6, "value": ["text"]},
        {"event_type": "Something new", "body": "text", "score": "good", "list": [1]},
    ],
)
def test_children_that_are_no_comments_are_left_alone(child: Event) -> None:
    """Many kinds have a body; only a comment has an author or a visibility as well."""
    event = children({"id": 5, "via": "Web form"} | child)
    assert event == kept(event)


KEYS = st.sampled_from(["public", "body", "score", "data", "author_id", "recipients", "status", "other"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just("CANARY"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
    max_leaves=5,
)


@given(st.dictionaries(KEYS, JSON, max_size=6), st.sampled_from(["Comment", "VoiceComment", "FacebookComment"]))
def test_private_comment_holds_no_text_and_keeps_everything_else(members: Event, kind: str) -> None:
    """Law: under whatever key a text is; numbers, booleans and nulls hold none, and stay."""
    members = {key: value for key, value in members.items() if key != "author_id"}
    child = {"id": 5, "event_type": kind, **members, "public": False}
    (redacted,) = kept(children(child))["child_events"]
    assert "CANARY" not in json.dumps(redacted)
    assert {key: value for key, value in child.items() if not isinstance(value, str | list | dict)} | {
        "event_type": kind
    } == redacted


NAMES = st.sampled_from(["a", "b", "previous_value", "subject"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just("CANARY"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(".".join)


def without(value: Any, way: list[str]) -> Any:
    """The value without the member that the way leads to: the plain meaning of a dropped field."""
    if isinstance(value, list):
        return [without(member, way) for member in value]
    if not isinstance(value, dict) or way[0] not in value:
        return value
    if len(way) == 1:
        return {key: member for key, member in value.items() if key != way[0]}
    return value | {way[0]: without(value[way[0]], way[1:])}


@given(VALUES, PATHS)
def test_dropping_is_what_it_says(value: Any, path: str) -> None:
    """Whatever the shape of the event: the named members are gone, and beside previous values nothing else."""
    event = {"metadata": value}
    expected = without(event, ["metadata", *path.split(".")])

    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: bare(member) for key, member in value.items() if key != "previous_value"}
        return [bare(member) for member in value] if isinstance(value, list) else value

    assert bare(expected) == bare(kept(event, drop_fields=[f"metadata.{path}"]))


@given(VALUES)
def test_hashed_field_holds_nothing_of_its_value(value: Any) -> None:
    """Whatever its shape; and the same again is the same."""
    event = {"metadata": {"subject": {"in": ["CANARY", value]}, "previous_value": "CANARY"}}
    first, second = (text_kept(json.dumps(event), hash_fields=["metadata.subject"]) for _ in range(2))
    assert "CANARY" not in first
    assert first == second


@pytest.mark.parametrize(
    ("privacy", "message"),
    [
        ({"drop_fields": ["id"]}, r"'id' cannot be dropped or hashed\. Records need id, ticket_id, timestamp"),
        ({"drop_fields": "system.location, via"}, "drop_fields contains 'system.location, via', which is not the name"),
        ({"drop_fields": ["a,b"]}, "drop_fields contains 'a,b'"),
        ({"hash_fields": [" via"]}, "hash_fields contains ' via'"),
        ({"hash_fields": ["['via']"]}, "hash_fields contains"),
        ({"hash_fields": ["ticket_id"]}, "'ticket_id' cannot be dropped or hashed"),
        ({"drop_fields": ["system."]}, "drop_fields contains 'system.', which is not the name of a field"),
        ({"drop_fields": None}, "drop_fields contains a value of the type NoneType. Use a list of names"),
        ({"hash_fields": [["via"]]}, "hash_fields contains a value of the type list"),
        ({"drop_fields": True}, "drop_fields contains a value of the type bool"),
        ({"include": None}, "include contains a value of the type NoneType"),
        ({"include": ["comment_events", 5]}, "include contains a value of the type int"),
        ({"resource": ["ticket_events"]}, "is unknown. Use one of"),
        ({"hash_fields": "created_at"}, "'created_at' cannot be hashed, because its column cannot store one"),
        ({"drop_fields": ["system", "system.client"]}, "'system.client' is part of 'system', which is dropped"),
        ({"drop_fields": ["system.client"], "hash_fields": ["system"]}, "'system', or a part of it, is named in both"),
        ({"drop_fields": ["system"], "hash_fields": ["system"]}, "'system', or a part of it, is named in both"),
    ],
)
def test_invalid_privacy_options_are_refused(privacy: dict[str, Any], message: str) -> None:
    """The error names the field and the reason."""
    with pytest.raises(SettingsError, match=message):
        Query.of(**{"resource": "ticket_events"} | privacy)


def test_private_comments_come_with_comments_only() -> None:
    """Asked for alone, they would never come."""
    with pytest.raises(SettingsError, match="Include the sideload comment_events too"):
        Query.of("ticket_events", private_comments=True)
    with pytest.raises(SettingsError, match="Include the sideload comment_events too"):
        Query.of("ticket_metric_events", private_comments=True)


def test_key_is_known_by_a_hash_of_its_own() -> None:
    """Keys differ in it, and it holds nothing of them."""
    assert key_id(KEY) != key_id(OTHER_KEY)
    assert hashed("airflow-zendesk")[:16] == key_id(KEY)


def test_description_of_a_ticket_with_only_private_comments_is_a_private_comment() -> None:
    """It is the first comment, and is stored on request."""

    def description(is_public: bool | None, **privacy: Any) -> Any:
        raw = msgspec.json.decode(json.dumps({"id": 1, "description": "text", "is_public": is_public}), type=RawRecord)
        redactor = Redactor(Query.of("tickets", **privacy).privacy, KEY)
        ((record,), redacted) = redactor.apply([Record(1, 1, raw)])
        return json.loads(bytes(record.raw["description"])), redacted.total()

    assert (None, 1) == description(is_public=False)
    assert ("text", 0) == description(is_public=True)
    assert ("text", 0) == description(is_public=False, private_comments=True)


def test_hashed_ids_are_the_same_in_every_resource() -> None:
    """The requester of a ticket can be joined with the user."""

    def hash_of(resource: str, field: str) -> bytes:
        raw = msgspec.json.decode(json.dumps({"id": 4711, "requester_id": 4711, "updater_id": 4711}), type=RawRecord)
        redactor = Redactor(Query.of(resource, hash_fields=[field]).privacy, KEY)
        ((record,), _) = redactor.apply([Record(4711, 1, raw)])
        return bytes(record.raw[field])

    expected = str(hash_integer(4711, KEY.encode())).encode()
    assert {expected} == {
        hash_of("users", "id"),
        hash_of("tickets", "requester_id"),
        hash_of("ticket_events", "updater_id"),
    }
    refused: list[dict[str, Any]] = [{"drop_fields": ["id"]}, {"hash_fields": ["id"], "drop_fields": ["id"]}]
    for options in refused:
        with pytest.raises(SettingsError, match="'id' cannot be dropped or hashed"):
            Query.of("users", **options)
