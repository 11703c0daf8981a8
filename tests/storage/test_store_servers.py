"""The storage servers of the tests: they work through Airflow and listen on loopback only."""

import socket
import subprocess
import sys

import pytest
from airflow.sdk import ObjectStoragePath

from tests.support.stores.servers import StoreServer, listening_addresses

STORES = ["moto", "azurite", "gcs", "lying_gcs"]


@pytest.fixture(params=STORES)
def server(request: pytest.FixtureRequest) -> StoreServer:
    """Every server."""
    server: StoreServer = request.getfixturevalue(request.param)
    return server


def test_airflow_writes_and_reads(server: StoreServer) -> None:
    """The destination is enough, because its connection is in the environment."""
    path = ObjectStoragePath(server.destination()) / "folder" / "object"
    path.fs.pipe_file(path.path, b"content")
    assert (b"content", ["object"]) == (path.read_bytes(), [each.name for each in path.parent.iterdir()])


def test_listener_on_another_address_is_found() -> None:
    """The check of the fixtures can therefore fail."""
    code = "import socket, sys; s = socket.create_server(('0.0.0.0', 0)); print('up', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        assert {"0.0.0.0"} == listening_addresses(process.pid)


def test_servers_listen_on_loopback_only(server: StoreServer) -> None:
    """Another address of this machine refuses connections."""
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", port), timeout=1)
