"""A model of how a slice is published, small enough to explore every interleaving of two attempts.

It models ``airflow_zendesk.export.run`` and the layers below it, for one slice and one page: one step for each request
that an attempt sends, in the same order. ``test_model.py`` runs the model and the real code through the same schedules
and compares them after each step. Events are numbers: an attempt that extracted n events has the first n that became
visible.

The rules can be broken on purpose, in the ways in which exporters usually break them. The search must then find what
goes wrong, and the shortest schedule that leads to it.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from tests.support.crash.stepped_store import Fate

#: The request that an attempt sends next, in each of its steps.
REQUESTS = {
    "check settings": "read settings",
    "list": "list slices",
    "fetch": "fetch Zendesk",
    "confirm settings": "read settings",
    "version before create": "version settings",
    "create": "put settings",
    "version after create": "version settings",
    "check settings again": "read settings",
    "version": "version slice",
    "open": "open slice",
    "version before put": "version slice",
    "put": "put slice",
    "version after put": "version slice",
    "compare": "open slice",
}
#: How often a PUT is sent while its outcome is unknown.
_MAX_PUTS = 3


@dataclass(frozen=True)
class Rules:
    """How attempts and the storage behave. The defaults are the right behaviour."""

    #: Whether the storage honours conditions.
    conditional_writes: bool = True
    #: Whether the stored version is read before the first request to Zendesk.
    version_first: bool = True
    #: Whether an object appears whole.
    atomic_writes: bool = True
    #: What an attempt does when the storage reports another version: compare the content, or assume an outcome.
    conflict: Literal["compare", "success", "failure"] = "compare"
    #: Whether Zendesk's clock decides that a slice has settled, and not the attempt's.
    settled_by_server: bool = True
    #: Whether the key depends on the time of the slice alone, and not on the extracted data.
    fixed_keys: bool = True
    #: Whether an attempt deletes objects that it did not write.
    deletes_others: bool = False


class Object(NamedTuple):
    """A version of a slice: the number of its events, and the number of the write."""

    events: int
    version: int
    whole: bool = True


class Attempt(NamedTuple):
    """The progress of an attempt. Its grain is the dataset's, unless it races for another."""

    grain: str
    step: str | None = "check settings"
    version: int | None = None
    events: int = 0
    #: Whether another attempt has written the slice since this one listed the stored versions.
    rival: bool = False
    puts: int = 0
    outcome: str | None = None

    def end(self, outcome: str) -> "Attempt":
        """The attempt after its end."""
        return self._replace(step=None, outcome=outcome)


class State(NamedTuple):
    """The state of everything: attempts, Zendesk and the storage."""

    attempts: tuple[Attempt, ...]
    #: How many events are visible.
    events: int = 0
    settings: str | None = None
    slices: tuple[tuple[str, Object], ...] = ()
    #: Whether an object that the exporter did not write is still stored.
    other_object: bool = True
    writes: int = 0
    faults: int = 0

    def slice(self, key: str) -> Object | None:
        """The object with this key."""
        return dict(self.slices).get(key)

    def with_slice(self, key: str, version: Object) -> "State":
        """The state after a write."""
        slices = dict(self.slices) | {key: version}
        return self._replace(slices=tuple(sorted(slices.items())), writes=version.version)

    def with_attempt(self, number: int, attempt: Attempt) -> "State":
        """The state after a step of an attempt."""
        return self._replace(attempts=(*self.attempts[:number], attempt, *self.attempts[number + 1 :]))


class Move(NamedTuple):
    """One transition: an event becomes visible, an attempt dies, or it takes a step whose request may go wrong."""

    kind: Literal["event", "death", "step"]
    attempt: int = 0
    fate: Fate = "answered"


