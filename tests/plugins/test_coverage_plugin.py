"""Where the plugin puts the coverage pages."""

import runpy

from airflow_zendesk.plugins.coverage_plugin import ZendeskCoveragePlugin, scoped_views
from tests.support.airflow_version import HAS_SCOPED_VIEWS
from tests.support.commands import ROOT


def test_tabs_are_on_the_assets_of_the_shipped_dags() -> None:
    """Each asset that a DAG updates has the tab of its resource, except that of many accounts, which has no dataset."""
    assets = {
        outlet.name
        for path in (ROOT / "dags").glob("zendesk_*.py")
        for task in runpy.run_path(str(path))["dag"].tasks
        for outlet in task.outlets
    }
    views = [view for view in scoped_views() if view["destination"] == "asset"]
    names = [name for view in views for name in view["applies_to"]["name"]]
    assert assets - {"zendesk_ticket_events_of_accounts"} == set(names)
    for view, name in zip(views, names, strict=True):
        assert f"zendesk-coverage/dataset?place=default&resource={name.removeprefix('zendesk_')}" == view["href"]


def test_tabs_need_a_version_that_can_limit_them() -> None:
    """Before Airflow 3.4 a tab would be on every DAG, and an asset has none."""
    places = {view["destination"] for view in ZendeskCoveragePlugin.external_views}
    assert ({"nav", "asset", "dag"} if HAS_SCOPED_VIEWS else {"nav"}) == places
