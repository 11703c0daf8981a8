"""The way of a slice into storage, small enough to see every interleaving of two attempts at it.

A model of ``airflow_zendesk.export.run`` and below, for one slice and one page: a step for each request that an attempt
sends, in the same order. ``test_model.py`` leads both through the same schedules, so that they cannot part. Events are
numbers: who has extracted n of them has the first n that surfaced.

The rules can be broken on purpose, in the ways in which exporters are usually broken; then the search must find what
goes wrong, with the shortest schedule that leads there.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from tests.support.crash.bucket import Fate

#: The request that an attempt is about to send, in each of its steps.
REQUESTS = {
    "check": "read record",
    "list": "list slices",
    "ask": "ask Zendesk",
    "confirm": "read record",
    "peek for record": "token record",
    "create": "put record",
    "look for record": "token record",
    "check again": "read record",
    "token": "token slice",
    "open": "open slice",
    "peek": "token slice",
    "put": "put slice",
    "look": "token slice",
    "compare": "open slice",
}
#: How often a PUT is tried whose fate is not known.
_MAX_PUTS = 3


@dataclass(frozen=True)
class Rules:
    """How attempts and the storage behave; by default, as they should."""

    #: Whether the storage honours conditions.
    conditional_writes: bool = True
    #: Whether the token is read before Zendesk is asked.
    token_first: bool = True
    #: Whether an object appears whole.
    whole: bool = True
    #: What an attempt makes of the storage's word that another version is there.
    conflict: Literal["look", "success", "failure"] = "look"
    #: Whether Zendesk's clock decides if the slice has settled, and not the attempt's.
    settled_by_server: bool = True
    #: Whether the key is made of time alone, and not of what was extracted.
    fixed_keys: bool = True
    #: Whether objects of others are deleted.
    sweeps: bool = False


class Object(NamedTuple):
    """A version of a slice: so many events; the token is the number of its write."""

    events: int
    version: int
    whole: bool = True


class Attempt(NamedTuple):
    """Where an attempt stands. Its grain is the dataset's, unless it races for another."""

    grain: str
    step: str | None = "check"
    version: int | None = None
    events: int = 0
    #: Whether the version it found is not the one that was there when it began.
    rival: bool = False
    puts: int = 0
    outcome: str | None = None

    def end(self, outcome: str) -> "Attempt":
        """It is over."""
        return self._replace(step=None, outcome=outcome)


class World(NamedTuple):
    """Everything."""

    attempts: tuple[Attempt, ...]
    #: How many events have surfaced.
    events: int = 0
    settings: str | None = None
    slices: tuple[tuple[str, Object], ...] = ()
    foreign: bool = True
    writes: int = 0
    faults: int = 0

    def slice(self, key: str) -> Object | None:
        """What lies there."""
        return dict(self.slices).get(key)

    def with_slice(self, key: str, version: Object) -> "World":
        """After a write."""
        slices = dict(self.slices) | {key: version}
        return self._replace(slices=tuple(sorted(slices.items())), writes=version.version)

    def with_attempt(self, number: int, attempt: Attempt) -> "World":
        """After a step."""
        return self._replace(attempts=(*self.attempts[:number], attempt, *self.attempts[number + 1 :]))


class Move(NamedTuple):
    """What happens next: an event surfaces, an attempt dies, or it goes on by a step, whose request may go wrong."""

    kind: Literal["event", "death", "step"]
    attempt: int = 0
    fate: Fate = "answered"


