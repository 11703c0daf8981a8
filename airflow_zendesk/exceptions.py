"""All errors that this package raises on purpose.

::

    ZendeskError
     ├── WindowError          InvalidWindowError, MisalignedWindowError, FutureWindowError
     ├── SettingsError
     ├── DatasetError         DatasetNotFoundError, DatasetIncompleteError, DatasetMismatchError, ShrinkRefusedError,
     │                        DamagedObjectError, SliceChangedError*, MissingSliceError, NewerSchemaError
     ├── StorageError         StorageNotFoundError, StorageDeniedError, StorageFullError, StorageRefusedError,
     │                        SliceTooLargeError, StorageUnavailableError*
     ├── WarehouseError       WarehouseMismatchError, AlteredTableError, WarehouseRefusedError,
     │                        WarehouseUnavailableError*
     ├── RequestRefusedError  AuthenticationError, TokenRefusedError, PermissionDeniedError, AccountNotFoundError,
     │                        StartTimeTooRecentError, RedirectError
     ├── InvalidResponseError NotJsonError, MalformedResponseError, StuckPageError, OversizedResponseError,
     │                        PageNotRetrievableError
     └── TransientError*      RateLimitedError*, ServerError*, PageTimeoutError*, TransportError*

    * retryable: a later attempt may succeed

Each class carries its data as fields, survives pickling and never contains a response body, a header or a secret.
``message`` says what happened, ``advice`` what to do. The tables of docs/errors.md are generated from the classes.
"""

from dataclasses import field
from datetime import datetime
from typing import Any

from airflow_zendesk.zendesk_error import ZendeskError as ZendeskError  # noqa: PLC0414  the root of the tree


def _list_differences(error: "DatasetMismatchError | WarehouseMismatchError") -> str:
    return "; ".join(f"{name} is {old!r}, requested {new!r}" for name, (old, new) in error.differences.items())


class WindowError(ZendeskError, ValueError):
    """The requested time cannot be exported."""


class InvalidWindowError(WindowError):
    """The window is missing, naive, empty, reversed or not on whole seconds."""

    message = "{reason}"
    reason: str


class MisalignedWindowError(WindowError):
    """The window is not made of whole slices."""

    message = "The window {window} is not made of whole slices of {grain}; the largest grain that fits is {_fit}."
    advice = "Request whole slices, counted from midnight UTC, or export to another destination with a grain that fits."
    window: str
    grain: str
    fitting_grain: str | None
    _fit = property(lambda self: self.fitting_grain or "none, because it does not start and end on whole minutes")


class FutureWindowError(WindowError):
    """The window was not over when Zendesk responded."""

    message = "The window ends at {end:%Y-%m-%dT%H:%M:%SZ}, but Zendesk's clock says {server_date:%Y-%m-%dT%H:%M:%SZ}."
    advice = "Export the window after it has ended."
    end: datetime
    server_date: datetime


class SettingsError(ZendeskError, ValueError):
    """A connection, grain, resource or option is invalid."""

    message = "{reason}"
    reason: str


class DatasetError(ZendeskError):
    """The stored dataset forbids the operation, or is not complete."""

    uri: str


class DatasetNotFoundError(DatasetError):
    """There is no dataset, or its settings file is missing."""

    message = "There is no dataset at {uri}: its settings file is missing."
    advice = "Check destination and resource; an export with the same settings restores a lost settings file."


class DatasetIncompleteError(DatasetError):
    """A verification found problems."""

    message = "The dataset at {uri} is not complete in {window}: {_counts}; the first is {first}."
    advice = "Run the repair commands that the task's log and `airflow-zendesk verify` list."
    window: str
    problems: dict[str, int]
    first: str
    _counts = property(lambda self: ", ".join(f"{count:,} {problem}" for problem, count in self.problems.items()))


class DatasetMismatchError(DatasetError):
    """The dataset was made with other settings."""

    message = "The dataset at {uri} was made with other settings: {_listed}."
    advice = "Use its own settings or another destination; for a renamed account: `airflow-zendesk rename-account`."
    _listed = property(_list_differences)
    differences: dict[str, tuple[Any, Any]]


class ShrinkRefusedError(DatasetError):
    """Zendesk no longer returns events that the stored slice has."""

    message = "{missing:,} of {stored:,} events stored in {uri} are not among the {returned:,} Zendesk returns now."
    advice = (
        "Find the cause (a role with fewer rights?); to erase the events, export with allow_shrink (--allow-shrink)."
    )
    stored: int
    returned: int
    missing: int


class DamagedObjectError(DatasetError):
    """A stored file does not match its footer."""

    message = "{uri} is damaged: {reason}."
    advice = "Move the file away and export its slice again; no export overwrites it."
    reason: str


