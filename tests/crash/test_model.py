"""The model and the real publisher take the same steps, and the search finds every broken rule."""

from collections.abc import Iterable
from io import BytesIO

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_zendesk.dataset.slice_file import verify_file
from airflow_zendesk.exceptions import (
    DatasetMismatchError,
    SliceChangedError,
    StorageUnavailableError,
    ZendeskError,
)
from airflow_zendesk.window import Grain, Window
from tests.support.crash import explorer
from tests.support.crash.attempts import Attempt
from tests.support.crash.explorer import REQUESTS, Model, Move, Rules, State, explore
from tests.support.crash.fake_zendesk import FakeEvent, FakeZendesk
from tests.support.crash.stepped_store import Bucket
from tests.support.slices import DAY

#: A slice of each of the two grains in the model. Both begin with the day.
WINDOWS = {"day": DAY, "hour": Window.of("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z")}
GRAINS = {"day": Grain.of("1d"), "hour": Grain.of("1h")}
KEYS = {
    "ticket_events/event_date=2026-01-01/20260101T000000Z--20260102T000000Z.parquet": "day",
    "ticket_events/event_date=2026-01-01/20260101T000000Z--20260101T010000Z.parquet": "hour",
}
OUTCOMES: dict[type[ZendeskError], str] = {
    DatasetMismatchError: "refused",
    SliceChangedError: "conflict",
    StorageUnavailableError: "failed",
}


class RealRun:
    """The real publisher, driven by the moves of the model."""

    def __init__(self, rules: Rules, grains: Iterable[str]) -> None:
        self.bucket = Bucket(conditional_writes=rules.conditional_writes)
        self.zendesk = FakeZendesk(DAY.end_time + 3_600)
        self.attempts = [
            Attempt(f"attempt {number}", self.bucket, self.zendesk, WINDOWS[grain], GRAINS[grain], allow_shrink=True)
            for number, grain in enumerate(grains)
        ]
        self._dead: set[int] = set()

    def make(self, move: Move) -> None:
        """Make a move."""
        if move.kind == "event":
            number = len(self.zendesk.events) + 1
            self.zendesk.events.append(FakeEvent(DAY.start_time + number, number, self.zendesk.now))
        elif move.kind == "death":
            self._dead.add(move.attempt)
            self.attempts[move.attempt].kill()
        else:
            self.attempts[move.attempt].step(move.fate)

    def progress(self) -> list[object]:
        """For each attempt the request that it sends next, or its outcome."""
        return ["died" if number in self._dead else _progress(attempt) for number, attempt in enumerate(self.attempts)]

    def stored(self) -> tuple[str | None, dict[str, int]]:
        """The grain in the stored settings, and the number of events in each stored slice."""
        slices = {key: version for key, version in self.bucket.objects.items() if key in KEYS}
        settings = self.bucket.objects.get("_datasets/ticket_events.json")
        grains = {str(grain): name for name, grain in GRAINS.items()}
        return (
            grains[msgspec.json.decode(settings.content)["grain"]] if settings else None,
            {KEYS[key]: verify_file(BytesIO(version.content), key).rows for key, version in slices.items()},
        )


def _progress(attempt: Attempt) -> str:
    if attempt.report:
        return attempt.report.slices[0].outcome
    if attempt.error:
        return OUTCOMES[type(attempt.error)]
    assert attempt.request
    method, key = attempt.request
    target = {"_datasets/ticket_events.json": "settings", "ticket_events": "Zendesk"}.get(key)
    return f"{method} {target or ('slice' if key in KEYS else 'slices')}"


def expected_progress(state: State) -> list[object]:
    """What the model says of each attempt."""
    return [REQUESTS[attempt.step] if attempt.step else attempt.outcome for attempt in state.attempts]


def make_moves(model: Model, real: RealRun, state: State, moves: Iterable[Move]) -> State:
    """Make the possible ones of the moves in the model and in the real run, and compare both after each."""
    assert expected_progress(state) == real.progress()
    for move in moves:
        after = dict(model.moves(state)).get(move)
        if after is None:
            continue
        state = after
        real.make(move)
        assert expected_progress(state) == real.progress()
        assert (state.settings, {key: version.events for key, version in state.slices}) == real.stored()
    return state


