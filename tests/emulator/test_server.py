import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
import requests

from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from tests.support.emulator_client import DAY, EVENTS, START, Clock, export, export_all


def test_gzip_comes_in_chunks(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """As Zendesk answers: compressed, and of no announced length."""
    headers = export(session, emulator, start_time=START).headers

    assert ("gzip", "chunked") == (headers["Content-Encoding"], headers["Transfer-Encoding"])
    assert "Content-Length" not in headers


def test_plain_for_clients_without_gzip(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """The same items, uncompressed."""
    session.headers["Accept-Encoding"] = "identity"
    response = export(session, emulator, start_time=START + 1, per_page=5)

    assert "Content-Encoding" not in response.headers
    assert str(len(response.content)) == response.headers["Content-Length"]
    assert 5 == response.json()["count"]


def test_only_this_machine_is_served(emulator: ZendeskEmulator) -> None:
    """It listens on the loopback address and on no other."""
    assert emulator._server is not None
    assert "127.0.0.1" == emulator._server.server_address[0]


def test_stop_is_prompt_and_complete(session: requests.Session, clock: Clock) -> None:
    """An idle connection does not hold it up, and no thread and no listener stays behind."""
    before = set(threading.enumerate())
    with ZendeskEmulator(Simulator(), clock=clock) as emulator:
        export(session, emulator, start_time=START, per_page=1)
        port, leaving = emulator.port, time.monotonic()

    assert time.monotonic() - leaving < 1
    assert set(threading.enumerate()) <= before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_address_is_known_only_inside_the_block() -> None:
    """Outside it listens nowhere."""
    with pytest.raises(RuntimeError, match="with block"):
        _ = ZendeskEmulator().url


def test_client_that_hangs_up_is_no_error(emulator: ZendeskEmulator, capfd: pytest.CaptureFixture[str]) -> None:
    """A reset connection leaves no traceback, and the next client is served."""
    with socket.create_connection(("127.0.0.1", emulator.port)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close with a reset
        client.sendall(b"GET / HTTP/1.1\r\n")

    assert 404 == requests.get(emulator.url, timeout=30).status_code
    assert ("", "") == capfd.readouterr()


def test_parallel_clients_are_served(emulator: ZendeskEmulator, session: requests.Session) -> None:
    """Threads do not disturb each other: each gets the whole truth."""
    start, results = START + 2 * DAY, {}

    def read(per_page: int) -> None:
        with requests.Session() as own:
            own.auth = session.auth
            results[per_page] = sorted(export_all(own, emulator, EVENTS, start_time=start, per_page=per_page))

    threads = [threading.Thread(target=read, args=(per_page,)) for per_page in (50, 100, 200, 400)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 4 == len(results)
    assert 1 == len({tuple(ids) for ids in results.values()})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serves_until_it_is_told_to_stop(number: signal.Signals) -> None:
    """A SIGTERM or a Ctrl-C ends it in peace."""
    code = (
        "import signal\n"
        "from airflow_zendesk.emulator import ZendeskEmulator\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs of a shell ignore it\n"
        "with ZendeskEmulator() as emulator:\n"
        "    print(emulator.url, flush=True)\n"
        "    emulator.serve_forever()\n"
        "print('bye')"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert 200 == requests.get(f"{url}/api/v2/users/me", timeout=30).status_code
            time.sleep(0.2)  # it may not have reached serve_forever yet
            process.send_signal(number)
            rest, _ = process.communicate(timeout=30)
        finally:
            process.kill()

    assert ("bye\n", 0) == (rest, process.returncode)
