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


def test_response_is_chunked_gzip(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """As at Zendesk, the body is compressed and has no Content-Length."""
    headers = export(session, emulator, start_time=START).headers

    assert ("gzip", "chunked") == (headers["Content-Encoding"], headers["Transfer-Encoding"])
    assert "Content-Length" not in headers


def test_clients_without_gzip_get_an_uncompressed_body(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """The same items, uncompressed."""
    session.headers["Accept-Encoding"] = "identity"
    response = export(session, emulator, start_time=START + 1, per_page=5)

    assert "Content-Encoding" not in response.headers
    assert str(len(response.content)) == response.headers["Content-Length"]
    assert 5 == response.json()["count"]


def test_listens_on_loopback_only(emulator: ZendeskEmulator) -> None:
    """No other machine can connect."""
    assert emulator._server is not None
    assert "127.0.0.1" == emulator._server.server_address[0]


def test_stop_is_prompt_and_complete(session: requests.Session, clock: Clock) -> None:
    """An idle connection does not delay it, and no thread or listener remains."""
    before = set(threading.enumerate())
    with ZendeskEmulator(Simulator(), clock=clock) as emulator:
        export(session, emulator, start_time=START, per_page=1)
        port, stopping = emulator.port, time.monotonic()

    assert time.monotonic() - stopping < 1
    assert set(threading.enumerate()) <= before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_url_requires_the_with_block() -> None:
    """Outside it, the emulator does not listen."""
    with pytest.raises(RuntimeError, match="with block"):
        _ = ZendeskEmulator().url


def test_disconnecting_client_causes_no_error(emulator: ZendeskEmulator, capfd: pytest.CaptureFixture[str]) -> None:
    """A reset connection prints no traceback, and the next client is served."""
    with socket.create_connection(("127.0.0.1", emulator.port)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close with a reset
        client.sendall(b"GET / HTTP/1.1\r\n")

    assert 404 == requests.get(emulator.url, timeout=30).status_code
    assert ("", "") == capfd.readouterr()


def test_parallel_clients_are_served(emulator: ZendeskEmulator, session: requests.Session) -> None:
    """Every thread gets all events."""
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
def test_serve_forever_ends_on_a_signal(number: signal.Signals) -> None:
    """SIGTERM and Ctrl-C both end it without a traceback."""
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
