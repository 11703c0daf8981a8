"""The settings of a dataset, fixed at first use, so that two different schedules cannot share a dataset by mistake."""

import io
from dataclasses import asdict
from typing import Any, Self, TypeVar

import msgspec

from airflow_zendesk.dataset.layout import settings_key
from airflow_zendesk.dataset.schema import SCHEMA_VERSION, refuse_newer
from airflow_zendesk.exceptions import DamagedObjectError, DatasetMismatchError, DatasetNotFoundError, SettingsError
from airflow_zendesk.storage.store import Store, put_and_confirm
from airflow_zendesk.window import Grain
from airflow_zendesk.zendesk.privacy import Privacy, key_id
from airflow_zendesk.zendesk.resources import RESOURCES, Query

_T = TypeVar("_T")


class _FormatVersion(msgspec.Struct):
    """The key of the settings that is the same in all versions of the format."""

    schema_major_version: int = int(SCHEMA_VERSION.partition(".")[0])


class DatasetSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings that all slices of a dataset have in common; stored as JSON, with the grain as text like ``1d``.

    ``hash_key_id`` distinguishes one hash key from another (see ``privacy.key_id``); None if nothing is hashed.
    ``former_accounts`` are earlier names of the account, which the footers of stored slices still contain. Only the
    dataset's own settings have them; where there are none, the JSON does not mention them.
    """

    resource: str
    account: str
    grain: Grain
    include: tuple[str, ...]
    support_type_scope: str | None
    schema_major_version: int = int(SCHEMA_VERSION.partition(".")[0])
    private_comments: bool = False
    drop_fields: tuple[str, ...] = ()
    hash_fields: tuple[str, ...] = ()
    hash_key_id: str | None = None
    former_accounts: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET

    @classmethod
    def from_query(cls, query: Query, account: str, grain: Grain, hash_key: str | None) -> Self:
        """The settings for the results of a query; raises ``SettingsError`` if a key is needed to hash fields."""
        privacy = query.privacy
        if privacy.hash_fields and not hash_key:
            raise SettingsError(
                "hash_fields need a key. Put 32 characters or more, such as `openssl rand -hex 32` prints, into the "
                "extra hash_key of the connection, and keep a copy: without it the dataset cannot be continued."
            )
        return cls(
            resource=query.resource.name,
            account=account,
            grain=grain,
            include=query.include,
            support_type_scope=query.support_type_scope,
            **asdict(privacy),
            hash_key_id=key_id(hash_key) if privacy.hash_fields and hash_key else None,
        )

    def query(self) -> Query:
        """The query whose results the dataset contains."""
        privacy = Privacy(self.private_comments, self.drop_fields, self.hash_fields)
        return Query(RESOURCES[self.resource], self.include, self.support_type_scope, privacy)

    def differences(self, other: Self) -> dict[str, tuple[Any, Any]]:
        """The fields in which two settings differ, with both values as they are stored; except former accounts."""
        ours, theirs = to_builtins(self), to_builtins(other)
        ours.pop("former_accounts", None)
        return {name: (ours[name], theirs[name]) for name in ours if ours[name] != theirs[name]}

    def rename_former(self, other: Self) -> Self:
        """The other settings; if their account is a former name of this account, with its current name."""
        is_former = other.account in (self.former_accounts or ())
        return msgspec.structs.replace(other, account=self.account) if is_former else other


def to_json(value: object) -> bytes:
    """JSON of settings, or of a value that contains some."""
    return msgspec.json.encode(value, enc_hook=str)


def from_json(content: bytes | str, type_: type[_T]) -> _T:
    """Settings, or a value that contains some; raises ``MsgspecError`` if the content is not JSON of that type."""
    return msgspec.json.decode(content, type=type_, dec_hook=lambda _, text: Grain.of(text))


def to_builtins(value: object) -> dict[str, Any]:
    """Settings, or a value that contains some, as a dict of JSON values."""
    builtins: dict[str, Any] = msgspec.to_builtins(value, enc_hook=str)
    return builtins


def read_settings(store: Store, resource: str) -> DatasetSettings | None:
    """The settings of a dataset, or None if there is none yet.

    Raises:
        DamagedObjectError: they are unreadable.
        NewerSchemaError: a newer version of this package made the dataset.
    """
    key = settings_key(resource)
    content = store.read(key)
    if content is None:
        return None
    try:
        refuse_newer(store.uri(key), str(from_json(content, _FormatVersion).schema_major_version))
        return from_json(content, DatasetSettings)
    except msgspec.MsgspecError:
        raise DamagedObjectError(store.uri(key), "it does not contain the settings of a dataset") from None


def load_settings(store: Store, resource: str) -> DatasetSettings:
    """The settings of a dataset; raises ``DatasetNotFoundError`` if there is no such dataset."""
    settings = read_settings(store, resource)
    if settings is None:
        raise DatasetNotFoundError(store.uri(resource))
    return settings


def check_settings(store: Store, wanted: DatasetSettings) -> None:
    """Raise ``DatasetMismatchError`` if the dataset exists and was made with other settings."""
    stored = read_settings(store, wanted.resource)
    if stored is not None and (differences := stored.differences(wanted)):
        raise DatasetMismatchError(store.uri(wanted.resource), differences)


def ensure_settings(store: Store, wanted: DatasetSettings) -> None:
    """Store the settings if there are none, and check them as ``check_settings`` does: another run may be first."""
    key = settings_key(wanted.resource)
    if store.read(key) is None:
        # It does not matter which run stored them, because they are compared next.
        put_and_confirm(store, key, _file(wanted), None, lambda: True)
    check_settings(store, wanted)


def rename_account(store: Store, resource: str, account: str) -> DatasetSettings:
    """Store a new name of a dataset's account; slices that were exported under a former name stay valid.

    Raises:
        DatasetNotFoundError: there is no such dataset.
        SliceChangedError: another process changed the settings meanwhile.
    """
    key = settings_key(resource)
    version = store.version(key)
    settings = load_settings(store, resource)
    if settings.account == account:
        return settings
    former = tuple(name for name in (*(settings.former_accounts or ()), settings.account) if name != account)
    renamed = msgspec.structs.replace(settings, account=account, former_accounts=former)
    put_and_confirm(store, key, _file(renamed), version, lambda: read_settings(store, resource) == renamed)
    return renamed


def _file(settings: DatasetSettings) -> io.BytesIO:
    return io.BytesIO(msgspec.json.format(to_json(settings)) + b"\n")