class Model:
    """The transitions of two attempts.

    Args:
        rules: how attempts and the storage behave.
        due: how many events become visible in time: a slice without one of them is incomplete.
        late: how many become visible later.
    """

    def __init__(self, rules: Rules, *, due: int = 0, late: int = 1) -> None:
        self.rules = rules
        self.due = due
        self.late = late

    def moves(self, state: State) -> Iterator[tuple[Move, State]]:
        """All possible moves, each with the state after it."""
        if state.events < self.due + self.late:
            yield Move("event"), state._replace(events=state.events + 1)
        for number, attempt in enumerate(state.attempts):
            if attempt.step is None:
                continue
            yield Move("death", number), state.with_attempt(number, attempt.end("died"))
            fates: tuple[Fate, ...] = ("answered",)
            if attempt.step in {"put", "create"} and state.faults:
                fates = ("answered", "lost", "answer lost", "repeated")
            for fate in fates:
                after = self.step(state, number, fate)
                if after is not None:
                    yield Move("step", number, fate), after

    def step(self, state: State, number: int, fate: Fate = "answered") -> State | None:
        """The state after the attempt's request; None if the attempt waits for Zendesk's clock."""
        attempt = state.attempts[number]
        if fate != "answered":
            state = state._replace(faults=state.faults - 1)
        if attempt.step in {"put", "create"}:
            return self._write(state, number, attempt, fate)
        if attempt.step == "write the rest":
            stored = state.slice(self.key(attempt))
            assert stored
            whole = state.with_slice(self.key(attempt), stored._replace(whole=True))
            return whole.with_attempt(number, attempt.end("published"))
        after = self._read(state, attempt)
        return None if after is None else state.with_attempt(number, after)

    def key(self, attempt: Attempt) -> str:
        """The key of the attempt's slice."""
        return attempt.grain if self.rules.fixed_keys else f"{attempt.grain} {attempt.events}"

    def _read(self, state: State, at: Attempt) -> Attempt | None:  # noqa: C901, PLR0911, PLR0912
        """The attempt after a request that writes nothing. There is one branch for each request."""
        stored = state.slice(self.key(at))
        version = stored.version if stored else None
        first, second = ("list", "fetch") if self.rules.version_first else ("fetch", "list")
        following = dict(pairwise(("check settings", first, second, "confirm settings")))
        match at.step:
            case "check settings" | "check settings again" if state.settings not in {None, at.grain}:
                return at.end("refused")
            case "check settings":
                return at._replace(step=following["check settings"])
            case "list":
                return at._replace(step=following["list"], version=version)
            case "fetch" if self.rules.settled_by_server and state.events < self.due:
                return None
            case "fetch":
                return at._replace(step=following["fetch"], events=state.events)
            case "confirm settings":
                return at._replace(step="check settings again" if state.settings else self._create)
            case "version before create" if state.settings:
                return at._replace(step="version after create", puts=at.puts + 1)
            case "version before create":
                return at._replace(step="create")
            case "version after create":
                return at._replace(step="check settings again") if state.settings else self._retry(at, self._create)
            case "check settings again":
                return at._replace(step="version", puts=0)
            case "version":
                # The content decides whether it is the right version, and may be newer still.
                return at._replace(step="open" if stored else self._put, rival=version != at.version)
            case "open" if stored and stored.events == at.events:
                return at.end("unchanged")
            case "open":
                return at.end("conflict") if at.rival else at._replace(step=self._put)
            case "version before put" if version != at.version:
                return at._replace(step="version after put", puts=at.puts + 1)
            case "version before put":
                return at._replace(step="put")
            case "version after put":
                return self._retry(at, self._put) if version == at.version else at._replace(step="compare")
            case "compare":
                return at.end("published" if stored and stored.events == at.events else "conflict")
        raise AssertionError(at.step)

    @property
    def _put(self) -> str:
        """The first step of a PUT: a store without conditions reads the version before."""
        return "put" if self.rules.conditional_writes else "version before put"

    @property
    def _create(self) -> str:
        return "create" if self.rules.conditional_writes else "version before create"

    def _retry(self, at: Attempt, step: str) -> Attempt:
        return at._replace(step=step) if at.puts < _MAX_PUTS else at.end("failed")

    def _write(self, state: State, number: int, at: Attempt, fate: Fate) -> State:
        """The state after a PUT, which may have been carried out never, once or twice."""
        at = at._replace(puts=at.puts + 1)
        taken = False
        for _ in range({"lost": 0, "repeated": 2}.get(fate, 1)):
            state, taken = self._put_object(state, at)
        confirmed = taken and fate != "answer lost"
        if at.step == "create":
            at = at._replace(step="check settings again" if confirmed else "version after create")
        elif confirmed:
            at = at.end("published") if self.rules.atomic_writes else at._replace(step="write the rest")
        elif self.rules.conflict == "compare" or fate in {"lost", "answer lost"}:
            at = at._replace(step="version after put")
        else:
            at = at.end("published" if self.rules.conflict == "success" else "conflict")
        return state.with_attempt(number, at)

    def _put_object(self, state: State, at: Attempt) -> tuple[State, bool]:
        """The state after the storage has received a PUT, and whether it was carried out."""
        if at.step == "create":
            free = state.settings is None or not self.rules.conditional_writes
            return (state._replace(settings=at.grain), True) if free else (state, False)
        stored = state.slice(self.key(at))
        if self.rules.conditional_writes and (stored.version if stored else None) != at.version:
            return state, False
        version = Object(at.events, state.writes + 1, self.rules.atomic_writes)
        return state.with_slice(self.key(at), version)._replace(other_object=not self.rules.deletes_others), True


