"""Random events, faults and kills in any order: the promises of a dataset hold at every instant.

The promises are named as in docs/how-it-works.md: KEYS, WHOLE, EXACT, FRESH, SAME, APART, CRASH, UNKNOWN and COVER.
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
from tests.support.crash.fake_zendesk import FakeEvent, FakeZendesk
from tests.support.crash.stepped_store import Bucket, Fate, ObjectVersion, Write
from tests.support.slices import DAY

START = DAY.start_time
SETTLE = int(MIN_SETTLE.total_seconds())
MINUTES = 2
SETTINGS = "_datasets/ticket_events.json"
FOLDER = "ticket_events/event_date=2026-01-01"
#: Objects of others among those of the exporter.
OTHERS = {f"{FOLDER}/notes.parquet", "ticket_events/event_date=2026-01-02/other.parquet", "_datasets/other.json"}
#: More requests than an attempt at so few slices ever sends.
MAX_STEPS = 200

#: The errors that may end an attempt, besides a conflict.
EXPECTED_ERRORS = (DatasetMismatchError, FutureWindowError, ShrinkRefusedError, StorageUnavailableError)

FATES: list[Fate] = ["lost", "answer lost", "repeated"]


def slice_(first: int, length: int) -> Window:
    """A window of ``length`` minutes."""
    return Window.of(f"2026-01-01T00:{first:02}:00Z", f"2026-01-01T00:{first + length:02}:00Z")


def keys(window: Window, grain: int) -> dict[str, Window]:
    """The keys that an export of the window may write at a grain of ``grain`` minutes, with their slices."""
    first, end = (when.minute for when in (window.start, window.end))
    return {
        f"{FOLDER}/20260101T00{minute:02}00Z--20260101T00{minute + grain:02}00Z.parquet": slice_(minute, grain)
        for minute in range(first, end, grain)
    }


def ids(version: ObjectVersion) -> set[int]:
    """The ids in a slice."""
    return set(pq.ParquetFile(BytesIO(version.content)).read(columns=["id"])["id"].to_pylist())


def footer(content: bytes) -> Footer:
    """The footer of a slice. WHOLE: it matches the rows, and no id occurs twice."""
    return verify_file(BytesIO(content), "an object")


class Publishing(RuleBasedStateMachine):
    """Attempts at the slices of one dataset, on a store that honours conditions, while Zendesk's data changes."""

    conditional_writes = True

    def __init__(self) -> None:
        super().__init__()
        self.bucket = Bucket(conditional_writes=self.conditional_writes)
        self.zendesk = FakeZendesk(START + 60)
        self.attempts: dict[str, Attempt] = {}
        self.redacted: set[int] = set()
        self.checked = 0
        self.bucket.objects |= {name: ObjectVersion(b"not ours", "of others") for name in OTHERS}

    # --- transitions ------------------------------------------------------------------------------------------

    @initialize(now=st.sampled_from([60, 200, 400]))
    def begin(self, now: int) -> None:
        """Start before the last slice is over, before it has settled, or after that."""
        self.zendesk.now = START + now

    @rule(second=st.integers(0, 60 * MINUTES - 1), delay=st.integers(0, SETTLE))
    def event_happens(self, second: int, delay: int) -> None:
        """An event that becomes visible in time."""
        self._add_event(second, START + second + delay)

    @precondition(lambda self: self.conditional_writes)
    @rule(second=st.integers(0, 60 * MINUTES - 1), delay=st.sampled_from([1, 1, 200]))
    def late_event_becomes_visible(self, second: int, delay: int) -> None:
        """An event that becomes visible only now, or even later, long after it happened."""
        self._add_event(second, self.zendesk.now + delay)
        self.zendesk.now += 1

    def _add_event(self, second: int, visible_from: int) -> None:
        if visible_from > self.zendesk.now:
            number = len(self.zendesk.events) + len(self.redacted) + 1
            self.zendesk.events.append(FakeEvent(START + second, number, visible_from))

    @precondition(lambda self: self.conditional_writes and self.zendesk.events)
    @rule(data=st.data())
    def event_is_redacted(self, data: st.DataObject) -> None:
        """Zendesk stops returning an event."""
        event = data.draw(st.sampled_from(self.zendesk.events))
        self.zendesk.events.remove(event)
        self.redacted.add(event.id)

    @rule(seconds=st.integers(1, 300))
    def time_passes(self, seconds: int) -> None:
        """At Zendesk. The clock of the exporting machine is always far ahead, and must not matter."""
        self.zendesk.now += seconds

    @rule(window=st.sampled_from([slice_(0, 2), slice_(0, 2), slice_(0, 1), slice_(1, 1)]), shrink=st.booleans())
    def attempt_starts(self, window: Window, shrink: bool) -> None:
        """Start an attempt beside those that are running."""
        self._attempt(window, 1, shrink=shrink)

    @precondition(lambda self: self.conditional_writes)
    @rule()
    def attempt_starts_with_another_grain(self) -> None:
        """The first of two grains wins. A store without conditions could not guarantee that."""
        self._attempt(slice_(0, 2), 2, shrink=True)

    @rule(moves=st.lists(st.tuples(st.booleans(), st.integers(1, 8) | st.none()), min_size=4, max_size=8))
    def two_attempts_race(self, moves: list[tuple[bool, int | None]]) -> None:
        """Two attempts at the same slices take turns, some steps or up to a PUT, while events become visible."""
        rivals = [self._attempt(slice_(0, 2), 1, shrink=True) for _ in range(2)]
        for second, steps in moves:
            self._step(rivals[second])
            if steps is None:
                self._advance_to_put(rivals[second])
            for _ in range(steps or 0):
                self._step(rivals[second])
            if self.conditional_writes:
                self._add_event(0, self.zendesk.now + 1)
                self.zendesk.now += 1
        for rival in rivals:
            while not rival.is_over:
                self._step(rival)

    @precondition(lambda self: self._alive())
    @rule(data=st.data(), fate=st.sampled_from(FATES))
    def put_goes_wrong(self, data: st.DataObject, fate: Fate) -> None:
        """A request or its answer is lost."""
        attempt = data.draw(st.sampled_from(self._alive()))
        self._advance_to_put(attempt)
        self._step(attempt, fate)

    @precondition(lambda self: self._alive())
    @rule(data=st.data(), fate=st.sampled_from(["answered", *FATES]))
    def attempt_goes_on(self, data: st.DataObject, fate: Fate) -> None:
        """An attempt sends one request, which may go wrong."""
        self._step(data.draw(st.sampled_from(self._alive())), fate)

    @precondition(lambda self: self._alive())
    @rule(data=st.data())
    def attempt_is_killed(self, data: st.DataObject) -> None:
        """At any request."""
        data.draw(st.sampled_from(self._alive())).kill()

    @rule()
    def attempt_runs_undisturbed(self) -> None:
        """CRASH: it succeeds, whatever others have left. SAME: the next one writes nothing."""
        now = self.zendesk.now
        if self._run_alone(slice_(0, MINUTES)) and now == self.zendesk.now:
            writes = len(self.bucket.writes)
            assert self._run_alone(slice_(0, MINUTES))
            assert writes == len(self.bucket.writes)

    # --- invariants -------------------------------------------------------------------------------------------

    @invariant()
    def every_version_keeps_the_promises(self) -> None:
        """WHOLE, KEYS, APART, EXACT, FRESH of all versions written since the last check."""
        for write in self.bucket.writes[self.checked :]:
            self.checked += 1
            if write.key == SETTINGS:
                assert write.before is None or write.before.content == write.version.content
            else:
                self._check(write)

    def _check(self, write: Write) -> None:
        attempt = self.attempts[write.writer]
        slices = keys(attempt.window, self._grain())
        assert write.key in slices, "KEYS, APART: it wrote an object that is not its own"
        window = slices[write.key]
        certificate = footer(write.version.content).certificate
        assert window.end_time + SETTLE == certificate.server_date_at_least <= self.zendesk.now, "EXACT: not proven"
        rows = ids(write.version)
        assert attempt.known_ids(window) | self._settled(window) <= rows | self.redacted, "EXACT: events are missing"
        assert rows <= self.zendesk.visible_ids(window) | self.redacted, "EXACT: events belong to another slice"
        if write.before is not None:
            lost = ids(write.before) - rows
            assert lost <= (self.redacted if attempt.allow_shrink else set()), "FRESH: events are lost"
            assert rows == ids(write.before) or self._number(write.before) < attempt.began, "FRESH: old over new"

    @invariant()
    def dataset_has_one_grain(self) -> None:
        """That of its stored settings."""
        slices = self.bucket.objects.keys() - OTHERS - {SETTINGS}
        assert not slices or slices <= keys(slice_(0, MINUTES), self._grain()).keys()

    @invariant()
    def objects_of_others_are_left_alone(self) -> None:
        """APART: even those in the folders of the slices."""
        assert all(self.bucket.objects[name].version == "of others" for name in OTHERS)

    def teardown(self) -> None:
        """COVER: a last sweep repairs everything, and the slices then hold every event once."""
        for attempt in self._alive():
            attempt.kill()
        self.zendesk.now = START + 10_000
        assert self._run_alone(slice_(0, MINUTES))
        found = Counter(id_ for key in keys(slice_(0, MINUTES), self._grain()) for id_ in ids(self.bucket.objects[key]))
        assert Counter(each.id for each in self.zendesk.events) == found
        self.every_version_keeps_the_promises()
        self.objects_of_others_are_left_alone()

    # --- helpers ----------------------------------------------------------------------------------------------

    def _alive(self) -> list[Attempt]:
        return [attempt for attempt in self.attempts.values() if not attempt.is_over]

    def _attempt(self, window: Window, grain: int | None, *, shrink: bool) -> Attempt:
        name = f"attempt {len(self.attempts)}"
        length = None if grain is None else Grain(60 * grain)
        self.attempts[name] = Attempt(name, self.bucket, self.zendesk, window, length, allow_shrink=shrink)
        return self.attempts[name]

    def _step(self, attempt: Attempt, fate: Fate = "answered") -> None:
        if not attempt.is_over:
            attempt.step(fate)
            assert attempt.steps < MAX_STEPS, "it does not end"
            if attempt.is_over:
                self._check_end(attempt)

    def _advance_to_put(self, attempt: Attempt) -> None:
        while attempt.request and attempt.request[0] != "put":
            self._step(attempt)

    def _run_alone(self, window: Window) -> bool:
        """Run an attempt to its end; return whether the window was over already."""
        attempt = self._attempt(window, None if SETTINGS in self.bucket.objects else 1, shrink=True)
        while not attempt.is_over:
            self._step(attempt)
        assert attempt.error is None or isinstance(attempt.error, FutureWindowError)
        return attempt.error is None

    def _check_end(self, attempt: Attempt) -> None:
        if attempt.report is not None:
            slices = keys(attempt.window, self._grain())
            assert len(slices) == len(attempt.report.slices)
            for key, window in slices.items():
                stored = ids(self.bucket.objects[key]) | self.redacted
                assert attempt.known_ids(window) | self._settled(window) <= stored, "EXACT: success without all events"
        elif isinstance(attempt.error, SliceChangedError):
            key = attempt.error.uri.removeprefix("memory://bucket/")
            offered = self.bucket.offers.get((attempt.name, key))
            assert offered is None or footer(offered).digest != footer(self.bucket.objects[key].content).digest, (
                "UNKNOWN: it reports its own rows as those of a rival"
            )
        else:
            assert isinstance(attempt.error, EXPECTED_ERRORS), repr(attempt.error)

    def _settled(self, window: Window) -> set[int]:
        """The events of a slice that were visible within the settle time."""
        events = (each for each in self.zendesk.events if window.start_time <= each.timestamp < window.end_time)
        return {each.id for each in events if each.visible_from <= each.timestamp + SETTLE}

    def _number(self, version: ObjectVersion) -> int:
        return next(number for number, write in enumerate(self.bucket.writes) if write.version == version)

    def _grain(self) -> int:
        settings_ = msgspec.json.decode(self.bucket.objects[SETTINGS].content)
        return int(settings_["grain"].removesuffix("m"))


class UnconditionalPublishing(Publishing):
    """The same on a store that ignores conditions. Events that have settled must not change there."""

    conditional_writes = False


PublishingTest = Publishing.TestCase
PublishingTest.settings = settings(max_examples=40, stateful_step_count=40)
UnconditionalPublishingTest = UnconditionalPublishing.TestCase
UnconditionalPublishingTest.settings = settings(max_examples=20, stateful_step_count=40)
