"""The users of the account: an administrator, the agents, the AI agent, and everyone who has requested a ticket."""

import threading
from collections.abc import Callable, Iterator
from functools import lru_cache

from airflow_zendesk.emulator import fixtures
from airflow_zendesk.emulator.entities import Entity, entity_bytes, revisions_in
from airflow_zendesk.emulator.revisions import NEVER, Revision, current_of
from airflow_zendesk.emulator.ticket import Ticket, random_bytes, requester_id_of

#: There are no more customers than this, because a ticket chooses its requester with two random bytes.
_MAX_CUSTOMERS = 65_536
_HOUR, _DAY = 3_600, 86_400
_INTERVAL_BYTE, _JITTER_BYTES, _DELETION_BYTE = 0, slice(1, 3), 3

#: Returns the numbers of the tickets that are created in an hour, and the ticket with a number.
Numbers = Callable[[int], range]
TicketOf = Callable[[int, int], Ticket]


class People:
    """The users of the account, with their revisions.

    A customer exists from the creation of their first ticket. Names, phones, tags and roles change later, every 8 days
    to 3 years; one customer in twenty is deleted within two months.

    Args:
        seed: The seed of the simulator.
        opened_hour: The first hour with tickets, counted from 1970.
        numbers: Returns the numbers of the tickets that are created in an hour.
        ticket: Returns the ticket with a number that is created in an hour.
    """

    def __init__(self, seed: int, opened_hour: int, numbers: Numbers, ticket: TicketOf) -> None:
        self._seed = seed
        self._numbers = numbers
        self._ticket = ticket
        self._customers: dict[int, Entity] = {}
        self._opened_hour = self._next_hour = opened_hour
        self._lock = threading.Lock()
        # A list of all users takes some megabytes; two hours are enough for a client that waits for the next one.
        self._hour = lru_cache(maxsize=2)(self._compute_hour)

    def current(self, start: int, now: int) -> Iterator[Revision[Entity]]:
        """Yield the revisions since `start` that are current now, ordered by time and id."""
        return current_of(self._hour(now // _HOUR), start, now)

    def _compute_hour(self, hour: int) -> list[Revision[Entity]]:
        if hour < self._opened_hour:
            return []
        with self._lock:
            self._find_customers(hour)
            customers = list(self._customers.values())
        return revisions_in([*self._staff(), *customers], hour)

    def _find_customers(self, until: int) -> None:
        """Read the requesters of all tickets up to an hour; a customer is created with their first ticket."""
        while self._next_hour <= until and len(self._customers) < _MAX_CUSTOMERS:
            for number in self._numbers(self._next_hour):
                id_ = requester_id_of(random_bytes(self._seed, number))
                if id_ not in self._customers:
                    created = self._ticket(number, self._next_hour).created
                    self._customers[id_] = self._customer(id_, created)
            self._next_hour += 1

    def _customer(self, id_: int, created: int) -> Entity:
        randomness = entity_bytes("user", self._seed, id_)
        jitter = int.from_bytes(randomness[_JITTER_BYTES])
        if randomness[_DELETION_BYTE] < 13:  # noqa: PLR2004 - 5 % of 256
            days = 1 + randomness[_INTERVAL_BYTE] // 16
            return Entity(id_, created, days * _DAY + jitter, 1 + randomness[_DELETION_BYTE] % 3, randomness)
        return Entity(id_, created, (8 + 4 * randomness[_INTERVAL_BYTE]) * _DAY + jitter, 0, randomness)

    def _staff(self) -> Iterator[Entity]:
        """Yield the users who work in the account since it was opened; the AI agent never changes."""
        opened = self._opened_hour * _HOUR
        for id_ in (fixtures.ADMIN_ID, *fixtures.AGENT_IDS):
            randomness = entity_bytes("user", self._seed, id_)
            interval = (8 + randomness[_INTERVAL_BYTE]) * _DAY + int.from_bytes(randomness[_JITTER_BYTES])
            yield Entity(id_, opened, interval, 0, randomness)
        id_ = fixtures.AI_AGENT_ID
        yield Entity(id_, opened, NEVER, 0, entity_bytes("user", self._seed, id_))
