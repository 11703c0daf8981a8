"""Storage servers on loopback as fixtures: each is a real server that is started once and has one bucket.

``moto`` is S3, ``azurite`` Azure Blob, ``gcs`` a Google Cloud Storage with generations, and ``lying_gcs`` one that
ignores preconditions. ``server.destination()`` is a new folder; its Airflow connection is in the environment while the
server runs, and ``server.environment`` is for other processes.
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

#: gcsfs asks a gRPC service of Google for the type of a bucket; on loopback there is none, and gcsfs waits a minute.
os.environ["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"] = "false"

BUCKET = "exports"
_AZURITE = Path(__file__).with_name("azurite")
#: Invented; the key is in Base64, as Azure requires.
_AZURE_ACCOUNT, _AZURE_KEY = "invented", "aW52ZW50ZWQta2V5LW9mLWEtdGVzdA=="


@dataclass(frozen=True)
class StoreServer:
    """A server: its address, its scheme and connection id in destinations, and its Airflow connection."""

    url: str
    scheme: str
    conn_id: str
    connection: Mapping[str, object] = field(repr=False)

    @property
    def bucket(self) -> str:
        """The bucket as a destination."""
        return f"{self.scheme}://{self.conn_id}@{BUCKET}"

    def destination(self) -> str:
        """A folder of the bucket that no other test uses."""
        return f"{self.bucket}/{uuid.uuid4().hex}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that another process needs for a destination on this server."""
        return {
            f"AIRFLOW_CONN_{self.conn_id.upper()}": json.dumps(self.connection),
            "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
        }

    def behind(self, url: str, conn_id: str, **extra: object) -> "StoreServer":
        """The same server at another address, such as that of a proxy, with additional extras in its connection."""
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
    """Set the server's connection in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield server


@pytest.fixture(scope="session")
def moto() -> Iterator[StoreServer]:
    """S3 with preconditions."""
    command = [executable("moto_server"), "--host", "127.0.0.1", "--port", "0"]
    with _running(command, r"Running on (http://127\.0\.0\.1:\d+)") as url, connected(s3_server(url)) as server:
        boto3.client(
            "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="invented",
            aws_secret_access_key="invented",
        ).create_bucket(Bucket=BUCKET)  # fmt: skip
        yield server


@pytest.fixture(scope="session")
def azurite() -> Iterator[StoreServer]:
    """Azure Blob with preconditions. Without npm it cannot be installed, which is a failure in CI."""
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
    """Google Cloud Storage with generations."""
    with GcsFake() as fake, connected(gcs_server(fake.url, "gcs")) as server:
        make_bucket(fake.url, BUCKET)
        yield server


@pytest.fixture(scope="session")
def lying_gcs() -> Iterator[StoreServer]:
    """Google Cloud Storage that ignores preconditions: every write is accepted."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [executable("gcp-storage-emulator"), "start", "--host", "127.0.0.1", "--port", str(port), "--in-memory"]
    url = f"http://127.0.0.1:{port}"
    with _running(command, r"(All services started)"), connected(gcs_server(url, "lying_gcs")) as server:
        make_bucket(url, BUCKET)
        yield server


@contextmanager
def _running(command: list[str], ready: str, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run a server during the block, and yield the first group of its line that matches ``ready``."""
    with subprocess.Popen(
        command, env={**os.environ, **(environment or {})}, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        assert process.stdout
        reader = threading.Thread(target=process.stdout.read, daemon=True)
        try:
            lines = []
            for line in process.stdout:
                lines.append(line)
                if found := re.search(ready, line):
                    break
            else:
                pytest.fail(f"{command[0]} did not start: {''.join(lines)}")
            # If nothing read its output, the pipe would fill up and block the server.
            reader.start()
            assert {"127.0.0.1"} == listening_addresses(process.pid)
            yield found[1]
        finally:
            process.terminate()
            process.wait(10)
            if reader.ident:
                reader.join()


def listening_addresses(pid: int) -> set[str]:
    """The addresses on which a process and its children listen, without ports."""
    process = psutil.Process(pid)
    return {
        connection.laddr.ip
        for each in (process, *process.children(recursive=True))
        for connection in each.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
