"""The stores that Airflow reaches, a module for each, behind the interface of ``airflow_zendesk.dataset.store``."""

from fsspec import AbstractFileSystem

from airflow_zendesk.dataset.store import Store
from airflow_zendesk.dataset.stores.azure import AzureStore
from airflow_zendesk.dataset.stores.gcs import GcsStore
from airflow_zendesk.dataset.stores.local import LocalStore
from airflow_zendesk.dataset.stores.other import OtherStore
from airflow_zendesk.dataset.stores.s3 import S3Store

#: By the protocol that a file system of fsspec says it speaks.
_STORES: dict[str, type[Store]] = {"file": LocalStore, "s3": S3Store, "abfs": AzureStore, "gs": GcsStore}


def open_store(fs: AbstractFileSystem, root: str, uri: str) -> Store:
    """The store that fits the file system; see ``Store``."""
    spoken = (fs.protocol,) if isinstance(fs.protocol, str) else fs.protocol
    kinds = [_STORES[protocol] for protocol in spoken if protocol in _STORES]
    return (kinds or [OtherStore])[0](fs, root, uri)