class SliceChangedError(DatasetError):
    """Another run replaced the slice while this run was exporting or reading it."""

    retryable = True
    message = "Another run replaced {uri} while this run was using it; the other run's version is kept."
    advice = "Run the task again, and let only one DAG export a dataset."


class MissingSliceError(DatasetError):
    """Slices to load are not in storage."""

    message = "The slice {uri}{_others} is not in storage, so nothing was loaded."
    advice = "Export the slice first, or load a time that has been exported."
    missing: int
    _others = property(lambda self: f" (and {self.missing - 1:,} more)" if self.missing > 1 else "")


class NewerSchemaError(DatasetError):
    """The dataset or the slice was written by a newer version of this package, which this version cannot read."""

    message = "{uri} has schema version {schema_version}, but this version of airflow-zendesk supports {known}."
    advice = "Upgrade airflow-zendesk in every part of Airflow to the version that wrote it, or a newer one."
    schema_version: str
    known: str


class StorageError(ZendeskError):
    """The storage refused a request or did not respond; ``reason`` is its own code for the cause."""

    uri: str
    reason: str


class StorageNotFoundError(StorageError):
    """The bucket, container or folder does not exist."""

    message = "The bucket, container or folder of {uri} does not exist ({reason})."
    advice = "Correct the destination, or create the bucket: exports do not create it."


class StorageDeniedError(StorageError):
    """The credentials are missing or lack a permission."""

    message = "Access to {uri} is denied ({reason})."
    advice = "Allow the credentials, or on a disk the worker's user, to list, read and write, on Google also to delete."


class StorageFullError(StorageError):
    """There is no space left, or a quota is used up."""

    message = "There is no space for {uri} ({reason}); no part of it is stored."
    advice = "Free space or raise the quota, and export again; a worker's TMPDIR must have room for one slice."


class StorageRefusedError(StorageError):
    """The storage refused the request for another reason, and would refuse it again."""

    message = "The storage refused {uri} ({reason}), and would refuse it again."
    advice = "Check address and region in the destination's connection, and run `airflow-zendesk check-storage`."


class SliceTooLargeError(StorageError):
    """The slice is larger than the storage accepts in one request."""

    message = "{uri} is too large for one request ({reason})."
    advice = "Export to another destination with a smaller grain."


class StorageUnavailableError(StorageError):
    """The storage did not respond, or its response does not say whether the request succeeded."""

    retryable = True
    message = "The storage did not respond for {uri} as expected ({reason}); the stored slices are complete."
    advice = "Run the task again; if the error persists, check the network between worker and storage."


class WarehouseError(ZendeskError):
    """The warehouse did not accept the slices; ``warehouse`` is its name in the task, without a password."""

    warehouse: str


class WarehouseMismatchError(WarehouseError):
    """The tables contain a dataset that was made with other settings."""

    message = "The tables in {warehouse} contain another dataset: {_listed}."
    advice = "If its schema_version is newer, upgrade this package; else load this dataset into another schema."
    _listed = property(_list_differences)
    differences: dict[str, tuple[Any, Any]]


class AlteredTableError(WarehouseError):
    """A table was changed since the last load in a way that loads do not support."""

    message = "The table {table} in {warehouse} was changed since the last load: {reason}; nothing was loaded."
    advice = "Restore the table, or drop the schema with all its tables and load again."
    table: str
    reason: str


class WarehouseRefusedError(WarehouseError):
    """The warehouse refused a statement; ``reason`` is its message, unless that may quote rows."""

    message = "{warehouse} refused the load with {code}{_reason}; the load was rolled back."
    advice = "Correct the named cause; if none is named, read the warehouse's own log, which may quote rows."
    code: str
    reason: str | None = None
    _reason = property(lambda self: f": {self.reason}" if self.reason else "")


class WarehouseUnavailableError(WarehouseError):
    """The warehouse cannot be reached, is locked, or closed the connection."""

    retryable = True
    message = "{warehouse} is not available: {reason}; uncommitted changes are rolled back."
    advice = "Run the task again; if the error persists, check that the warehouse is up and its tables are not locked."
    reason: str


class RequestRefusedError(ZendeskError):
    """Zendesk refused the request, and would refuse it again."""

    message = "Zendesk returned {_status} for {path}."
    advice = "Look up status and code in Zendesk's API reference: a retry would be refused too."
    status: int
    path: str
    code: str | None = None
    _status = property(lambda self: f"{self.status} ({self.code})" if self.code else f"{self.status}")


