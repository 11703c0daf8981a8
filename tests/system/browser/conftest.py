"""A running Airflow as `make demo-ui` starts it, and a browser that is logged in by its form."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, sync_playwright

from tests.support.commands import ROOT, executable
from tests.system.distributed.services import free_port

_PRINTED = {
    "url": r"^Airflow: +(\S+)$",
    "password": r"^Password: +(\S+)$",
    "emulator": r"^Zendesk: .* at (\S+)$",
    "today": r"days until (\S+) are exported",
    "missing": r"^Gap: +(\S+)$",
}
#: Seconds until a demo that prints nothing more is killed.
_MAX_START_SECONDS = 300
_INSTALL = "Chromium is not installed: apt-get install --no-install-recommends chromium"


@dataclass
class Demo:
    """What the demo has printed; the day ``missing`` is not exported."""

    url: str
    password: str
    emulator: str
    today: str
    missing: str

    def day(self, ago: int) -> str:
        """A UTC day before the day on which the demo was started."""
        return str(date.fromisoformat(self.today) - timedelta(days=ago))


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Debian's Chromium."""
    if found := shutil.which("chromium"):
        return found
    if "CI" in os.environ:
        pytest.fail(_INSTALL)
    pytest.skip(_INSTALL)


@pytest.fixture(scope="module")
def demo(chromium: str) -> Iterator[Demo]:  # noqa: ARG001  without it there is nothing to start
    """The demo, ended by SIGINT as by Ctrl-C; it must leave no process."""
    # A short path, because the pictures show it.
    folder = Path(tempfile.mkdtemp(prefix="zendesk-demo-"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    command = [executable("python"), str(ROOT / "demo" / "ui.py"), str(folder), str(free_port())]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        timer = threading.Timer(_MAX_START_SECONDS, process.terminate)
        timer.start()
        printed = ""
        for line in process.stdout:
            printed += line
            if line.startswith("Ctrl-C"):
                break
        timer.cancel()
        found = {name: re.search(pattern, printed, re.MULTILINE) for name, pattern in _PRINTED.items()}
        assert all(found.values()), printed
        try:
            yield Demo(**{name: match[1] for name, match in found.items() if match})
        finally:
            parts = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGINT)
            assert process.stdout.read().endswith("All parts of Airflow have ended.\n")
    assert len(parts) > 2
    assert [] == [part for part in parts if part.is_running()]
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def page(demo: Demo, chromium: str) -> Iterator[Page]:
    """A page of Chromium, logged in as the administrator."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": 1360, "height": 1000}).new_page()
        page.goto(demo.url)
        page.locator("input[name=username]").fill("admin")
        page.locator("input[name=password]").fill(demo.password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "login" not in url)
        yield page
        browser.close()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the screenshots: the one in SCREENSHOTS, or a temporary one."""
    folder = Path(os.environ["SCREENSHOTS"]) if os.environ.get("SCREENSHOTS") else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
