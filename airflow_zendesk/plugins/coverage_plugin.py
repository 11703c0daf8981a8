"""The plugin that adds the coverage pages to Airflow's UI."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from airflow.plugins_manager import AirflowPlugin
from airflow.providers.common.compat.sdk import conf

from airflow_zendesk.compat import HAS_SCOPED_VIEWS
from airflow_zendesk.zendesk.resources import RESOURCES

#: Where the app is mounted, and the name of its page: /plugin/zendesk-coverage.
_ROUTE = "zendesk-coverage"
#: The path in [api] base_url, because Airflow 3.1 does not resolve a relative address of a script.
_PREFIX = urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/")


def scoped_views() -> Iterator[dict[str, Any]]:
    """A tab on each asset of the shipped DAGs, and one on the DAGs themselves."""
    for resource in RESOURCES:
        yield {
            "name": "Coverage",
            "href": f"{_ROUTE}/dataset?place=default&resource={resource}",
            "destination": "asset",
            "applies_to": {"name": [f"zendesk_{resource}"]},
            "url_route": f"{_ROUTE}-{resource}",
        }
    yield {
        "name": "Coverage",
        "href": f"{_ROUTE}/",
        "destination": "dag",
        "applies_to": {"tags.name": ["zendesk"]},
        "url_route": f"{_ROUTE}-dag",
    }


class ZendeskCoveragePlugin(AirflowPlugin):
    """Registers the coverage pages as *Zendesk coverage* in the menu *Browse*, and a tile on the home page.

    Every process of Airflow loads plugins, but only the API server reads ``fastapi_apps``, so that the imports of the
    app cost nothing elsewhere.
    """

    name = "zendesk_coverage"
    external_views = [  # noqa: RUF012  Airflow's own form
        {
            "name": "Zendesk coverage",
            # Relative, so that it also works below a prefix in [api] base_url.
            "href": f"{_ROUTE}/",
            "destination": "nav",
            "category": "browse",
            "url_route": _ROUTE,
        },
        *(scoped_views() if HAS_SCOPED_VIEWS else ()),
    ]

    react_apps = [  # noqa: RUF012  as above
        {
            "name": "Zendesk coverage tile",
            "bundle_url": f"{_PREFIX}/{_ROUTE}/static/tile.js",
            "destination": "dashboard",
            "url_route": f"{_ROUTE}-tile",
        }
    ]

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The app of the pages."""
        from airflow_zendesk.plugins.web_app import create_app  # noqa: PLC0415

        return [{"app": create_app(), "url_prefix": f"/{_ROUTE}", "name": "Zendesk coverage"}]
