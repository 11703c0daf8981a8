"""A customer's case, decided at its birth by dice, and the updates that its tickets are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import shake_128
from typing import TypeVar

from airflow_zendesk.emulator import desk

#: Fourteen digits, as Zendesk's ids have today. A case has room for 64 events, an event for 15 children.
FIRST_EVENT_ID = 10_000_000_000_000
IDS_PER_EVENT = 16
IDS_PER_CASE = 64 * IDS_PER_EVENT

_DICE = 64
_FACTS = 13  # the first dice decide what a case is, the others what happens to it

T = TypeVar("T")
Value = str | tuple[str, ...] | dict[str, str] | None


def pick(options: Sequence[T], die: int) -> T:
    """The option that a die of 256 sides chooses."""
    return options[die * len(options) >> 8]


@dataclass(frozen=True, slots=True)
class Case:
    """One customer's concern: a ticket, and now and then a second one sent by mistake (the twin)."""

    number: int
    created: int
    is_ai_agent: bool
    language: desk.Language
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
    rolls: bytes

    @property
    def ticket_id(self) -> int:
        """Odd: the even numbers are kept for twins, so ids have gaps, as on any real desk."""
        return 2 * self.number + 1

    @property
    def twin_id(self) -> int:
        """The id of the ticket sent by mistake, if there is one."""
        return 2 * self.number + 2

    def words(self, template: str) -> str:
        """A template with this case's numbers in it."""
        return template.format(order=f"EX-{40_000 + self.number}", ticket=self.ticket_id, twin=self.twin_id)


def throw_dice(seed: int, number: int) -> bytes:
    """The dice of a case: the same in every process and on every machine."""
    return shake_128(b"%d:%d" % (seed, number)).digest(_DICE)


def open_case(number: int, created: int, dice: bytes) -> Case:
    """The case that the dice decide on."""
    is_ai_agent = dice[0] < 32  # noqa: PLR2004 - one ticket in eight
    language = pick(desk.LANGUAGES, dice[1])
    return Case(
        number,
        created,
        is_ai_agent,
        language,
        channel=desk.CHAT_CHANNEL if is_ai_agent else pick(desk.CHANNELS, dice[2]),
        priority=pick(desk.PRIORITIES, dice[3]),
        type=pick(desk.TYPES, dice[4]),
        product=pick(desk.PRODUCTS, dice[5]),
        plan=pick(desk.PLANS, dice[6]),
        tags=pick(desk.TAGS, dice[7]),
        requester_id=22_000_000_000_000 + int.from_bytes(dice[11:13]),
        agent_id=desk.AI_AGENT if is_ai_agent else pick(desk.AGENTS, dice[8]),
        group_id=pick(desk.GROUPS, dice[9]),
        subject=pick(language.subjects, dice[10]),
        rolls=dice[_FACTS:],
    )


@dataclass(frozen=True, slots=True)
class Create:
    """A field's value at birth."""

    field: str
    value: Value


@dataclass(frozen=True, slots=True)
class Change:
    """A field's new value, and the one before."""

    field: str
    value: Value
    previous_value: Value


@dataclass(frozen=True, slots=True)
class Comment:
    """Something written: by the customer, by an agent, or (not public) among agents."""

    template: str
    public: bool = True


Child = Create | Change | Comment


@dataclass(frozen=True, slots=True)
class Author:
    """Who made an update, and through which channel; a rule has an id of its own."""

    updater_id: int
    via: str
    rule_id: int | None = None


@dataclass(frozen=True, slots=True)
class TicketEvent:
    """One update of one ticket, with everything that it changed."""

    case: Case
    id: int
    ticket_id: int
    timestamp: int
    author: Author
    children: tuple[Child, ...]
    merged_ticket_ids: tuple[int, ...] = ()