class AuthenticationError(RequestRefusedError):
    """Zendesk does not accept the credentials (401)."""

    advice = (
        "Renew the credentials in the Airflow connection: passwords ended in January 2026, and API tokens need /token "
        "after the e-mail address and are deactivated after 30 days without use."
    )


class TokenRefusedError(AuthenticationError):
    """Zendesk issues no access token to this OAuth client."""

    advice = "Compare identifier and secret with Admin Center, OAuth clients; the client must be confidential."


class PermissionDeniedError(RequestRefusedError):
    """The user may not use the incremental exports (403)."""

    advice = "Use the credentials, or an OAuth client, of an administrator; an access token needs the scope read."


class AccountNotFoundError(RequestRefusedError):
    """The account does not exist, or it does not have this export (404)."""

    advice = "Check the subdomain in the connection's host, the part before .zendesk.com. Some plans lack some lists."


class StartTimeTooRecentError(RequestRefusedError):
    """Zendesk returns no events of the last minute (400 or 422)."""

    advice = "Export the window after it has ended."


class RedirectError(RequestRefusedError):
    """Zendesk returned a redirect, which is not followed because it would forward the credentials (3xx)."""

    message = "Zendesk returned {_status} for {path}, a redirect that leads {leads_to} and is not followed."
    advice = "Set the connection's host to the account's own address, such as acme.zendesk.com."
    leads_to: str = "nowhere"


class InvalidResponseError(ZendeskError):
    """The response is one that Zendesk's documentation does not allow."""

    path: str


class NotJsonError(InvalidResponseError):
    """The response is not JSON."""

    message = "{path} returned {_found} instead of JSON."
    advice = "Check the connection's host, and look for a proxy or a login page between worker and Zendesk."
    content_type: str | None
    _found = property(lambda self: self.content_type or "no content type")


class MalformedResponseError(InvalidResponseError):
    """The JSON has a shape that cannot be exported without loss."""

    message = "The page of {path} at start_time={start_time} cannot be exported: {reason}."
    advice = "If the error persists, report the start_time to Zendesk's support; no part of the page is published."
    start_time: int
    reason: str


class StuckPageError(InvalidResponseError):
    """Paging does not advance from ``start_time`` (unix seconds)."""

    message = "The export of {path} is stuck at start_time={start_time}: {reason}."
    advice = "Report the start_time to Zendesk's support; all slices before it are published."
    start_time: int
    reason: str


class OversizedResponseError(InvalidResponseError):
    """The body has more than ``max_bytes``, compressed or not."""

    message = "{path} returned more than {_mebibytes:g} MiB at once."
    advice = "If the account is known to have pages of that size, raise max_page_mebibytes in the connection's extras."
    max_bytes: int
    _mebibytes = property(lambda self: self.max_bytes / 2**20)


class PageNotRetrievableError(InvalidResponseError):
    """The page is too large even with ``per_page=1``."""

    message = "The page of {path} at {page} is too large: {reason}"
    advice = "Export without comment_events, or report the second to Zendesk; all slices before it are published."
    page: str
    reason: str


class TransientError(ZendeskError):
    """The failure may be gone at the next attempt."""

    retryable = True
    path: str
    retry_summary: str = field(default="", kw_only=True)

    def __str__(self) -> str:
        return f"{super().__str__()} {self.retry_summary}".rstrip()


class RateLimitedError(TransientError):
    """The account's requests of this minute are used up (429)."""

    message = "Zendesk's rate limit refused {path}: {_wait}."
    advice = "Let exports share a pool with one slot, or buy the High Volume API add-on: the account shares one limit."
    retry_after: float | None = None
    next_minute: float = 60.0

    @property
    def _wait(self) -> str:
        if self.retry_after:
            return f"Retry-After is {self.retry_after:.10g} s"
        return f"the next minute begins in {self.next_minute:g} s"


class ServerError(TransientError):
    """Zendesk failed to process the request (5xx)."""

    message = "Zendesk failed on {path} with status {status}{_wait}."
    advice = "If the error persists, see status.zendesk.com."
    status: int
    retry_after: float | None = None
    _wait = property(lambda self: f" (Retry-After is {self.retry_after:.10g} s)" if self.retry_after else "")


class PageTimeoutError(TransientError):
    """The response did not arrive in time (504, or the connection's timeout)."""

    message = "No response from {path} in time: {reason}."
    advice = "If the error persists, see status.zendesk.com, raise timeout in the connection, or omit comment_events."
    reason: str


class TransportError(TransientError):
    """There was no connection, or the response is cut or damaged."""

    message = "No complete response from {path}: {reason}."
    advice = "If the error persists, check the connection's host, and the network and any proxy on the way to it."
    reason: str
