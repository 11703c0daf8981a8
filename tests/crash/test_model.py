"""The model and the real publisher take the same steps, and every broken rule is seen."""

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
from tests.support.crash.bucket import Bucket
from tests.support.crash.desk import Desk, Happening
from tests.support.crash.explorer import REQUESTS, Model, Move, Rules, World, explore
from tests.support.slices import DAY

#: The slices of the two grains in the model: both begin with the day.
PIECES = {"day": DAY, "hour": Window.of("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z")}
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


class Stage:
    """The real publisher, led by the moves of the model."""

    def __init__(self, rules: Rules, grains: Iterable[str]) -> None:
        self.bucket = Bucket(conditional_writes=rules.conditional_writes)
        self.desk = Desk(DAY.end_time + 3_600)
        self.attempts = [
            Attempt(f"attempt {number}", self.bucket, self.desk, PIECES[grain], GRAINS[grain], allow_shrink=True)
            for number, grain in enumerate(grains)
        ]
        self._dead: set[int] = set()

    def make(self, move: Move) -> None:
        """Let it happen."""
        if move.kind == "event":
            number = len(self.desk.happened) + 1
            self.desk.happened.append(Happening(DAY.start_time + number, number, self.desk.now))
        elif move.kind == "death":
            self._dead.add(move.attempt)
            self.attempts[move.attempt].kill()
        else:
            self.attempts[move.attempt].step(move.fate)

    def told(self) -> list[object]:
        """For each attempt the request that it is about to send, or its outcome."""
        return ["died" if number in self._dead else _told(attempt) for number, attempt in enumerate(self.attempts)]

    def stored(self) -> tuple[str | None, dict[str, int]]:
        """The grain in the record, and the number of events in each slice that is there."""
        slices = {key: version for key, version in self.bucket.objects.items() if key in KEYS}
        record = self.bucket.objects.get("_datasets/ticket_events.json")
        grains = {str(grain): name for name, grain in GRAINS.items()}
        return (
            grains[msgspec.json.decode(record.content)["grain"]] if record else None,
            {KEYS[key]: verify_file(BytesIO(version.content), key).rows for key, version in slices.items()},
        )


def _told(attempt: Attempt) -> str:
    if attempt.report:
        return attempt.report.slices[0].outcome
    if attempt.error:
        return OUTCOMES[type(attempt.error)]
    assert attempt.request
    method, key = attempt.request
    what = {"_datasets/ticket_events.json": "record", "ticket_events": "Zendesk"}.get(key)
    return f"{method} {what or ('slice' if key in KEYS else 'slices')}"


def expected(world: World) -> list[object]:
    """What the stage must tell."""
    return [REQUESTS[attempt.step] if attempt.step else attempt.outcome for attempt in world.attempts]


def lead(model: Model, stage: Stage, world: World, moves: Iterable[Move]) -> World:
    """Make the moves that can be made, in the model and on the stage; after each, both are in the same state."""
    assert expected(world) == stage.told()
    for move in moves:
        after = dict(model.moves(world)).get(move)
        if after is None:
            continue
        world = after
        stage.make(move)
        assert expected(world) == stage.told()
        assert (world.settings, {key: version.events for key, version in world.slices}) == stage.stored()
    return world


def lead_to_the_end(rules: Rules, grains: tuple[str, ...], moves: Iterable[Move]) -> None:
    """Make the moves, and then let one attempt after the other go on undisturbed."""
    model, stage = Model(rules, late=2), Stage(rules, grains)
    rest = [Move("step", number) for number in range(len(grains)) for _ in range(30)]
    world = lead(model, stage, start(grains), [*moves, *rest])
    assert all(attempt.outcome for attempt in world.attempts)


def start(grains: Iterable[str]) -> World:
    """Attempts that have not begun."""
    return World(tuple(explorer.Attempt(grain) for grain in grains), faults=2)


TWINS, RACERS = ("day", "day"), ("day", "hour")
#: Ways to break the rules, and what goes wrong then.
BROKEN = [
    (Rules(token_first=False), {"FRESH"}),
    (Rules(whole=False), {"WHOLE", "CRASH"}),
    (Rules(conflict="success"), {"EXACT"}),
    (Rules(conflict="failure"), {"UNKNOWN"}),
    (Rules(settled_by_server=False), {"EXACT"}),
    (Rules(fixed_keys=False), {"KEYS"}),
    (Rules(sweeps=True), {"APART"}),
]


@pytest.mark.parametrize(
    ("rules", "late", "grains", "states"),
    [(Rules(), 2, TWINS, 8_550), (Rules(), 1, RACERS, 3_147), (Rules(conditional_writes=False), 0, TWINS, 1_045)],
    ids=["one slice", "two grains", "without conditions, settled"],
)
def test_no_interleaving_goes_wrong(rules: Rules, late: int, grains: tuple[str, str], states: int) -> None:
    """Whatever surfaces, dies or is lost in between. The number of states shows that none was left out."""
    search = explore(Model(rules, due=1, late=late), *grains)
    assert {} == search.wrong
    assert states == search.states


@pytest.mark.parametrize(("late", "grains", "wrong"), [(1, TWINS, {"FRESH"}), (0, RACERS, {"GRAIN"})])
def test_what_a_store_without_conditions_cannot_do(late: int, grains: tuple[str, str], wrong: set[str]) -> None:
    """An old version may replace one with late events; two first runs of different kind may both go on."""
    assert wrong == explore(Model(Rules(conditional_writes=False), due=1, late=late), *grains).wrong.keys()


@pytest.mark.parametrize(("rules", "wrong"), BROKEN)
def test_broken_rule_goes_wrong(rules: Rules, wrong: set[str]) -> None:
    """Each in its own way: so the search would see it."""
    assert wrong == explore(Model(rules, due=1), *TWINS).wrong.keys()


@pytest.mark.parametrize("conditional_writes", [True, False])
@pytest.mark.parametrize("grains", [TWINS, RACERS])
def test_publisher_takes_every_step_of_the_model(conditional_writes: bool, grains: tuple[str, str]) -> None:
    """Request by request, with every fate: what is proven of the model is true of the code."""
    rules = Rules(conditional_writes=conditional_writes)
    for moves in explore(Model(rules), *grains).steps.values():
        lead_to_the_end(rules, grains, moves)


@pytest.mark.parametrize("rules", [rules for rules, _ in BROKEN])
def test_publisher_takes_the_schedules_on_which_broken_rules_fail(rules: Rules) -> None:
    """And stays with the model, which does nothing wrong."""
    for moves in explore(Model(rules, due=1), *TWINS).wrong.values():
        lead_to_the_end(Rules(), TWINS, moves)


@given(data=st.data(), conditional_writes=st.booleans(), grains=st.sampled_from([TWINS, RACERS]))
@settings(max_examples=25)
def test_publisher_stays_with_the_model(data: st.DataObject, conditional_writes: bool, grains: tuple[str, str]) -> None:
    """On any schedule; mostly in runs, so that one attempt gets far ahead of the other."""
    model, stage, world = (
        Model(Rules(conditional_writes=conditional_writes), late=2),
        Stage(Rules(conditional_writes=conditional_writes), grains),
        start(grains),
    )
    while moves := [move for move, _ in model.moves(world)]:
        move = data.draw(st.sampled_from(moves))
        following = [Move("step", move.attempt)] * data.draw(st.integers(0, 7)) if move.kind == "step" else []
        world = lead(model, stage, world, [move, *following])
