"""Airflow's UI as a new user walks through it: the connection form, a run, and the coverage pages with a repair."""

import json
import re
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.support.airflow_version import HAS_EXTRA_FIELDS
from tests.system.browser.conftest import Demo
from tests.system.distributed.services import until

#: Milliseconds until a state that Airflow reaches by itself; a run waits for the scheduler and for a process.
PATIENCE = 90_000


def choose_theme(page: Page, theme: str) -> None:
    """Choose light or dark as Airflow's menu does."""
    page.evaluate("theme => localStorage.setItem('theme', theme)", theme)


def take_picture(page: Page, path: Path) -> None:
    """Take a screenshot when nothing is loading: Airflow loads the frame again after a click in it."""
    page.wait_for_load_state("networkidle")
    page.screenshot(path=path)


def coverage(page: Page, demo: Demo) -> FrameLocator:
    """The coverage page inside Airflow's UI."""
    page.goto(f"{demo.url}/plugin/zendesk-coverage")
    return page.frame_locator("iframe")


def test_connection_form_saves_and_tests_what_is_filled_in(page: Page, demo: Demo, pictures: Path) -> None:
    """Choices have words and defaults, nothing but an empty limit is null, and the test names the host."""
    page.goto(f"{demo.url}/connections")
    page.get_by_role("button", name="Add Connection").click()
    page.locator("input[name=connection_id]").fill("zendesk_second")
    types = page.locator("[role=dialog] [role=combobox]").first
    # The first list of types takes Airflow 3.1 some seconds.
    expect(types).to_be_enabled(timeout=PATIENCE)
    types.click(force=True)
    page.keyboard.type("Zendesk incremental")
    page.keyboard.press("Enter")
    page.locator("input[name=host]").fill(demo.emulator)
    page.locator("input[name=login]").fill("nobody@example.com/token")
    page.locator("input[name=password]").fill("invented-token")
    page.locator("input[name=port]").fill(str(urlsplit(demo.emulator).port))
    expect(page.get_by_text("Subdomain").first).to_be_visible()
    if HAS_EXTRA_FIELDS:
        page.get_by_role("button", name="Extra Fields", exact=True).click()
        expect(page.get_by_text("By the fields: client without @, e-mail with @, access token alone")).to_be_visible()
    page.screenshot(path=pictures / "connection-form.png")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("tr", has_text="zendesk_second")).to_be_visible()
    saved = page.request.get(f"{demo.url}/api/v2/connections/zendesk_second").json()
    if HAS_EXTRA_FIELDS:
        extra = json.loads(saved["extra"])
        names = ("auth", "timeout", "max_page_mebibytes", "hash_key", "verify")
        assert ("auto", 120, 256, "", "") == tuple(extra[name] for name in names)
    page.locator("tr", has_text="zendesk_second").get_by_role("button", name="Test Connection").click()
    expect(page.get_by_text("127.0.0.1: Zendesk returned 401 for").first).to_be_visible()
    page.locator("tr", has_text="zendesk_default").get_by_role("button", name="Test Connection").click()
    expect(page.get_by_text("Connected to 127.0.0.1 as administrator").first).to_be_visible()


