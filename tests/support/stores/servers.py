"""Stores on loopback, as fixtures for any test: each a real server, started once, with a bucket in it.

``moto`` is S3, ``azurite`` Azure Blob, ``gcs`` a Google Cloud Storage with generations, and ``lying_gcs`` one that
ignores conditions. ``server.destination()`` is a folder to export to; the Airflow connection that it names is in the
environment while the server runs, and ``server.environment`` is for other processes.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import psutil
import pytest
from azure.storage.blob import BlobServiceClient

from tests.support.commands import executable
from tests.support.stores.gcs import GcsFake, make_bucket

#: gcsfs asks a gRPC service of Google what kind of bucket it has; a server on loopback has none, and it waits a minute.
os.environ["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"] = "false"

BUCKET = "exports"
_AZURITE = Path(__file__).with_name("azurite")
#: Invented, like everything here; in base64, as Azure wants it.
_AZURE_ACCOUNT, _AZURE_KEY = "invented", "aW52ZW50ZWQta2V5LW9mLWEtdGVzdA=="


@dataclass(frozen=True)
class StoreServer:
    """A server: its address, how it is called in a destination, and its connection by the name of the variable."""

    url: str
    scheme: str
    conn_id: str
    connection: Mapping[str, object] = field(repr=False)

    @property
    def bucket(self) -> str:
        """The bucket that is there, as a destination."""
        return f"{self.scheme}://{self.conn_id}@{BUCKET}"

    def destination(self) -> str:
        """A folder of the bucket that no other test has."""
        return f"{self.bucket}/{uuid.uuid4().hex}"

    @property
    def environment(self) -> dict[str, str]:
        """What another process needs to reach the server by a destination."""
        return {
            f"AIRFLOW_CONN_{self.conn_id.upper()}": json.dumps(self.connection),
            "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
        }

    def behind(self, url: str, conn_id: str, **extra: object) -> "StoreServer":
        """The same server, reached by another address, such as that of a proxy, and with more in its connection."""
        connection = json.loads(json.dumps(self.connection).replace(self.url, url))
        connection["extra"] |= extra
        return StoreServer(url, self.scheme, conn_id, connection)


def s3_server(url: str, conn_id: str = "moto") -> StoreServer:
    """An S3 at that address."""
    extra = {"endpoint_url": url, "region_name": "us-east-1"}
    return StoreServer(
        url, "s3", conn_id, {"conn_type": "aws", "login": "invented", "password": "invented", "extra": extra}
    )


def azure_server(url: str, conn_id: str = "azurite") -> StoreServer:
    """An Azure Blob at that address."""
    connection_string = (
        f"DefaultEndpointsProtocol=http;AccountName={_AZURE_ACCOUNT};AccountKey={_AZURE_KEY};"
        f"BlobEndpoint={url}/{_AZURE_ACCOUNT};"
    )
    return StoreServer(url, "abfs", conn_id, {"conn_type": "wasb", "extra": {"connection_string": connection_string}})


def gcs_server(url: str, conn_id: str) -> StoreServer:
    """A Google Cloud Storage at that address."""
    extra = {"is_anonymous": True, "project": "invented", "gcs.endpoint": url}
    return StoreServer(url, "gs", conn_id, {"conn_type": "google_cloud_platform", "extra": extra})


@contextmanager
def connected(server: StoreServer) -> Iterator[StoreServer]:
    """Have the server's connection in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield server


@pytest.fixture(scope="session")
def moto() -> Iterator[StoreServer]:
    """An S3, with conditions."""
    command = [executable("moto_server"), "--host", "127.0.0.1", "--port", "0"]
    with _running(command, r"Running on (http://127\.0\.0\.1:\d+)") as url, connected(s3_server(url)) as server:
        boto3.client(
            "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="invented",
            aws_secret_access_key="invented",
        ).create_bucket(Bucket=BUCKET)  # fmt: skip
        yield server


@pytest.fixture(scope="session")
def azurite() -> Iterator[StoreServer]:
    """An Azure Blob, with conditions; without npm it cannot be installed, which in CI is a failure."""
    program = _AZURITE / "node_modules/.bin/azurite-blob"
    if not program.exists() or shutil.which("node") is None:
        missing = f"Azurite is not installed: install Node.js, then `npm ci --prefix {_AZURITE}`, or `make azurite`"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    command = [str(program), "--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence"]
    command += ["--skipApiVersionCheck", "--disableTelemetry"]
    accounts = {"AZURITE_ACCOUNTS": f"{_AZURE_ACCOUNT}:{_AZURE_KEY}"}
    with _running(command, r"listens on (http://127\.0\.0\.1:\d+)", accounts) as url:
        server = azure_server(url)
        extra = server.connection["extra"]
        assert isinstance(extra, dict)
        with BlobServiceClient.from_connection_string(extra["connection_string"]) as client:
            client.create_container(BUCKET)
        with connected(server):
            yield server


@pytest.fixture(scope="session")
def gcs() -> Iterator[StoreServer]:
    """A Google Cloud Storage, with generations."""
    with GcsFake() as fake, connected(gcs_server(fake.url, "gcs")) as server:
        make_bucket(fake.url, BUCKET)
        yield server


@pytest.fixture(scope="session")
def lying_gcs() -> Iterator[StoreServer]:
    """A Google Cloud Storage that ignores conditions: every writer is told to have won."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [executable("gcp-storage-emulator"), "start", "--host", "127.0.0.1", "--port", str(port), "--in-memory"]
    url = f"http://127.0.0.1:{port}"
    with _running(command, r"(All services started)"), connected(gcs_server(url, "lying_gcs")) as server:
        make_bucket(url, BUCKET)
        yield server


@contextmanager
def _running(command: list[str], ready: str, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run a server until the end of the block; tells what it says of itself when it is ready."""
    with subprocess.Popen(
        command, env={**os.environ, **(environment or {})}, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        assert process.stdout
        reader = threading.Thread(target=process.stdout.read, daemon=True)
        try:
            told = []
            for line in process.stdout:
                told.append(line)
                if found := re.search(ready, line):
                    break
            else:
                pytest.fail(f"{command[0]} did not start: {''.join(told)}")
            # It goes on telling: unread, the pipe would fill and stop it.
            reader.start()
            assert {"127.0.0.1"} == listening_addresses(process.pid)
            yield found[1]
        finally:
            process.terminate()
            process.wait(10)
            if reader.ident:
                reader.join()


def listening_addresses(pid: int) -> set[str]:
    """Where a process and its children listen; their ports are not told."""
    process = psutil.Process(pid)
    return {
        connection.laddr.ip
        for each in (process, *process.children(recursive=True))
        for connection in each.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
