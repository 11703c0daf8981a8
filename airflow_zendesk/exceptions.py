"""Everything this package raises on purpose, drawn first.

::

    ZendeskError
     ├── WindowError (ValueError)          the asked time cannot be exported
     │    ├── InvalidWindowError           missing, naive, empty or reversed
     │    ├── MisalignedWindowError        not made of whole slices
     │    └── FutureWindowError            not over yet, by the server's clock
     ├── SettingsError (ValueError)        a connection, a grain, a resource or an option that cannot be used
     ├── DatasetError                      what lies in storage forbids this export, or is not all there
     │    ├── DatasetNotFoundError         there is no dataset
     │    ├── DatasetIncompleteError         an audit found something wrong
     │    ├── DatasetMismatchError         made with other settings
     │    ├── ShrinkRefusedError           the new answer lacks events that are stored
     │    ├── DamagedObjectError           a file is not what its footer says
     │    ├── SliceChangedError            another run replaced the slice meanwhile        (try again)
     │    ├── MissingSliceError            a slice to load is not there
     │    └── NewerSchemaError             written by a newer version of this package
     ├── StorageError                      the storage does not do what it should
     │    ├── StorageNotFoundError         no such bucket, container or folder
     │    ├── StorageDeniedError           no credentials, or not the right to do it
     │    ├── StorageFullError             no space, or a quota is used up
     │    ├── StorageRefusedError          refused for another reason, and would be again
     │    ├── SliceTooLargeError           more than the storage takes in one request
     │    └── StorageUnavailableError      no answer, or not now                           (try again)
     ├── WarehouseError                    the warehouse does not take the slices
     │    ├── WarehouseMismatchError       its tables hold another dataset
     │    ├── AlteredTableError            a table is not as the loads left it
     │    ├── WarehouseRefusedError        it refused a statement, and would again
     │    └── WarehouseUnavailableError    down, locked or broken off                      (try again)
     ├── RequestRefusedError               Zendesk says no, and would again
     │    ├── AuthenticationError          401
     │    │    └── TokenRefusedError       no access token for this OAuth client
     │    ├── PermissionDeniedError        403
     │    ├── AccountNotFoundError         404
     │    ├── StartTimeTooRecentError      400 or 422, younger than Zendesk's minute
     │    └── RedirectError                3xx
     ├── InvalidResponseError                       an answer that Zendesk's documentation does not allow
     │    ├── NotJsonError                 HTML or text: something else than the API answers
     │    ├── MalformedResponseError         JSON of another shape
     │    ├── StuckPageError               paging that does not advance
     │    ├── OversizedResponseError         a body beyond the bound
     │    └── PageNotRetrievableError            a page that not even alone comes through
     └── TransientError                    may be gone at the next try                     (try again)
          ├── RateLimitedError             429
          ├── ServerError                  5xx
          ├── PageTimeoutError             504, or a deadline that passed
          └── TransportError               no connection, a reset, a response that is cut or damaged

Each class carries its data as fields, says in one sentence what happened and in another what to do, survives
pickling (Airflow hands errors between processes) and never holds a response body, a header or a secret.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar


def _restore(cls: type["ZendeskError"], fields: dict[str, Any]) -> "ZendeskError":
    error = cls.__new__(cls)
    error.__dict__.update(fields)
    return error


@dataclass(eq=False)
class ZendeskError(Exception):
    """Root of all errors of this package; ``retryable`` says whether a later try may succeed."""

    retryable: ClassVar[bool] = False

    def __reduce__(self) -> tuple[Callable[..., "ZendeskError"], tuple[Any, ...]]:
        return _restore, (type(self), self.__dict__)


# --- the asked time -----------------------------------------------------------------------------------------


@dataclass(eq=False)
class WindowError(ZendeskError, ValueError):
    """The asked time cannot be exported."""


@dataclass(eq=False)
class InvalidWindowError(WindowError):
    """The window is missing, naive, empty, reversed or not on whole seconds."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class MisalignedWindowError(WindowError):
    """The window is not made of whole slices; ``fitting_grain`` is the largest that would hold it, if any."""

    window: str
    grain: str
    fitting_grain: str | None

    def __str__(self) -> str:
        if self.fitting_grain is None:
            return f"The window {self.window} does not lie on whole minutes, so no grain holds it."
        return (
            f"The window {self.window} is not made of whole slices of {self.grain}; the largest grain that holds it "
            f"is {self.fitting_grain}. Ask for whole slices of {self.grain}, or use a dataset with grain "
            f"{self.fitting_grain} (a dataset keeps its grain: another one needs another destination)."
        )