class Model:
    """What can happen to two attempts.

    Args:
        rules: how attempts and the storage behave.
        due: how many events surface in time: a slice that lacks one of them is not complete.
        late: how many surface after that.
    """

    def __init__(self, rules: Rules, *, due: int = 0, late: int = 1) -> None:
        self.rules = rules
        self.due = due
        self.late = late

    def moves(self, world: World) -> Iterator[tuple[Move, World]]:
        """Everything that can happen next."""
        if world.events < self.due + self.late:
            yield Move("event"), world._replace(events=world.events + 1)
        for number, attempt in enumerate(world.attempts):
            if attempt.step is None:
                continue
            yield Move("death", number), world.with_attempt(number, attempt.end("died"))
            fates: tuple[Fate, ...] = ("answered",)
            if attempt.step in {"put", "create"} and world.faults:
                fates = ("answered", "lost", "answer lost", "repeated")
            for fate in fates:
                after = self.step(world, number, fate)
                if after is not None:
                    yield Move("step", number, fate), after

    def step(self, world: World, number: int, fate: Fate = "answered") -> World | None:
        """The world after the attempt's request; None if it waits for Zendesk's clock."""
        attempt = world.attempts[number]
        if fate != "answered":
            world = world._replace(faults=world.faults - 1)
        if attempt.step in {"put", "create"}:
            return self._write(world, number, attempt, fate)
        if attempt.step == "write the rest":
            there = world.slice(self.key(attempt))
            assert there
            whole = world.with_slice(self.key(attempt), there._replace(whole=True))
            return whole.with_attempt(number, attempt.end("published"))
        after = self._read(world, attempt)
        return None if after is None else world.with_attempt(number, after)

    def key(self, attempt: Attempt) -> str:
        """Where the attempt's slice lies."""
        return attempt.grain if self.rules.fixed_keys else f"{attempt.grain} {attempt.events}"

    def _read(self, world: World, at: Attempt) -> Attempt | None:  # noqa: C901, PLR0911, PLR0912
        """The attempt after a request that writes nothing: one branch for each request."""
        there = world.slice(self.key(at))
        version = there.version if there else None
        order = ("check", "list", "ask", "confirm") if self.rules.token_first else ("check", "ask", "list", "confirm")
        following = dict(pairwise(order))
        match at.step:
            case "check" | "check again" if world.settings not in {None, at.grain}:
                return at.end("refused")
            case "check":
                return at._replace(step=following["check"])
            case "list":
                return at._replace(step=following["list"], version=version)
            case "ask" if self.rules.settled_by_server and world.events < self.due:
                return None
            case "ask":
                return at._replace(step=following["ask"], events=world.events)
            case "confirm":
                return at._replace(step="check again" if world.settings else self._put_record)
            case "peek for record" if world.settings:
                return at._replace(step="look for record", puts=at.puts + 1)
            case "peek for record":
                return at._replace(step="create")
            case "look for record":
                return at._replace(step="check again") if world.settings else self._once_more(at, self._put_record)
            case "check again":
                return at._replace(step="token", puts=0)
            case "token":
                # Whether it is the right version is judged by the content, which may be newer still.
                return at._replace(step="open" if there else self._put, rival=version != at.version)
            case "open" if there and there.events == at.events:
                return at.end("unchanged")
            case "open":
                return at.end("conflict") if at.rival else at._replace(step=self._put)
            case "peek" if version != at.version:
                return at._replace(step="look", puts=at.puts + 1)
            case "peek":
                return at._replace(step="put")
            case "look":
                return self._once_more(at, self._put) if version == at.version else at._replace(step="compare")
            case "compare":
                return at.end("published" if there and there.events == at.events else "conflict")
        raise AssertionError(at.step)

    @property
    def _put(self) -> str:
        """How a PUT begins: a store without conditions looks first."""
        return "put" if self.rules.conditional_writes else "peek"

    @property
    def _put_record(self) -> str:
        return "create" if self.rules.conditional_writes else "peek for record"

    def _once_more(self, at: Attempt, step: str) -> Attempt:
        return at._replace(step=step) if at.puts < _MAX_PUTS else at.end("failed")

    def _write(self, world: World, number: int, at: Attempt, fate: Fate) -> World:
        """The world after a PUT, which may have been carried out never, once or twice."""
        at = at._replace(puts=at.puts + 1)
        taken = False
        for _ in range({"lost": 0, "repeated": 2}.get(fate, 1)):
            world, taken = self._take(world, at)
        told = taken and fate != "answer lost"
        if at.step == "create":
            at = at._replace(step="check again" if told else "look for record")
        elif told:
            at = at.end("published") if self.rules.whole else at._replace(step="write the rest")
        elif self.rules.conflict == "look" or fate in {"lost", "answer lost"}:
            at = at._replace(step="look")
        else:
            at = at.end("published" if self.rules.conflict == "success" else "conflict")
        return world.with_attempt(number, at)

    def _take(self, world: World, at: Attempt) -> tuple[World, bool]:
        """What the storage makes of a PUT, and whether it says that it was carried out."""
        if at.step == "create":
            free = world.settings is None or not self.rules.conditional_writes
            return (world._replace(settings=at.grain), True) if free else (world, False)
        there = world.slice(self.key(at))
        if self.rules.conditional_writes and (there.version if there else None) != at.version:
            return world, False
        version = Object(at.events, world.writes + 1, self.rules.whole)
        return world.with_slice(self.key(at), version)._replace(foreign=not self.rules.sweeps), True


