"""Time that passes only when somebody sleeps."""


class FakeTime:
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