def run_to_the_end(rules: Rules, grains: tuple[str, ...], moves: Iterable[Move]) -> None:
    """Make the moves, and then run one attempt after the other to its end."""
    model, real = Model(rules, late=2), RealRun(rules, grains)
    rest = [Move("step", number) for number in range(len(grains)) for _ in range(30)]
    state = make_moves(model, real, start(grains), [*moves, *rest])
    assert all(attempt.outcome for attempt in state.attempts)


def start(grains: Iterable[str]) -> State:
    """Attempts that have not begun."""
    return State(tuple(explorer.Attempt(grain) for grain in grains), faults=2)


TWINS, RACERS = ("day", "day"), ("day", "hour")
#: Ways to break the rules, and the promises that are broken then.
BROKEN = [
    (Rules(version_first=False), {"FRESH"}),
    (Rules(atomic_writes=False), {"WHOLE", "CRASH"}),
    (Rules(conflict="success"), {"EXACT"}),
    (Rules(conflict="failure"), {"UNKNOWN"}),
    (Rules(settled_by_server=False), {"EXACT"}),
    (Rules(fixed_keys=False), {"KEYS"}),
    (Rules(deletes_others=True), {"APART"}),
]


@pytest.mark.parametrize(
    ("rules", "late", "grains", "states"),
    [(Rules(), 2, TWINS, 8_550), (Rules(), 1, RACERS, 3_147), (Rules(conditional_writes=False), 0, TWINS, 1_045)],
    ids=["one slice", "two grains", "without conditions, settled"],
)
def test_every_interleaving_keeps_the_promises(rules: Rules, late: int, grains: tuple[str, str], states: int) -> None:
    """Whatever event, death or fault comes in between. The number of states shows that none was left out."""
    search = explore(Model(rules, due=1, late=late), *grains)
    assert {} == search.wrong
    assert states == search.states


@pytest.mark.parametrize(("late", "grains", "wrong"), [(1, TWINS, {"FRESH"}), (0, RACERS, {"GRAIN"})])
def test_store_without_conditions_cannot_prevent_races(late: int, grains: tuple[str, str], wrong: set[str]) -> None:
    """An old version may replace one with late events, and two first runs with different grains may both continue."""
    assert wrong == explore(Model(Rules(conditional_writes=False), due=1, late=late), *grains).wrong.keys()


@pytest.mark.parametrize(("rules", "wrong"), BROKEN)
def test_search_finds_the_promise_that_a_broken_rule_breaks(rules: Rules, wrong: set[str]) -> None:
    """Each rule breaks its own promises."""
    assert wrong == explore(Model(rules, due=1), *TWINS).wrong.keys()


@pytest.mark.parametrize("conditional_writes", [True, False])
@pytest.mark.parametrize("grains", [TWINS, RACERS])
def test_publisher_takes_every_step_of_the_model(conditional_writes: bool, grains: tuple[str, str]) -> None:
    """Request by request, with every fate. What is proven of the model is therefore true of the code."""
    rules = Rules(conditional_writes=conditional_writes)
    for moves in explore(Model(rules), *grains).steps.values():
        run_to_the_end(rules, grains, moves)


@pytest.mark.parametrize("rules", [rules for rules, _ in BROKEN])
def test_publisher_takes_the_schedules_on_which_broken_rules_fail(rules: Rules) -> None:
    """The real publisher follows the right rules there, and breaks no promise."""
    for moves in explore(Model(rules, due=1), *TWINS).wrong.values():
        run_to_the_end(Rules(), TWINS, moves)


@given(data=st.data(), conditional_writes=st.booleans(), grains=st.sampled_from([TWINS, RACERS]))
@settings(max_examples=25)
def test_publisher_follows_the_model_on_random_schedules(
    data: st.DataObject, conditional_writes: bool, grains: tuple[str, str]
) -> None:
    """Mostly several steps of one attempt in a row, so that it gets far ahead of the other."""
    model, real, state = (
        Model(Rules(conditional_writes=conditional_writes), late=2),
        RealRun(Rules(conditional_writes=conditional_writes), grains),
        start(grains),
    )
    while moves := [move for move, _ in model.moves(state)]:
        move = data.draw(st.sampled_from(moves))
        following = [Move("step", move.attempt)] * data.draw(st.integers(0, 7)) if move.kind == "step" else []
        state = make_moves(model, real, state, [move, *following])
