"""Time that passes only when somebody sleeps."""

import heapq
import random
import threading
from collections.abc import Callable


class FakeClock:
    """A clock and the sleep that moves it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.waits.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        """Seconds since the beginning."""
        return self.now


class SharedTime:
    """A clock for several threads, of which one runs at a time: whoever sleeps lets the one run that wakes first.

    So what they do to each other depends on their sleeps alone, and is the same in every run.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, int]] = []
        self._numbers: dict[int, int] = {}
        self._turn = threading.Condition()
        self._errors: list[BaseException] = []

    def run(self, *works: Callable[[], object]) -> None:
        """Let these run side by side to their ends, from now on; an error of one is raised."""
        self._sleepers = [(self.now, number) for number in range(len(works))]
        threads = [threading.Thread(target=self._run, args=each) for each in enumerate(works)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for error in self._errors:
            raise error

    def sleep(self, seconds: float) -> None:
        """Let time pass, and others run."""
        with self._turn:
            heapq.heapreplace(self._sleepers, (self.now + seconds, self._numbers[threading.get_ident()]))
            self._turn.notify_all()
            self._wait_for_turn()

    def slow_clock(self, latest: float, seed: int) -> Callable[[], float]:
        """A clock for one of the threads, which takes up to so many seconds to look at: the time its work takes."""
        chance = random.Random(seed)

        def clock() -> float:
            self.sleep(chance.uniform(0.0, latest))
            return self.now

        return clock

    def _run(self, number: int, work: Callable[[], object]) -> None:
        self._numbers[threading.get_ident()] = number
        with self._turn:
            self._wait_for_turn()
        try:
            work()
        except BaseException as error:  # noqa: BLE001  raised again where somebody sees it
            self._errors.append(error)
        with self._turn:
            heapq.heappop(self._sleepers)
            self._turn.notify_all()

    def _wait_for_turn(self) -> None:
        """The one that runs stands first among the sleepers."""
        number = self._numbers[threading.get_ident()]
        self._turn.wait_for(lambda: self._sleepers[0][1] == number)
        self.now = max(self.now, self._sleepers[0][0])