@dataclass(eq=False)
class FutureWindowError(WindowError):
    """The window was not over when the server answered."""

    end: datetime
    server_date: datetime

    def __str__(self) -> str:
        return (
            f"The window ends at {self.end:%Y-%m-%dT%H:%M:%SZ}, but Zendesk's clock says "
            f"{self.server_date:%Y-%m-%dT%H:%M:%SZ}. Export it once it is over."
        )


# --- settings -----------------------------------------------------------------------------------------------


@dataclass(eq=False)
class SettingsError(ZendeskError, ValueError):
    """A connection, a grain, a resource or an option that cannot be used."""

    reason: str

    def __str__(self) -> str:
        return self.reason


# --- storage ------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class DatasetError(ZendeskError):
    """What lies in storage forbids this export, or is not all there."""

    uri: str


@dataclass(eq=False)
class DatasetNotFoundError(DatasetError):
    """There is no dataset, or its record is gone."""

    def __str__(self) -> str:
        return (
            f"There is no dataset at {self.uri}: its record is not there. Check destination and resource; if only the "
            "record was lost, the next export with the dataset's settings writes it again."
        )


@dataclass(eq=False)
class DatasetIncompleteError(DatasetError):
    """An audit found something wrong; ``problems`` counts the findings by kind, ``first`` is one of them."""

    window: str
    problems: dict[str, int]
    first: str

    def __str__(self) -> str:
        listed = ", ".join(f"{count:,} {problem}" for problem, count in self.problems.items())
        return (
            f"The dataset at {self.uri} is not whole in {self.window}: {listed}. The first is {self.first}. "
            "The task's log, or `airflow-zendesk audit`, lists the rest and the commands that repair it."
        )


@dataclass(eq=False)
class DatasetMismatchError(DatasetError):
    """The dataset was made with other settings; ``differences`` maps a setting to (stored, asked)."""

    differences: dict[str, tuple[Any, Any]]

    def __str__(self) -> str:
        listed = "; ".join(
            f"{name} is {stored!r}, asked for {asked!r}" for name, (stored, asked) in self.differences.items()
        )
        return (
            f"The dataset at {self.uri} was made with other settings: {listed}. "
            "Ask with the dataset's own settings, or export to another destination."
        )


@dataclass(eq=False)
class ShrinkRefusedError(DatasetError):
    """The new answer lacks events that the stored slice has."""

    stored: int
    answered: int
    missing: int

    def __str__(self) -> str:
        return (
            f"{self.missing} of the {self.stored} events stored in {self.uri} are not among the {self.answered} "
            "that Zendesk answers now (tickets scrubbed, a role with less rights, another support type scope). "
            "The stored slice is kept. If they are to go, export again with allow_shrink (--allow-shrink)."
        )


@dataclass(eq=False)
class DamagedObjectError(DatasetError):
    """A file is not what its footer says."""

    reason: str

    def __str__(self) -> str:
        return f"{self.uri} is damaged: {self.reason}. It was left as it is; move it away and export it again."


@dataclass(eq=False)
class SliceChangedError(DatasetError):
    """Another run replaced the slice while this one was exporting or reading it."""

    retryable: ClassVar[bool] = True

    def __str__(self) -> str:
        return f"Another run replaced {self.uri} while this one was using it. Its version is kept. Run the task again."


@dataclass(eq=False)
class MissingSliceError(DatasetError):
    """Slices that are to be loaded are not in storage; ``uri`` is the first of the ``missing`` ones."""

    missing: int

    def __str__(self) -> str:
        others = f" (and {self.missing - 1:,} more)" if self.missing > 1 else ""
        return (
            f"The slice {self.uri}{others} is not there, so nothing was loaded. "
            "Export it first, or load a time that has been exported."
        )


