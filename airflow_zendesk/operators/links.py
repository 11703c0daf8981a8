"""Links that Airflow shows on the tasks of an export."""

from typing import Any
from urllib.parse import quote, urlsplit

from airflow.providers.common.compat.sdk import conf
from airflow.sdk import BaseOperatorLink

#: The pages of the vendors' consoles that list the objects below a prefix.
_CONSOLES = {
    "s3": "https://s3.console.aws.amazon.com/s3/buckets/{bucket}?prefix={prefix}/",
    "gs": "https://console.cloud.google.com/storage/browser/{bucket}/{prefix}",
}


class CoverageLink(BaseOperatorLink):
    """The page that shows which slices are stored and missing."""

    name = "Coverage"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002  Airflow's signature
        """The address below the base URL of Airflow's API server."""
        return f"{conf.get('api', 'base_url', fallback='').rstrip('/')}/plugin/zendesk-coverage"


class ObjectsLink(BaseOperatorLink):
    """The objects of the dataset in the console of the cloud; for other destinations there is no link."""

    name = "Objects"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002  Airflow's signature
        """The address, or an empty text."""
        url = urlsplit(str(operator.destination))
        page = _CONSOLES.get(url.scheme, "")
        # The connection's id before the @ is not part of the bucket.
        bucket, prefix = url.netloc.rpartition("@")[2], f"{url.path.rstrip('/')}/{operator.resource}".lstrip("/")
        return page.format(bucket=quote(bucket), prefix=quote(prefix))
