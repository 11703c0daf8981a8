"""The dataset's own record, fixed at first use: two schedules of different kind cannot share a dataset by mistake."""

import io
from typing import Self

import msgspec

from airflow_zendesk.dataset.layout import settings_key
from airflow_zendesk.dataset.schema import SCHEMA_VERSION
from airflow_zendesk.exceptions import DamagedObjectError, DatasetMismatchError, DatasetNotFoundError
from airflow_zendesk.storage.store import Store, put_and_confirm
from airflow_zendesk.zendesk.privacy import Privacy, key_id
from airflow_zendesk.zendesk.resources import RESOURCES, Query


class DatasetSettings(msgspec.Struct, frozen=True):
    """What all slices of a dataset have in common; the grain is text like ``1d``.

    ``hash_key_id`` tells another hash key from the right one (see ``privacy.key_id``); None where nothing is hashed.
    """

    resource: str
    account: str
    grain: str
    include: tuple[str, ...]
    support_type_scope: str | None
    schema_major_version: int = int(SCHEMA_VERSION.partition(".")[0])
    private_comments: bool = False
    drop_fields: tuple[str, ...] = ()
    hash_fields: tuple[str, ...] = ()
    hash_key_id: str | None = None

    @classmethod
    def of(cls, query: Query, account: str, grain: str, hash_key: str | None) -> Self:
        """The record of a dataset that holds the answers to a query."""
        privacy = query.privacy
        return cls(
            query.resource.name,
            account,
            grain,
            query.include,
            query.support_type_scope,
            private_comments=privacy.private_comments,
            drop_fields=privacy.drop_fields,
            hash_fields=privacy.hash_fields,
            hash_key_id=key_id(hash_key) if privacy.hash_fields and hash_key else None,
        )

    def query(self) -> Query:
        """What was asked for."""
        privacy = Privacy(self.private_comments, self.drop_fields, self.hash_fields)
        return Query(RESOURCES[self.resource], self.include, self.support_type_scope, privacy)


def read_settings(store: Store, resource: str) -> DatasetSettings | None:
    """The record of the dataset, or None if there is no dataset yet.

    Raises:
        DamagedObjectError: there is something else in its place.
    """
    key = settings_key(resource)
    content = store.read(key)
    try:
        return None if content is None else msgspec.json.decode(content, type=DatasetSettings)
    except msgspec.MsgspecError:
        raise DamagedObjectError(store.uri(key), "it is no dataset record") from None


def load_settings(store: Store, resource: str) -> DatasetSettings:
    """The record of a dataset that must be there.

    Raises:
        DatasetNotFoundError: there is none.
    """
    settings = read_settings(store, resource)
    if settings is None:
        raise DatasetNotFoundError(store.uri(resource))
    return settings


def check_settings(store: Store, wanted: DatasetSettings) -> None:
    """Refuse to go on if the dataset was made with other settings; a missing record is no difference.

    Raises:
        DatasetMismatchError: it was; the error names the differences.
    """
    stored = read_settings(store, wanted.resource)
    if stored is not None and stored != wanted:
        there, asked = (msgspec.structs.asdict(settings) for settings in (stored, wanted))
        differences = {name: (there[name], asked[name]) for name in asked if there[name] != asked[name]}
        raise DatasetMismatchError(store.uri(wanted.resource), differences)


def ensure_settings(store: Store, wanted: DatasetSettings) -> None:
    """Make the record if there is none, and see that it is the wanted one: a rival may have made it first.

    Raises:
        DatasetMismatchError: the dataset was made with other settings.
    """
    key = settings_key(wanted.resource)
    if store.read(key) is None:
        content = msgspec.json.format(msgspec.json.encode(wanted)) + b"\n"
        # Whoever made it: the one that is there counts.
        put_and_confirm(store, key, io.BytesIO(content), None, lambda: True)
    check_settings(store, wanted)
