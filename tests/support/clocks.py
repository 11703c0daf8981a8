"""Clocks whose time passes only when the code sleeps."""

import heapq
import random
import threading
from collections.abc import Callable


class FakeClock:
    """A clock, and the sleep that advances it; ``waits`` has the length of each sleep."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Advance the clock."""
        self.waits.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        """Seconds since the start."""
        return self.now


class SharedFakeClock:
    """A clock for several threads, of which one runs at a time: a sleep continues the thread that wakes up first.

    The order of the threads depends on their sleeps alone, and is the same in every run.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, int]] = []
        self._numbers: dict[int, int] = {}
        self._turn = threading.Condition()
        self._errors: list[BaseException] = []

    def run(self, *functions: Callable[[], object]) -> None:
        """Run these functions in parallel to their ends; raise the error of one that fails."""
        self._sleepers = [(self.now, number) for number in range(len(functions))]
        threads = [threading.Thread(target=self._run, args=each) for each in enumerate(functions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for error in self._errors:
            raise error

    def sleep(self, seconds: float) -> None:
        """Let time pass, and other threads run."""
        with self._turn:
            heapq.heapreplace(self._sleepers, (self.now + seconds, self._numbers[threading.get_ident()]))
            self._turn.notify_all()
            self._wait_for_turn()

    def slow_clock(self, longest: float, seed: int) -> Callable[[], float]:
        """A clock for one thread. Each reading takes up to ``longest`` seconds, as the work of the thread would."""
        chance = random.Random(seed)

        def clock() -> float:
            self.sleep(chance.uniform(0.0, longest))
            return self.now

        return clock

    def _run(self, number: int, function: Callable[[], object]) -> None:
        self._numbers[threading.get_ident()] = number
        with self._turn:
            self._wait_for_turn()
        try:
            function()
        except BaseException as error:  # noqa: BLE001  raised again in run()
            self._errors.append(error)
        with self._turn:
            heapq.heappop(self._sleepers)
            self._turn.notify_all()

    def _wait_for_turn(self) -> None:
        """Wait until this thread is the first that wakes up."""
        number = self._numbers[threading.get_ident()]
        self._turn.wait_for(lambda: self._sleepers[0][1] == number)
        self.now = max(self.now, self._sleepers[0][0])
