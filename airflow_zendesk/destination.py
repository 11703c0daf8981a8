"""Open a destination: a URL of Airflow's object storage, such as ``s3://conn_id@bucket/zendesk``."""

from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from airflow.sdk import ObjectStoragePath
from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from airflow_zendesk.compat import connection_id
from airflow_zendesk.dataset.layout import settings_key
from airflow_zendesk.exceptions import SettingsError, StorageError
from airflow_zendesk.hooks.connection_lookup import load_connection
from airflow_zendesk.storage import open_store
from airflow_zendesk.storage.errors import translate_error
from airflow_zendesk.storage.store import Store
from airflow_zendesk.zendesk.resources import RESOURCES

#: The extras of this package that install the client of a storage, by URL scheme.
_EXTRAS = {
    **dict.fromkeys(("s3", "s3a", "s3n"), "s3"),
    **dict.fromkeys(("gs", "gcs"), "gcs"),
    **dict.fromkeys(("abfs", "abfss", "adl"), "azure"),
}


def open_destination(destination: str | Path | ObjectStoragePath) -> Store:
    """Open the folder or bucket that a destination names.

    Raises:
        SettingsError: it is not a URL, its client is not installed, its connection cannot be used, or it is inside a
            dataset.
        StorageDeniedError: there are no credentials for it.
    """
    if isinstance(destination, ObjectStoragePath):
        path = destination
    else:
        url = _url(destination)
        try:
            path = ObjectStoragePath(url)
        except (ImportError, ValueError):
            raise _not_installed(url.partition("://")[0]) from None
    # Not str(path), which contains the connection id.
    uri = f"{path.protocol}://{path.path}"
    fs = _file_system(path, uri)
    _refuse_nested(fs, path, uri)
    return open_store(fs, path.path, uri)


def _url(destination: str | Path) -> str:
    url = destination.absolute().as_uri() if isinstance(destination, Path) else destination
    if url == "":
        raise SettingsError(
            "The destination is empty. Set it to a URL like s3://conn_id@bucket/zendesk; the DAGs of this package "
            "read it from the Airflow Variable zendesk_destination."
        )
    if not isinstance(url, str) or not _is_url(url):
        given = repr(url) if isinstance(url, str) else f"of the type {type(url).__name__}"
        raise SettingsError(
            f"The destination {given} is not a URL. Use one like s3://conn_id@bucket/zendesk or file:///data/zendesk."
        )
    parts = urlsplit(url)
    # fsspec would read file://data/zendesk as a folder below the working directory, and each worker has its own.
    if parts.scheme == "file" and parts.netloc.rpartition("@")[2]:
        raise SettingsError(
            f"The destination {url!r} is not an absolute path. Use three slashes, like file:///data/zendesk."
        )
    return url


def _is_url(text: str) -> bool:
    try:
        return bool(urlsplit(text).scheme) and "://" in text
    except ValueError:  # half of an IPv6 address
        return False


def _file_system(path: ObjectStoragePath, uri: str) -> AbstractFileSystem:
    if path.protocol == "file":
        # Airflow would import the client of every installed provider to find it: tens of megabytes of memory.
        return LocalFileSystem()
    # AWS's hook ignores a connection that does not exist, and uses the credentials of the environment.
    extra = load_connection(conn_id).extra_dejson if (conn_id := connection_id(path)) else {}
    try:
        fs = path.fs
    except Exception as error:  # noqa: BLE001  providers raise any class, with parts of the connection in the text
        if isinstance(error, ImportError) or "No filesystem registered" in str(error):
            raise _not_installed(path.protocol) from None
        raise translate_error(error, uri) or SettingsError(
            f"The Airflow connection of the destination {uri} cannot be used ({type(error).__name__}). "
            "Check its fields."
        ) from None
    if _EXTRAS.get(path.protocol) == "s3":
        # s3fs has this option, but Airflow does not pass it on.
        fs.s3_additional_kwargs = _s3_parameters(extra.get("s3_additional_kwargs") or {}, uri)
    return fs


def _s3_parameters(parameters: Any, uri: str) -> dict[str, Any]:
    if isinstance(parameters, dict):
        return parameters
    raise SettingsError(
        f"The Airflow connection of the destination {uri} has an extra s3_additional_kwargs that is not an object. "
        'Use one like {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "the key id"}.'
    )


def _refuse_nested(fs: AbstractFileSystem, path: ObjectStoragePath, uri: str) -> None:
    """Refuse a destination inside a dataset; only names that datasets use need a request."""
    folder = PurePosixPath(path.path)
    for inner in (folder, *folder.parents):
        outer = str(inner.parent)
        nested = inner.name in {"_datasets", "_verified"} or inner.name.startswith("event_date=")
        if inner.name in RESOURCES:
            store = open_store(fs, outer, f"{path.protocol}://{outer}")
            with suppress(StorageError):  # a folder that may not be read is not one of our datasets
                nested = store.version(settings_key(inner.name)) is not None
        if nested:
            raise SettingsError(
                f"The destination {uri} is inside the folder {inner.name} of another dataset. Use a folder outside of "
                "datasets: exports add the folder of the resource themselves."
            )


def _not_installed(scheme: str) -> SettingsError:
    if extra := _EXTRAS.get(scheme):
        advice = f"Install it: pip install 'airflow-zendesk[{extra}]'."
    else:
        advice = f"Use file, {', '.join(_EXTRAS)}, or a scheme of another Airflow provider that is installed."
    return SettingsError(f"No client is installed for {scheme}://. {advice}")
