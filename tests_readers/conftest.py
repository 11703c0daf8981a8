"""A dataset on a disk and in an S3, of which every row is known by heart."""

import logging
import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from airflow_zendesk.export import export_window
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.window import Window
from airflow_zendesk.zendesk.resources import Query
from tests.scripted import Reply, scripted

if TYPE_CHECKING:
    from tests.stores.servers import StoreServer

#: The environment of all tests, and the servers.
pytest_plugins = ["tests.conftest"]

WINDOW = Window.of("2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z")
INSTALL_JAVA = "Java is not installed: apt-get install --no-install-recommends default-jre-headless"
START = 1_767_225_600

#: Numbers that a float cannot hold, nulls beside them, text of all kinds, an event that came late, a day without any.
EVENTS = [
    {"id": 9_007_199_254_740_993, "timestamp": START - 1, "ticket_id": 1, "updater_id": None, "child_events": []},
    {
        "id": 9_007_199_254_740_995,
        "timestamp": START,
        "ticket_id": 9_007_199_254_740_997,
        "updater_id": 9_007_199_254_740_999,
        "created_at": "2026-01-01T00:00:00.123456Z",
        "via": "Web form",
        "child_events": [{"id": 5, "event_type": "Comment", "public": True, "body": 'née 😀 "quoted"\nline'}],
        "unknown": {"a": [1, None]},
    },
    {"id": 4, "timestamp": START + 3 * 86_400 - 1, "via": "", "system": {"latitude": 50.11}},
]


def export(destination: str) -> None:
    """Export three days in slices of one."""
    answer = {"ticket_events": EVENTS, "count": len(EVENTS), "end_time": None, "end_of_stream": True}
    with scripted(Reply(answer)) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())
        export_window(ZendeskHook(), destination, Query.of("ticket_events", ["comment_events"]), WINDOW)


@pytest.fixture(scope="session")
def on_disk(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The dataset in a folder."""
    folder = tmp_path_factory.mktemp("zendesk")
    export(folder.as_uri())
    return str(folder)


@pytest.fixture(scope="session")
def in_s3(moto: "StoreServer") -> Iterator[str]:
    """The dataset in a bucket, as ``bucket/folder``; the credentials are in the environment."""
    destination = moto.destination()
    export(destination)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "invented")
        patch.setenv("AWS_REGION", "us-east-1")
        patch.setenv("AWS_ENDPOINT_URL", moto.url)
        patch.setenv("AWS_ALLOW_HTTP", "true")
        yield destination.partition("@")[2]


@pytest.fixture
def spark() -> Iterator[None]:
    """What Spark needs: Java, without which the test is skipped, but never in CI; and no door to the outside."""
    if shutil.which("java") is None:
        if os.environ.get("CI"):
            pytest.fail(INSTALL_JAVA)
        pytest.skip(INSTALL_JAVA)
    from pyspark.sql import SparkSession  # noqa: PLC0415  it is large

    # It speaks once more when Python ends, and nobody listens then.
    logging.getLogger("py4j").setLevel(logging.WARNING)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("PYSPARK_SUBMIT_ARGS", "--conf spark.ui.enabled=false pyspark-shell")
        yield
    if session := SparkSession.getActiveSession():
        session.stop()
