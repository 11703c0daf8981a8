"""Where a dataset lies: a URL of Airflow's object storage, opened."""

from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.sdk import ObjectStoragePath
from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.storage import open_store
from airflow_zendesk.storage.errors import translate_error
from airflow_zendesk.storage.store import Store

#: The extras of this package that bring what reaches a store, by scheme.
_EXTRAS = {
    **dict.fromkeys(("s3", "s3a", "s3n"), "s3"),
    **dict.fromkeys(("gs", "gcs"), "gcs"),
    **dict.fromkeys(("abfs", "abfss", "adl"), "azure"),
}


def open_destination(destination: str) -> Store:
    """The folder or bucket that a destination like ``s3://conn_id@bucket/zendesk`` names.

    Raises:
        SettingsError: it is empty or no URL, nothing is installed that reaches it, or its connection cannot be used.
        StorageDeniedError: there are no credentials for it.
    """
    scheme, separator, _ = destination.partition("://")
    if not separator:
        raise SettingsError(
            f"The destination {destination!r} is no URL: use one like s3://conn_id@bucket/zendesk or file:///data/zendesk."
        )
    try:
        path = ObjectStoragePath(destination)
        # Not str(path), which has the connection id in it.
        uri = f"{path.protocol}://{path.path}"
    except (ImportError, ValueError) as error:
        raise _not_reached(scheme, error) from None
    return open_store(_file_system(path, uri), path.path, uri)


def _file_system(path: ObjectStoragePath, uri: str) -> AbstractFileSystem:
    if path.protocol == "file":
        # To find a file system Airflow imports the client of every installed provider: tens of megabytes for a folder.
        return LocalFileSystem()
    try:
        return path.fs
    except AirflowNotFoundException:
        raise SettingsError(f"The destination {uri} names an Airflow connection that does not exist.") from None
    except Exception as error:  # noqa: BLE001  providers raise anything, with parts of the connection in the text
        if isinstance(error, ImportError) or "No filesystem registered" in str(error):
            raise _not_reached(path.protocol, error) from None
        raise translate_error(error, uri) or SettingsError(
            f"The Airflow connection that the destination {uri} names cannot be used ({type(error).__name__}): "
            "check its fields."
        ) from None


def _not_reached(scheme: str, error: Exception) -> SettingsError:
    if extra := _EXTRAS.get(scheme):
        advice = f"Install it: pip install 'airflow-zendesk[{extra}]'."
    else:
        advice = f"Airflow reaches {', '.join(_EXTRAS)} and file, and what its other providers bring."
    return SettingsError(f"Nothing is installed that reaches {scheme}:// ({type(error).__name__}). {advice}")
