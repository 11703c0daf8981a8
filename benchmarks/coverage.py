"""Measure the coverage pages of a local dataset: `python benchmarks/coverage.py [SLICES]`.

By default the dataset has 26,280 hourly slices, which are three years, and every hundredth is missing. All of them are
one small file under different names, because a page reads only the footers. Each page is rendered as in the API server;
the first time includes the footers, and later times take them from memory and share a listing.

Then the results of a verification are written for all slices, and the pages are measured again as in an API server that
has just been started.
"""

import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))
from airflow_zendesk.dataset.layout import parse_slice_key, slice_key, verified_key
from airflow_zendesk.dataset.settings import ensure_settings
from airflow_zendesk.destination import open_destination
from airflow_zendesk.plugins import views, web_app
from airflow_zendesk.plugins.places import Place
from airflow_zendesk.storage.store import Store
from airflow_zendesk.verify.verified_slices import VerifiedSlice
from airflow_zendesk.window import Grain, Window
from tests.support.forged_slices import valid_slice
from tests.support.slices import SETTINGS, event

SLICES = int(sys.argv[1]) if len(sys.argv) > 1 else 26_280
MISSING_EVERY = 100
REPEATS = 5


def main() -> None:
    """Write the dataset, and print the seconds of each page."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_destination(Path(folder))
        ensure_settings(store, msgspec.structs.replace(SETTINGS, grain=Grain.of("1h")))
        write(Path(folder))
        place = Place("default", Path(folder).as_uri())
        today = datetime.now(UTC).date()
        resource = SETTINGS.resource

        def dataset(*, fresh: bool = False) -> None:
            view = views.dataset(place, resource, today, fresh=fresh)
            web_app.render("dataset.html", **view, reason="", history_dag="zendesk_history")

        def day() -> None:
            web_app.render("day.html", **views.day(place, resource, today - timedelta(days=2)))

        print(f"{SLICES:,} hourly slices\n\n{'page':<20}{'first, s':>10}{'later, s':>10}")
        report("listing", lambda: store.walk(resource))
        report("dataset", dataset)
        report("day", day)
        verify(store, resource)
        report("verified dataset", lambda: dataset(fresh=True))
        report("shared listing", dataset)


def write(folder: Path) -> None:
    """Write one file under the name of each slice."""
    grain = Grain.of("1h")
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    slices = grain.slices(Window(now - timedelta(hours=SLICES), now))
    content = valid_slice(slices[0], [event(1, timestamp=slices[0].start_time)])
    for number, slice_ in enumerate(slices):
        if number % MISSING_EVERY != 1:
            path = folder / slice_key(SETTINGS.resource, slice_)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def verify(store: Store, resource: str) -> None:
    """Write results for all slices; a real verification would notice that all files are one."""
    digest = f"sum-sha256:{'0' * 64}"
    now = int(time.time())
    results = {
        slice_.start_time: VerifiedSlice(version, 1, 0, digest, now)
        for key, version in store.walk(resource).items()
        if (slice_ := parse_slice_key(key))
    }
    store.put(verified_key(resource), io.BytesIO(msgspec.json.encode(results)), expected=None)


def report(name: str, action: Callable[[], object]) -> None:
    """Print the seconds of the first time, and the median of later times."""
    first, *later = (seconds(action) for _ in range(REPEATS + 1))
    print(f"{name:<20}{first:>10.2f}{statistics.median(later):>10.2f}", flush=True)


def seconds(action: Callable[[], object]) -> float:
    """The seconds that an action takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
