"""Where a dataset lies: a URL of Airflow's object storage, opened."""

from airflow.sdk import ObjectStoragePath

from airflow_zendesk.dataset.store import Store, open_store
from airflow_zendesk.exceptions import SettingsError


def open_destination(destination: str) -> Store:
    """The folder or bucket that a destination like ``s3://conn_id@bucket/zendesk`` names.

    Raises:
        SettingsError: it is empty or no URL.
    """
    if "://" not in destination:
        raise SettingsError(
            f"The destination {destination!r} is no URL: use one like s3://conn_id@bucket/zendesk or file:///data/zendesk."
        )
    path = ObjectStoragePath(destination)
    # Not str(path), which has the connection id in it.
    return open_store(path.fs, path.path, f"{path.protocol}://{path.path}")
