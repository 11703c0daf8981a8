"""The memory of an export does not grow with its window."""

import gzip
import json
import os
import subprocess
import urllib.request
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from tests.support.commands import executable, run
from tests.support.scripted_server import Reply, page, scripted_server

#: Runs a command and prints the peak memory of its process in kilobytes. This needs a small process of its own, because
#: the peak of a child begins with the memory of its parent.
MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def export(folder: Path, environment: dict[str, str], start: str, end: str, grain: str) -> tuple[int, int]:
    """Run an export command: the number of events, and the peak memory of its process in bytes."""
    arguments = ["export", "--start", start, "--end", end, "--grain", grain, "--include", "comment_events", "--json"]
    command = [executable("airflow-zendesk"), *arguments, "--destination", folder.as_uri()]
    done = run("python", "-c", MEASURE, *command, environment=environment)
    assert 0 == done.returncode, done.stderr
    report, _, kilobytes = done.stdout.strip().rpartition("\n")
    return json.loads(report)["events"], int(kilobytes) * 1024


def test_ten_times_the_events_need_no_more_memory(tmp_path: Path) -> None:
    """200,000 events in one slice: all stored, under 300 MB, and at most 15 % more than for a tenth of them."""
    command = [executable("airflow-zendesk"), "emulator", "--port", "0", "--events-per-day", "200000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        connection = [process.stdout.readline() for _ in range(2)][1].partition("=")[2].strip().strip("'")
        environment = os.environ | {"AIRFLOW_CONN_ZENDESK_DEFAULT": connection}
        few, small = export(tmp_path / "few", environment, "2026-01-05T09:00:00Z", "2026-01-05T10:30:00Z", "90m")
        many, large = export(tmp_path / "many", environment, "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z", "1d")
        query = "resource=ticket_events&start=1767571200&end=1767657600"
        with urllib.request.urlopen(f"{json.loads(connection)['host']}/emulator/expected_ids?{query}") as answer:
            expected = json.load(answer)["ids"]
        process.terminate()
    (path,) = (tmp_path / "many").rglob("*.parquet")
    assert 18_000 < few < 30_000
    assert 190_000 < many
    assert sorted(expected) == sorted(pd.read_parquet(path, columns=["id"])["id"])
    assert many == pq.read_metadata(path).num_rows
    assert large < 300_000_000
    assert large < 1.15 * small


def test_large_page_of_one_second_is_exported(tmp_path: Path) -> None:
    """Twenty thousand comments in one second, 50 MB of JSON in one page: all stored, under 600 MB."""
    text = "Où est ma commande ? 🙏 " * 50
    child = {"id": 7, "body": text, "html_body": f"<p>{text}</p>", "public": True, "event_type": "Comment"}
    empty = page(end_time=None)
    record = json.dumps({"timestamp": 1_767_571_205, "child_events": [child]}, ensure_ascii=False)[1:]
    records = ",".join(f'{{"id": {id_}, {record}' for id_ in range(20_000))
    body = f'{{"ticket_events": [{records}], "count": 20000, "end_time": 1767571206, "end_of_stream": false}}'.encode()
    assert 50_000_000 < len(body) < 60_000_000
    page_of_one_second = Reply(gzip.compress(body, 1), headers={"Content-Encoding": "gzip"})
    with scripted_server(page_of_one_second, empty) as server:
        environment = os.environ | {"AIRFLOW_CONN_ZENDESK_DEFAULT": server.connection()}
        events, peak = export(tmp_path, environment, "2026-01-05T00:00:00Z", "2026-01-05T01:00:00Z", "1h")
    (path,) = tmp_path.rglob("*.parquet")
    assert (20_000, 20_000) == (events, pq.read_metadata(path).num_rows)
    assert peak < 600_000_000
