"""A ticket, whose properties follow from random bytes, and the types that its updates are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import shake_128
from typing import TypeVar

from airflow_zendesk.emulator import fixtures
from airflow_zendesk.emulator.messages import Json

#: Ids have fourteen digits, like Zendesk's today. A ticket has room for 64 events, an event for 15 children.
FIRST_EVENT_ID = 10_000_000_000_000
IDS_PER_EVENT = 16
IDS_PER_TICKET = 64 * IDS_PER_EVENT

#: How a ticket's random bytes are used; the first 13 determine its properties.
BYTES_PER_TICKET = 80
JITTER_BYTE = 63
_LIFECYCLE_BYTES, _ACTIVITY_BYTES = slice(13, 64), slice(64, 80)

T = TypeVar("T")
Value = str | tuple[str, ...] | dict[str, str] | None


def choose(options: Sequence[T], byte: int) -> T:
    """Return the option that a random byte selects."""
    return options[byte * len(options) >> 8]


def random_bytes(seed: int, number: int) -> bytes:
    """Return the random bytes of a ticket; they are the same in every process and on every machine."""
    return shake_128(b"%d:%d" % (seed, number)).digest(BYTES_PER_TICKET)


def requester_id_of(randomness: bytes) -> int:
    """Return the id of the customer who requests the ticket with these random bytes: one of 65,536."""
    return fixtures.FIRST_CUSTOMER_ID + int.from_bytes(randomness[11:13])


@dataclass(frozen=True, slots=True)
class Ticket:
    """One request of a customer. Some customers send it twice; the duplicate is a second ticket with its own id."""

    number: int
    created: int
    is_ai_agent: bool
    language: fixtures.Language
    channel: str
    priority: str
    type: str
    product: str
    plan: str
    tags: tuple[str, ...]
    requester_id: int
    agent_id: int
    group_id: str
    subject: str
    lifecycle_bytes: bytes
    activity_bytes: bytes

    @classmethod
    def of(cls, number: int, created: int, randomness: bytes) -> "Ticket":
        """Return the ticket that the random bytes determine."""
        is_ai_agent = randomness[0] < 32  # noqa: PLR2004 - one ticket in eight
        language = choose(fixtures.LANGUAGES, randomness[1])
        return cls(
            number,
            created,
            is_ai_agent,
            language,
            channel=fixtures.CHAT_CHANNEL if is_ai_agent else choose(fixtures.CHANNELS, randomness[2]),
            priority=choose(fixtures.PRIORITIES, randomness[3]),
            type=choose(fixtures.TYPES, randomness[4]),
            product=choose(fixtures.PRODUCTS, randomness[5]),
            plan=choose(fixtures.PLANS, randomness[6]),
            tags=choose(fixtures.TAGS, randomness[7]),
            requester_id=requester_id_of(randomness),
            agent_id=fixtures.AI_AGENT_ID if is_ai_agent else choose(fixtures.AGENT_IDS, randomness[8]),
            group_id=choose(fixtures.GROUP_IDS, randomness[9]),
            subject=choose(language.subjects, randomness[10]),
            lifecycle_bytes=randomness[_LIFECYCLE_BYTES],
            activity_bytes=randomness[_ACTIVITY_BYTES],
        )

    @property
    def id(self) -> int:
        """The id, an odd number. Even numbers are reserved for duplicates, so ids have gaps, as in any real account."""
        return 2 * self.number + 1

    @property
    def duplicate_id(self) -> int:
        """The id of the duplicate, if there is one."""
        return 2 * self.number + 2

    def fill_in(self, template: str) -> str:
        """Return a message template with this ticket's numbers filled in."""
        return template.format(order=f"EX-{40_000 + self.number}", ticket=self.id, duplicate=self.duplicate_id)


@dataclass(frozen=True, slots=True)
class Create:
    """The initial value of a field."""

    field: str
    value: Value


@dataclass(frozen=True, slots=True)
class Change:
    """A field's new value and its previous value."""

    field: str
    value: Value
    previous_value: Value


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment by the customer or an agent; agents also write private ones."""

    template: str
    public: bool = True


@dataclass(frozen=True, slots=True)
class Activity:
    """Something that changes no field and is not a `Comment`, such as a notification; a business rule may cause it."""

    event_type: str
    details: Json
    rule_id: int | None = None


Child = Create | Change | Comment | Activity


@dataclass(frozen=True, slots=True)
class Author:
    """Who made an update, and through which channel; a business rule has an id of its own."""

    updater_id: int
    via: str
    rule_id: int | None = None


@dataclass(frozen=True, slots=True)
class TicketEvent:
    """One update of one ticket, with everything that it changed."""

    ticket: Ticket
    id: int
    ticket_id: int
    timestamp: int
    author: Author
    children: tuple[Child, ...]
    merged_ticket_ids: tuple[int, ...] = ()
