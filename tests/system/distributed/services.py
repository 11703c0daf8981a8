"""Processes on loopback, each with its own folder, ended by the block that started them."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

INSTALL = "Redis is not installed: apt-get install --no-install-recommends redis-server"


def free_port() -> int:
    """A free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(what: str, holds: Callable[[], bool], seconds: float = 120, pause: float = 0.2) -> None:
    """Wait until ``holds`` returns true; it is called every ``pause`` seconds.

    Raises:
        TimeoutError: it did not within ``seconds``.
    """
    ends = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > ends:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(pause)


def listens(port: int) -> bool:
    """Whether a process listens on this port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def process(
    command: list[str], log: Path, environment: Mapping[str, str] | None = None, *, ends_by: int = signal.SIGINT
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in its own process group, which is ended with the block: by ``ends_by``, then by SIGKILL."""
    with log.open("wb") as out:
        started = subprocess.Popen(command, stdout=out, stderr=out, env=environment, start_new_session=True)
    try:
        yield started
    finally:
        if started.poll() is None:
            os.kill(started.pid, ends_by)
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A Redis server; yields its URL."""
    binary = shutil.which("redis-server")
    if binary is None:
        if os.environ.get("CI"):
            pytest.fail(INSTALL)
        pytest.skip(INSTALL)
    folder.mkdir(parents=True)
    port = free_port()
    command = [binary, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(folder)]
    with process(command, folder / "redis.log"):
        until("Redis", lambda: listens(port))
        yield f"redis://127.0.0.1:{port}/0"
