"""A running Airflow as `make demo-ui` starts it, and a browser that is logged in by its form."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.support.commands import ROOT, executable
from tests.system.distributed.services import free_port

_PLACES = {"url": r"^Airflow: +(\S+)$", "password": r"^Password: +(\S+)$", "emulator": r"^Zendesk: .* at (\S+)$"}
_INSTALL = "Chromium is not installed: apt-get install --no-install-recommends chromium"


@dataclass
class Demo:
    """What the demo has printed."""

    url: str
    password: str
    emulator: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo, ended by SIGINT as by Ctrl-C; it must leave no process."""
    folder = tmp_path_factory.mktemp("demo")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    command = [executable("python"), str(ROOT / "demo" / "ui.py"), str(folder), str(free_port())]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        printed = ""
        for line in process.stdout:
            printed += line
            if line.startswith("Ctrl-C"):
                break
        found = {name: re.search(pattern, printed, re.MULTILINE) for name, pattern in _PLACES.items()}
        assert all(found.values()), printed
        try:
            yield Demo(**{name: match[1] for name, match in found.items() if match})
        finally:
            process.send_signal(signal.SIGINT)
            assert process.stdout.read().endswith("All parts of Airflow have ended.\n")
    left = subprocess.run(["pgrep", "--full", str(folder)], capture_output=True, text=True, check=False).stdout
    assert "" == left


@pytest.fixture(scope="module")
def page(demo: Demo) -> Iterator[Page]:
    """A page of Chromium, logged in as the administrator."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail(_INSTALL) if "CI" in os.environ else pytest.skip(_INSTALL)
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
