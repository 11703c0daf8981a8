"""Anything may happen to the real publisher, in any order, and what a dataset promises holds at every instant.

The promises, by the names that docs/how-it-works.md gives them: KEYS, WHOLE, EXACT, FRESH, SAME, APART, CRASH, UNKNOWN
and COVER.
"""

from collections import Counter
from io import BytesIO

import msgspec
import pyarrow.parquet as pq
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from airflow_zendesk.dataset.slice_file import Footer, verify_file
from airflow_zendesk.exceptions import (
    DatasetMismatchError,
    FutureWindowError,
    ShrinkRefusedError,
    SliceChangedError,
    StorageUnavailableError,
)
from airflow_zendesk.window import Grain, Window
from airflow_zendesk.zendesk.settling import MIN_SETTLE
from tests.support.crash.attempts import Attempt
from tests.support.crash.bucket import Bucket, Fate, ObjectVersion, Write
from tests.support.crash.desk import Desk, Happening
from tests.support.slices import DAY

START = DAY.start_time
SETTLE = int(MIN_SETTLE.total_seconds())
MINUTES = 2
SETTINGS = "_datasets/ticket_events.json"
FOLDER = "ticket_events/event_date=2026-01-01"
#: Objects that are not the exporter's, among its own.
FOREIGN = {f"{FOLDER}/notes.parquet", "ticket_events/event_date=2026-01-02/other.parquet", "_datasets/other.json"}
#: No attempt at so few slices sends more requests, whatever happens to it.
MOST_STEPS = 200

#: What an attempt may end in, besides success and a conflict.
EXPECTED = (DatasetMismatchError, FutureWindowError, ShrinkRefusedError, StorageUnavailableError)

FATES: list[Fate] = ["lost", "answer lost", "repeated"]


def slice_(first: int, length: int) -> Window:
    """A window of so many minutes."""
    return Window.of(f"2026-01-01T00:{first:02}:00Z", f"2026-01-01T00:{first + length:02}:00Z")


def keys(window: Window, grain: int) -> dict[str, Window]:
    """The objects that an export of the window at a grain of so many minutes may write, with their slices."""
    first, end = (when.minute for when in (window.start, window.end))
    return {
        f"{FOLDER}/20260101T00{minute:02}00Z--20260101T00{minute + grain:02}00Z.parquet": slice_(minute, grain)
        for minute in range(first, end, grain)
    }


def ids(version: ObjectVersion) -> set[int]:
    """The ids in a slice."""
    return set(pq.ParquetFile(BytesIO(version.content)).read(columns=["id"])["id"].to_pylist())


def footer(content: bytes) -> Footer:
    """What a slice says of itself; WHOLE: it says the truth, and no id stands in it twice."""
    return verify_file(BytesIO(content), "an object")