@dataclass(eq=False)
class NewerSchemaError(DatasetError):
    """A slice was written by a newer version of this package, with columns that this one does not know."""

    schema_version: str
    known: str

    def __str__(self) -> str:
        return (
            f"{self.uri} has schema version {self.schema_version}, and this version of airflow-zendesk knows "
            f"{self.known}. Install the version that exported it on the workers that load it."
        )


@dataclass(eq=False)
class StorageError(ZendeskError):
    """The storage does not do what it should."""

    uri: str


@dataclass(eq=False)
class StorageNotFoundError(StorageError):
    """There is no such bucket, container or folder; ``reason`` is the storage's own word, here and below."""

    reason: str

    def __str__(self) -> str:
        return (
            f"There is no bucket, container or folder for {self.uri} ({self.reason}). "
            "Correct the destination, or make the bucket: exports make none."
        )


@dataclass(eq=False)
class StorageDeniedError(StorageError):
    """No credentials, or not the right to do it."""

    reason: str

    def __str__(self) -> str:
        return (
            f"{self.uri} is denied ({self.reason}). Check the Airflow connection that the destination names, and that "
            "its credentials may list, read and write there. Nothing is ever deleted, but Google Cloud Storage asks "
            "for that right too where an object is replaced."
        )


@dataclass(eq=False)
class StorageFullError(StorageError):
    """No space, or a quota is used up."""

    reason: str

    def __str__(self) -> str:
        return (
            f"There is no room for {self.uri} ({self.reason}). Nothing of it was left there: free space or raise the "
            "quota, and export it again. A worker's temporary folder (TMPDIR) must hold one slice."
        )


@dataclass(eq=False)
class StorageRefusedError(StorageError):
    """The storage refuses for another reason, and would again."""

    reason: str

    def __str__(self) -> str:
        return (
            f"The storage refuses {self.uri} ({self.reason}), and would again. Check the address and region in the "
            "destination's Airflow connection; `airflow-zendesk check-storage` shows what the storage can do."
        )


@dataclass(eq=False)
class SliceTooLargeError(StorageError):
    """A slice of ``size`` bytes, where the storage takes ``limit`` in one request."""

    size: int
    limit: int

    def __str__(self) -> str:
        return (
            f"{self.uri} would have {self.size:,} bytes, and the storage takes {self.limit:,} in one request. "
            "Use a dataset with a smaller grain, at another destination."
        )


@dataclass(eq=False)
class StorageUnavailableError(StorageError):
    """No answer from the storage, or none that tells what became of a request."""

    retryable: ClassVar[bool] = True

    reason: str

    def __str__(self) -> str:
        return (
            f"The storage did not answer for {self.uri} as it should ({self.reason}). What is there is whole: try "
            "again; if it lasts, check the network between worker and storage."
        )


# --- the warehouse ------------------------------------------------------------------------------------------


@dataclass(eq=False)
class WarehouseError(ZendeskError):
    """The warehouse does not take the slices; ``warehouse`` is how the task was told of it, without a password."""

    warehouse: str


@dataclass(eq=False)
class WarehouseMismatchError(WarehouseError):
    """The tables hold a dataset that was made with other settings; ``differences`` maps one to (loaded, asked)."""

    differences: dict[str, tuple[Any, Any]]

    def __str__(self) -> str:
        listed = "; ".join(
            f"{name} is {loaded!r}, asked for {asked!r}" for name, (loaded, asked) in self.differences.items()
        )
        return (
            f"The tables in {self.warehouse} hold another dataset: {listed}. "
            "Load this one into another schema: ZendeskLoadWarehouseOperator(schema=...)."
        )


@dataclass(eq=False)
class AlteredTableError(WarehouseError):
    """Somebody changed a table in a way that a load cannot go on from."""

    table: str
    reason: str

    def __str__(self) -> str:
        return (
            f"The table {self.table} in {self.warehouse} is not as the loads left it: {self.reason}. "
            "Nothing was loaded. Put it back, or drop the schema with all its tables and load again."
        )