class Search(NamedTuple):
    """The number of states, and the shortest schedule to each broken promise."""

    states: int
    wrong: dict[str, list[Move]]
    #: The shortest schedule to each step that an attempt can take, by the step, the fate of its request, the next step.
    steps: dict[tuple[str, Fate, str], list[Move]]


def explore(model: Model, *grains: str, faults: int = 1) -> Search:
    """Visit every state that attempts with these grains can reach; the grains may be equal."""
    start = State(tuple(Attempt(grain) for grain in grains), faults=faults)
    origins: dict[State, tuple[State, Move] | None] = {start: None}
    wrong: dict[str, list[Move]] = {}
    steps: dict[tuple[str, Fate, str], list[Move]] = {}
    repaired: set[State] = set()
    todo = deque([start])
    while todo:
        state = todo.popleft()
        for move, after in model.moves(state):
            if move.kind == "step":
                was, now = state.attempts[move.attempt], after.attempts[move.attempt]
                step = (was.step or "", move.fate, now.step or now.outcome or "")
                if step not in steps:
                    steps[step] = _schedule(origins, state, move)
            if after in origins:
                continue
            origins[after] = state, move
            todo.append(after)
            for name in _wrong(model, state, after, repaired):
                wrong.setdefault(name, _schedule(origins, state, move))
    return Search(len(origins), wrong, steps)


def _schedule(origins: dict[State, tuple[State, Move] | None], state: State, move: Move) -> list[Move]:
    moves = [move]
    while (last := origins[state]) is not None:
        state, move = last
        moves.append(move)
    return moves[::-1]


def _wrong(  # noqa: C901, PLR0912  one branch for each promise
    model: Model, before: State, after: State, repaired: set[State]
) -> Iterator[str]:
    """The promises that are broken after a move, by the names in docs/how-it-works.md."""
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
    if not after.other_object:
        yield "APART"
    for was, now in zip(before.attempts, after.attempts, strict=True):
        if was.outcome == now.outcome:
            continue
        stored = after.slice(model.key(now))
        if now.outcome in {"published", "unchanged"} and (stored is None or stored.events < now.events):
            yield "EXACT"
        if now.outcome == "conflict" and stored and stored.events == now.events:
            yield "UNKNOWN"
    left = after._replace(attempts=(), events=model.due + model.late, faults=0)
    if left not in repaired:
        repaired.add(left)
        if not _repairs(model, left):
            yield "CRASH"


def _repairs(model: Model, left: State) -> bool:
    """Whether a later attempt, alone with what others have left, succeeds with all events."""
    state = left._replace(attempts=(Attempt(left.settings or "day"),))
    while state.attempts[0].step:
        following = model.step(state, 0)
        assert following
        state = following
    stored = state.slice(model.key(state.attempts[0]))
    return state.attempts[0].outcome in {"published", "unchanged"} and stored == (
        state.events,
        stored and stored.version,
        True,
    )