class Publishing(RuleBasedStateMachine):
    """Attempts at the slices of one dataset, on a store that honours conditions, while Zendesk changes its answers."""

    conditional_writes = True

    def __init__(self) -> None:
        super().__init__()
        self.bucket = Bucket(conditional_writes=self.conditional_writes)
        self.desk = Desk(START + 60)
        self.attempts: dict[str, Attempt] = {}
        self.redacted: set[int] = set()
        self.checked = 0
        self.bucket.objects |= {name: ObjectVersion(b"not ours", "foreign") for name in FOREIGN}

    # --- what happens ---------------------------------------------------------------------------------------

    @initialize(now=st.sampled_from([60, 200, 400]))
    def begin(self, now: int) -> None:
        """Before the last slice is over, before it has settled, or after that."""
        self.desk.now = START + now

    @rule(second=st.integers(0, 60 * MINUTES - 1), delay=st.integers(0, SETTLE))
    def something_happens(self, second: int, delay: int) -> None:
        """An event that Zendesk answers in time."""
        self._happen(second, START + second + delay)

    @precondition(lambda self: self.conditional_writes)
    @rule(second=st.integers(0, 60 * MINUTES - 1), delay=st.sampled_from([1, 1, 200]))
    def something_surfaces_late(self, second: int, delay: int) -> None:
        """An event that Zendesk answers only now, or even later, although its time is long over."""
        self._happen(second, self.desk.now + delay)
        self.desk.now += 1

    def _happen(self, second: int, surfaces: int) -> None:
        if surfaces > self.desk.now:
            number = len(self.desk.happened) + len(self.redacted) + 1
            self.desk.happened.append(Happening(START + second, number, surfaces))

    @precondition(lambda self: self.conditional_writes and self.desk.happened)
    @rule(data=st.data())
    def something_is_redacted(self, data: st.DataObject) -> None:
        """Zendesk does not answer it any more."""
        gone = data.draw(st.sampled_from(self.desk.happened))
        self.desk.happened.remove(gone)
        self.redacted.add(gone.id)

    @rule(seconds=st.integers(1, 300))
    def time_passes(self, seconds: int) -> None:
        """At Zendesk. The clock of the machine that exports is far ahead, all the time, and plays no part."""
        self.desk.now += seconds

    @rule(window=st.sampled_from([slice_(0, 2), slice_(0, 2), slice_(0, 1), slice_(1, 1)]), shrink=st.booleans())
    def attempt_starts(self, window: Window, shrink: bool) -> None:
        """Beside those that are alive."""
        self._attempt(window, 1, shrink=shrink)

    @precondition(lambda self: self.conditional_writes)
    @rule()
    def attempt_starts_with_another_grain(self) -> None:
        """The first of two decides; a store without conditions could not."""
        self._attempt(slice_(0, 2), 2, shrink=True)

    @rule(moves=st.lists(st.tuples(st.booleans(), st.integers(1, 8) | st.none()), min_size=4, max_size=8))
    def two_attempts_race(self, moves: list[tuple[bool, int | None]]) -> None:
        """For the same slices, now one and now the other, some steps or up to a PUT, while something surfaces."""
        rivals = [self._attempt(slice_(0, 2), 1, shrink=True) for _ in range(2)]
        for second, steps in moves:
            self._step(rivals[second])
            if steps is None:
                self._lead_to_put(rivals[second])
            for _ in range(steps or 0):
                self._step(rivals[second])
            if self.conditional_writes:
                self._happen(0, self.desk.now + 1)
                self.desk.now += 1
        for rival in rivals:
            while not rival.over:
                self._step(rival)

    @precondition(lambda self: self._alive())
    @rule(data=st.data(), fate=st.sampled_from(FATES))
    def put_goes_wrong(self, data: st.DataObject, fate: Fate) -> None:
        """The request or its answer is lost."""
        attempt = data.draw(st.sampled_from(self._alive()))
        self._lead_to_put(attempt)
        self._step(attempt, fate)

    @precondition(lambda self: self._alive())
    @rule(data=st.data(), fate=st.sampled_from(["answered", *FATES]))
    def attempt_goes_on(self, data: st.DataObject, fate: Fate) -> None:
        """One request, which may go wrong."""
        self._step(data.draw(st.sampled_from(self._alive())), fate)

    @precondition(lambda self: self._alive())
    @rule(data=st.data())
    def attempt_is_killed(self, data: st.DataObject) -> None:
        """Wherever it stands."""
        data.draw(st.sampled_from(self._alive())).kill()

    @rule()
    def attempt_runs_undisturbed(self) -> None:
        """CRASH: whatever others have left, it ends well. SAME: once more, and nothing is written."""
        now = self.desk.now
        if self._run_alone(slice_(0, MINUTES)) and now == self.desk.now:
            writes = len(self.bucket.writes)
            assert self._run_alone(slice_(0, MINUTES))
            assert writes == len(self.bucket.writes)

    # --- what holds -----------------------------------------------------------------------------------------

    @invariant()
    def every_version_was_right_to_come(self) -> None:
        """WHOLE, KEYS, APART, EXACT, FRESH of all that has been written since this was asked last."""
        for write in self.bucket.writes[self.checked :]:
            self.checked += 1
            if write.key == SETTINGS:
                assert write.before is None or write.before.content == write.version.content
            else:
                self._check(write)

    def _check(self, write: Write) -> None:
        attempt = self.attempts[write.writer]
        slices = keys(attempt.window, self._grain())
        assert write.key in slices, "KEYS, APART: it wrote what is not its own"
        window = slices[write.key]
        certificate = footer(write.version.content).certificate
        assert window.end_time + SETTLE == certificate.server_date_at_least <= self.desk.now, "EXACT: nothing proves it"
        rows = ids(write.version)
        assert attempt.known_ids(window) | self._settled(window) <= rows | self.redacted, "EXACT: events are missing"
        assert rows <= self.desk.surfaced(window) | self.redacted, "EXACT: events are of another slice"
        if write.before is not None:
            lost = ids(write.before) - rows
            assert lost <= (self.redacted if attempt.allow_shrink else set()), "FRESH: events are lost"
            assert rows == ids(write.before) or self._number(write.before) < attempt.began, "FRESH: old over new"

    @invariant()
    def dataset_has_one_grain(self) -> None:
        """That of its record."""
        slices = self.bucket.objects.keys() - FOREIGN - {SETTINGS}
        assert not slices or slices <= keys(slice_(0, MINUTES), self._grain()).keys()

    @invariant()
    def objects_of_others_are_left_alone(self) -> None:
        """APART: even those that lie among the slices."""
        assert all(self.bucket.objects[name].version == "foreign" for name in FOREIGN)

    def teardown(self) -> None:
        """COVER: in the end, one sweep sets all right, and the slices hold every event once."""
        for attempt in self._alive():
            attempt.kill()
        self.desk.now = START + 10_000
        assert self._run_alone(slice_(0, MINUTES))
        found = Counter(id_ for key in keys(slice_(0, MINUTES), self._grain()) for id_ in ids(self.bucket.objects[key]))
        assert Counter(each.id for each in self.desk.happened) == found
        self.every_version_was_right_to_come()
        self.objects_of_others_are_left_alone()

    # --- how ------------------------------------------------------------------------------------------------

    def _alive(self) -> list[Attempt]:
        return [attempt for attempt in self.attempts.values() if not attempt.over]

    def _attempt(self, window: Window, grain: int | None, *, shrink: bool) -> Attempt:
        name = f"attempt {len(self.attempts)}"
        length = None if grain is None else Grain(60 * grain)
        self.attempts[name] = Attempt(name, self.bucket, self.desk, window, length, allow_shrink=shrink)
        return self.attempts[name]

    def _step(self, attempt: Attempt, fate: Fate = "answered") -> None:
        if not attempt.over:
            attempt.step(fate)
            assert attempt.steps < MOST_STEPS, "it does not come to an end"
            if attempt.over:
                self._check_end(attempt)

    def _lead_to_put(self, attempt: Attempt) -> None:
        while attempt.request and attempt.request[0] != "put":
            self._step(attempt)

    def _run_alone(self, window: Window) -> bool:
        """Run an attempt to its end; says whether the window was over yet."""
        attempt = self._attempt(window, None if SETTINGS in self.bucket.objects else 1, shrink=True)
        while not attempt.over:
            self._step(attempt)
        assert attempt.error is None or isinstance(attempt.error, FutureWindowError)
        return attempt.error is None

    def _check_end(self, attempt: Attempt) -> None:
        if attempt.report is not None:
            slices = keys(attempt.window, self._grain())
            assert len(slices) == len(attempt.report.slices)
            for key, window in slices.items():
                there = ids(self.bucket.objects[key]) | self.redacted
                assert attempt.known_ids(window) | self._settled(window) <= there, "EXACT: success, and events missing"
        elif isinstance(attempt.error, SliceChangedError):
            key = attempt.error.uri.removeprefix("memory://bucket/")
            offered = self.bucket.offers.get((attempt.name, key))
            assert offered is None or footer(offered).digest != footer(self.bucket.objects[key].content).digest, (
                "UNKNOWN: its own rows are there, and it calls them a rival's"
            )
        else:
            assert isinstance(attempt.error, EXPECTED), repr(attempt.error)

    def _settled(self, window: Window) -> set[int]:
        """The events of a slice that a perfect Zendesk has answered when the slice is exported."""
        happened = (each for each in self.desk.happened if window.start_time <= each.timestamp < window.end_time)
        return {each.id for each in happened if each.surfaces <= each.timestamp + SETTLE}

    def _number(self, version: ObjectVersion) -> int:
        return next(number for number, write in enumerate(self.bucket.writes) if write.version == version)

    def _grain(self) -> int:
        record = msgspec.json.decode(self.bucket.objects[SETTINGS].content)
        return int(record["grain"].removesuffix("m"))


class BlindPublishing(Publishing):
    """The same on a store that ignores conditions; there Zendesk must not change its answers to what has settled."""

    conditional_writes = False


PublishingTest = Publishing.TestCase
PublishingTest.settings = settings(max_examples=40, stateful_step_count=40)
BlindPublishingTest = BlindPublishing.TestCase
BlindPublishingTest.settings = settings(max_examples=20, stateful_step_count=40)