@dataclass(eq=False)
class WarehouseRefusedError(WarehouseError):
    """The warehouse refused a statement.

    ``code`` is the warehouse's name for the error. ``reason`` is its message if that is about names, files or syntax; a
    message about values may quote rows and is left out.
    """

    code: str
    reason: str | None = None

    def __str__(self) -> str:
        if self.reason is not None:
            return f"{self.warehouse} rejected the load: {self.reason} ({self.code}). Correct this and load again."
        return (
            f"{self.warehouse} rejected the load with {self.code}, and it was rolled back. Read the message in the log "
            "of the warehouse; it may quote rows and is not repeated here."
        )


@dataclass(eq=False)
class WarehouseUnavailableError(WarehouseError):
    """The warehouse cannot be reached, is locked, or broke off."""

    retryable: ClassVar[bool] = True

    reason: str

    def __str__(self) -> str:
        return f"{self.warehouse} is not available: {self.reason}. What was not committed is rolled back; try again."


# --- Zendesk says no ----------------------------------------------------------------------------------------


@dataclass(eq=False)
class RequestRefusedError(ZendeskError):
    """Zendesk refused the request and would refuse it again; ``code`` is Zendesk's own word, if it gave one."""

    status: int
    path: str
    code: str | None = None

    def __str__(self) -> str:
        named = f" ({self.code})" if self.code else ""
        return f"Zendesk answered {self.status}{named} to {self.path}. {self._advice()}"

    def _advice(self) -> str:
        return "The request itself is refused; a retry would be too."


@dataclass(eq=False)
class AuthenticationError(RequestRefusedError):
    """Zendesk does not know these credentials."""

    def _advice(self) -> str:
        return (
            "The credentials in the Airflow connection are wrong, expired or deactivated "
            "(passwords ended in January 2026, API tokens idle for 30 days are switched off)."
        )


@dataclass(eq=False)
class TokenRefusedError(AuthenticationError):
    """Zendesk gives this OAuth client no access token."""

    def _advice(self) -> str:
        return (
            "It gives no access token to the OAuth client of the Airflow connection: compare identifier and secret "
            "with Admin Center, APIs, OAuth clients, where the client must be of the kind confidential."
        )


@dataclass(eq=False)
class PermissionDeniedError(RequestRefusedError):
    """The user behind the credentials may not export."""

    def _advice(self) -> str:
        return (
            "Only an administrator may use the incremental exports: use an administrator's credentials; an OAuth "
            "client must have been made by one, and its token needs the scope read."
        )


@dataclass(eq=False)
class AccountNotFoundError(RequestRefusedError):
    """No such account, or no such export on it."""

    def _advice(self) -> str:
        return "Check the subdomain in the connection's host: it is the part before .zendesk.com."


@dataclass(eq=False)
class StartTimeTooRecentError(RequestRefusedError):
    """Zendesk gives no events of the last minute."""

    def _advice(self) -> str:
        return "Zendesk gives no events younger than a minute: export the window once it is over."


@dataclass(eq=False)
class RedirectError(RequestRefusedError):
    """The server wants to send the request, and with it the credentials, somewhere else."""

    leads_to: str = "nowhere"

    def _advice(self) -> str:
        return (
            f"Redirects are not followed (this one leads {self.leads_to}): "
            "set the connection's host to the account's own address."
        )


# --- answers that cannot be right ---------------------------------------------------------------------------


@dataclass(eq=False)
class InvalidResponseError(ZendeskError):
    """An answer that Zendesk's documentation does not allow."""

    path: str


@dataclass(eq=False)
class NotJsonError(InvalidResponseError):
    """The answer is not JSON at all."""

    content_type: str | None

    def __str__(self) -> str:
        return (
            f"{self.path} answered {self.content_type or 'no content type'} instead of JSON. Something other than "
            "Zendesk's API answers at the connection's host: a proxy, a login page or another site."
        )


