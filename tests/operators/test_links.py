"""The links on the tasks of an export."""

from types import SimpleNamespace

import pytest

from airflow_zendesk.operators.incremental_export import ZendeskIncrementalExportOperator
from airflow_zendesk.operators.links import CoverageLink, ObjectsLink
from airflow_zendesk.provider_info import get_provider_info


@pytest.mark.parametrize(
    ("destination", "page"),
    [
        (
            "s3://aws_default@my-bucket/data/zendesk/",
            "https://s3.console.aws.amazon.com/s3/buckets/my-bucket?prefix=data/zendesk/ticket_events/",
        ),
        ("gs://my-bucket/zendesk", "https://console.cloud.google.com/storage/browser/my-bucket/zendesk/ticket_events"),
        ("gs://my-bucket", "https://console.cloud.google.com/storage/browser/my-bucket/ticket_events"),
        ("file:///data/zendesk", ""),
        ("", ""),
    ],
)
def test_objects_are_linked_in_the_console_of_their_cloud(destination: str, page: str) -> None:
    """Without the id of the connection."""
    operator = SimpleNamespace(destination=destination, resource="ticket_events")
    assert page == ObjectsLink().get_link(operator, ti_key=None)


@pytest.mark.parametrize("base_url", ["https://airflow.example.com/af", "https://airflow.example.com/af/"])
def test_coverage_page_is_linked_below_the_prefix_of_airflow(monkeypatch: pytest.MonkeyPatch, base_url: str) -> None:
    """Also where a proxy serves Airflow below a path."""
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", base_url)
    link = CoverageLink().get_link(SimpleNamespace(), ti_key=None)
    assert "https://airflow.example.com/af/plugin/zendesk-coverage" == link


def test_links_of_the_operator_are_registered() -> None:
    """The API server shows only links that a provider or a plugin registers."""
    links = [type(link) for link in ZendeskIncrementalExportOperator.operator_extra_links]
    assert get_provider_info()["extra-links"] == [f"{link.__module__}.{link.__name__}" for link in links]
