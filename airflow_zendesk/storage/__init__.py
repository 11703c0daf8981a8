"""Storage backends: one module for each, behind the interface of ``airflow_zendesk.storage.store``."""

from fsspec import AbstractFileSystem

from airflow_zendesk.storage.azure import AzureStore
from airflow_zendesk.storage.gcs import GcsStore
from airflow_zendesk.storage.local import LocalStore
from airflow_zendesk.storage.other import OtherStore
from airflow_zendesk.storage.s3 import S3Store
from airflow_zendesk.storage.store import Store

#: By the protocol of the fsspec file system.
_STORES: dict[str, type[Store]] = {"file": LocalStore, "s3": S3Store, "abfs": AzureStore, "gs": GcsStore}


def open_store(fs: AbstractFileSystem, root: str, uri: str) -> Store:
    """Create the store that fits the file system; the arguments are those of ``Store``."""
    protocols = (fs.protocol,) if isinstance(fs.protocol, str) else fs.protocol
    classes = [_STORES[protocol] for protocol in protocols if protocol in _STORES]
    return (classes or [OtherStore])[0](fs, root, uri)