class Search(NamedTuple):
    """How many states there are, and the shortest schedules to each thing that goes wrong."""

    states: int
    wrong: dict[str, list[Move]]
    #: The shortest schedule to every step that an attempt can take: from where, what becomes of the request, to where.
    steps: dict[tuple[str, Fate, str], list[Move]]


def explore(model: Model, *grains: str, faults: int = 1) -> Search:
    """Go through every state that attempts with these grains, which may be the same, can come to."""
    start = World(tuple(Attempt(grain) for grain in grains), faults=faults)
    came_from: dict[World, tuple[World, Move] | None] = {start: None}
    wrong: dict[str, list[Move]] = {}
    steps: dict[tuple[str, Fate, str], list[Move]] = {}
    repaired: set[World] = set()
    todo = deque([start])
    while todo:
        world = todo.popleft()
        for move, after in model.moves(world):
            if move.kind == "step":
                was, now = world.attempts[move.attempt], after.attempts[move.attempt]
                step = (was.step or "", move.fate, now.step or now.outcome or "")
                if step not in steps:
                    steps[step] = _schedule(came_from, world, move)
            if after in came_from:
                continue
            came_from[after] = world, move
            todo.append(after)
            for name in _wrong(model, world, after, repaired):
                wrong.setdefault(name, _schedule(came_from, world, move))
    return Search(len(came_from), wrong, steps)


def _schedule(came_from: dict[World, tuple[World, Move] | None], world: World, move: Move) -> list[Move]:
    moves = [move]
    while (last := came_from[world]) is not None:
        world, move = last
        moves.append(move)
    return moves[::-1]


def _wrong(  # noqa: C901, PLR0912  one branch for each promise
    model: Model, before: World, after: World, repaired: set[World]
) -> Iterator[str]:
    """What is broken after a move; the names are those of docs/how-it-works.md."""
    for key, version in after.slices:
        earlier = before.slice(key)
        if not version.whole:
            yield "WHOLE"
        if version.events < model.due:
            yield "EXACT"
        if earlier and version.events < earlier.events:
            yield "FRESH"
        if key.split()[0] != after.settings:
            yield "GRAIN"
    if len({key.split()[0] for key, _ in after.slices}) < len(after.slices):
        yield "KEYS"
    if not after.foreign:
        yield "APART"
    for was, now in zip(before.attempts, after.attempts, strict=True):
        if was.outcome == now.outcome:
            continue
        there = after.slice(model.key(now))
        if now.outcome in {"published", "unchanged"} and (there is None or there.events < now.events):
            yield "EXACT"
        if now.outcome == "conflict" and there and there.events == now.events:
            yield "UNKNOWN"
    left = after._replace(attempts=(), events=model.due + model.late, faults=0)
    if left not in repaired:
        repaired.add(left)
        if not _repairs(model, left):
            yield "CRASH"


def _repairs(model: Model, left: World) -> bool:
    """Whether an attempt that is alone with what others have left ends well, with all events."""
    world = left._replace(attempts=(Attempt(left.settings or "day"),))
    while world.attempts[0].step:
        following = model.step(world, 0)
        assert following
        world = following
    there = world.slice(model.key(world.attempts[0]))
    return world.attempts[0].outcome in {"published", "unchanged"} and there == (
        world.events,
        there and there.version,
        True,
    )