def test_days_by_hand_are_exported_and_the_log_names_the_object(page: Page, demo: Demo, pictures: Path) -> None:
    """The trigger form has date pickers, whose days are UTC days."""
    page.goto(f"{demo.url}/dags/zendesk_ticket_events")
    page.get_by_role("button", name="Trigger").first.click()
    page.locator("input[name=element_start]").fill(demo.day(1))
    page.locator("input[name=element_end]").fill(demo.today)
    page.screenshot(path=pictures / "trigger-form.png")
    page.locator("[role=dialog]").get_by_role("button", name="Trigger").click()
    page.wait_for_url("**/runs/manual__*")
    run = urlsplit(page.url).path.rpartition("/")[2]
    api = f"{demo.url}/api/v2/dags/zendesk_ticket_events/dagRuns/{run}"
    until("the run", lambda: page.request.get(api).json()["state"] == "success", PATIENCE / 1_000)
    page.goto(f"{demo.url}/dags/zendesk_ticket_events/runs/{run}/tasks/export")
    expect(page.get_by_text(f"Unchanged {demo.day(1)}: ")).to_be_visible(timeout=PATIENCE)
    page.screenshot(path=pictures / "log.png")
    page.get_by_role("link", name="Details").click()
    expect(page.get_by_role("link", name="Coverage")).to_have_attribute("href", f"{demo.url}/plugin/zendesk-coverage")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_coverage_pages_follow_the_theme(page: Page, demo: Demo, pictures: Path, theme: str) -> None:
    """They have the background of Airflow's own pages."""
    choose_theme(page, theme)
    frame = coverage(page, demo)
    expect(frame.get_by_role("heading", name="Set-up")).to_be_visible()
    outer, inner = (
        where.locator(element).evaluate("element => getComputedStyle(element).backgroundColor")
        for where, element in ((page, "html"), (frame, "body"))
    )
    assert outer == inner
    assert theme in frame.locator("html").evaluate("html => [...html.classList, 'light'].join()")
    take_picture(page, pictures / f"overview-{theme}.png")
    frame.get_by_role("link", name="ticket_metric_events").click()
    expect(frame.locator("[data-test=calendar]")).to_be_visible()
    expect(frame.locator("[data-test=headline]")).to_contain_text("1 slice is missing.")
    expect(frame.locator("[data-test=verified]")).to_contain_text("Verified slices: all, last on")
    expect(frame.locator("[data-test=loads]")).to_contain_text("All slices are loaded into duckdb:")
    take_picture(page, pictures / f"dataset-{theme}.png")


def test_home_page_has_a_tile_that_leads_to_the_page(page: Page, demo: Demo, pictures: Path) -> None:
    """It says how many slices are missing in all datasets."""
    choose_theme(page, "light")
    page.goto(demo.url)
    expect(page.get_by_text(re.compile("Zendesk coverage: [12] slices? (is|are) missing"))).to_be_visible()
    take_picture(page, pictures / "home.png")
    page.get_by_role("link", name="Zendesk coverage").click()
    expect(page.frame_locator("iframe").get_by_role("heading", name="Zendesk coverage")).to_be_visible()


def test_gap_is_found_and_repaired_by_one_run(page: Page, demo: Demo, pictures: Path) -> None:
    """The page follows the run, and shows the dataset complete after it."""
    choose_theme(page, "light")
    frame = coverage(page, demo)
    frame.get_by_role("link", name="ticket_events").click()
    expect(frame.locator("[data-test=headline]")).to_contain_text("1 slice is missing.")
    expect(frame.locator("[data-test=gap]")).to_have_count(1)
    expect(frame.locator("[data-test=gap]")).to_contain_text(f"{demo.missing} 00:00")
    frame.locator("[data-test=repair]").click()
    expect(frame.locator("[data-test=run-state]")).to_contain_text("is ")
    expect(frame.locator("[data-test=headline]")).to_contain_text("No slice is missing.", timeout=PATIENCE)
    expect(frame.locator("[data-test=verified]")).to_contain_text("Verified slices: 27 of 28")
    take_picture(page, pictures / "repaired.png")
    frame.get_by_role("link", name=f"{demo.missing}: exported").first.click()
    expect(frame.get_by_role("heading", name=f"ticket_events, {demo.missing}")).to_be_visible()
    expect(frame.locator("[data-test=written-by]")).to_contain_text("by zendesk_history, manual__")
    take_picture(page, pictures / "day.png")
    runs = page.request.get(f"{demo.url}/api/v2/dags/zendesk_history/dagRuns").json()["dag_runs"]
    after = str(date.fromisoformat(demo.missing) + timedelta(days=1))
    assert [(demo.missing, after)] == [(run["conf"]["start"], run["conf"]["end"]) for run in runs]
    loads = f"{demo.url}/api/v2/dags/zendesk_load_ticket_events/dagRuns?order_by=-run_after&limit=1"
    until("its load", lambda: page.request.get(loads).json()["dag_runs"][0]["state"] == "success", PATIENCE / 1_000)
    frame = coverage(page, demo)
    frame.get_by_role("link", name="ticket_events").click()
    expect(frame.locator("[data-test=loads]")).to_contain_text("All slices are loaded into duckdb:")