@dataclass(eq=False)
class MalformedResponseError(InvalidResponseError):
    """JSON of a shape that cannot be exported without loss; ``start_time`` names the page in unix seconds."""

    start_time: int
    reason: str

    def __str__(self) -> str:
        return (
            f"The page of {self.path} at start_time={self.start_time} cannot be exported: {self.reason}. "
            "Nothing of it was published. If it stays so, report it with the start_time to Zendesk's support."
        )


@dataclass(eq=False)
class StuckPageError(InvalidResponseError):
    """Paging that does not advance from ``start_time`` (unix seconds)."""

    start_time: int
    reason: str

    def __str__(self) -> str:
        return (
            f"The export of {self.path} is stuck at start_time={self.start_time}: {self.reason}. "
            "Everything before it is published. Report the start_time to Zendesk's support."
        )


@dataclass(eq=False)
class OversizedResponseError(InvalidResponseError):
    """A body of more than ``max_bytes``, compressed or not."""

    max_bytes: int

    def __str__(self) -> str:
        return (
            f"{self.path} answered more than {self.max_bytes / 2**20:g} MiB at once. If the account is known to have "
            "pages of that size, raise max_page_mebibytes in the connection's extras."
        )


@dataclass(eq=False)
class PageNotRetrievableError(InvalidResponseError):
    """A page that does not come through however small it is asked for; ``at`` is the second that it begins with."""

    at: datetime
    reason: str

    def __str__(self) -> str:
        return (
            f"The page of {self.path} that begins at {self.at:%Y-%m-%dT%H:%M:%SZ} does not come through even with "
            f"per_page=1: {self.reason} All slices before it are published. Without comment_events pages are smaller; "
            "otherwise report the second to Zendesk's support."
        )


# --- may be gone at the next try ----------------------------------------------------------------------------


@dataclass(eq=False)
class TransientError(ZendeskError):
    """A fault that may be gone at the next try; raised only when the patience for it is used up.

    ``retry_summary`` is the sentence that says so: after how many attempts, and which wait would have been next.
    """

    retryable: ClassVar[bool] = True

    path: str
    retry_summary: str = field(default="", kw_only=True)

    def _told(self, sentence: str) -> str:
        return f"{sentence} {self.retry_summary}".rstrip()


@dataclass(eq=False)
class RateLimitedError(TransientError):
    """The account's requests for this minute are used up.

    ``retry_after`` is Zendesk's wish, ``next_minute`` the end of the minute by its clock, both in seconds from then.
    """

    retry_after: float | None = None
    next_minute: float = 60.0

    def __str__(self) -> str:
        wish = (
            f"it asks to wait {self.retry_after:.10g} s"
            if self.retry_after
            else f"its minute ends in {self.next_minute:g} s"
        )
        return self._told(
            f"Zendesk's rate limit refuses {self.path}: {wish}. All exports and tools of the account share it: "
            "run fewer at a time (one Airflow pool slot per account), or buy the High Volume API add-on."
        )


@dataclass(eq=False)
class ServerError(TransientError):
    """Zendesk failed to answer; ``retry_after`` is its wish in seconds."""

    status: int
    retry_after: float | None = None

    def __str__(self) -> str:
        wish = f" and asks to wait {self.retry_after:.10g} s" if self.retry_after else ""
        return self._told(
            f"Zendesk failed on {self.path} with status {self.status}{wish}. If it lasts, see status.zendesk.com."
        )


@dataclass(eq=False)
class PageTimeoutError(TransientError):
    """The answer did not come in time: 504, or our own deadline."""

    reason: str

    def __str__(self) -> str:
        return self._told(
            f"No answer from {self.path} in time: {self.reason}. If it lasts, see status.zendesk.com, or raise the "
            "timeout in the connection's extras."
        )


@dataclass(eq=False)
class TransportError(TransientError):
    """No connection, a reset, or an answer that is cut; ``reason`` is the kind of fault."""

    reason: str

    def __str__(self) -> str:
        return self._told(
            f"No whole answer from {self.path}: {self.reason}. Check the network between worker and Zendesk."
        )
