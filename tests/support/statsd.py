"""A socket that receives Airflow's metrics, as a StatsD server does."""

import contextlib
import socket
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

#: Prepares a process for metrics as the task runner of Airflow does, since 3.3; older versions need nothing.
INITIALIZE = """
from airflow.sdk.execution_time import task_runner
if "stats" in vars(task_runner):
    task_runner.stats.initialize(factory=task_runner.stats_utils.get_stats_factory(), export_legacy_names=True)
"""


@dataclass(frozen=True)
class StatsD:
    """A listening socket; ``settings`` are the environment variables that send Airflow's metrics to it."""

    listener: socket.socket

    @property
    def settings(self) -> dict[str, str]:
        """Environment variables for a process of Airflow."""
        host, port = self.listener.getsockname()
        return {
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_HOST": host,
            "AIRFLOW__METRICS__STATSD_PORT": str(port),
        }

    def received(self) -> tuple[dict[str, float], dict[str, list[float]]]:
        """The sum of each counter of this package, and the values of each gauge, by their names without prefix."""
        counters: dict[str, float] = defaultdict(float)
        gauges: dict[str, list[float]] = defaultdict(list)
        while True:
            try:
                name, _, value = self.listener.recv(1_024).decode().partition(":")
            except TimeoutError:
                return dict(counters), dict(gauges)
            if not name.startswith("airflow.zendesk."):
                continue
            name = name.removeprefix("airflow.")
            number, kind = value.split("|")[:2]
            if kind == "c":
                counters[name] += float(number)
            else:
                assert "g" == kind
                gauges[name].append(float(number))


@contextlib.contextmanager
def statsd() -> Iterator[StatsD]:
    """A StatsD server on loopback, for the metrics of processes that have ended."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(0.2)
        yield StatsD(listener)
