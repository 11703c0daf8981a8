"""The faults of a storage, by name. Each client has errors of its own, and none of them says whether to try again.

They are told apart by what their classes are called, so that no client has to be installed, and by HTTP status. Their
texts are not passed on: some repeat what was signed, or who asked.
"""

import errno
import re
from collections.abc import Callable, Iterator
from typing import Any

from airflow_zendesk.exceptions import (
    StorageDeniedError,
    StorageError,
    StorageFullError,
    StorageNotFoundError,
    StorageRefusedError,
    StorageUnavailableError,
)

#: One that takes the address and a reason.
_Named = Callable[[str, str], StorageError]

_BY_STATUS: dict[int, _Named] = {
    401: StorageDeniedError,
    403: StorageDeniedError,
    404: StorageNotFoundError,
    408: StorageUnavailableError,
    409: StorageUnavailableError,
    412: StorageUnavailableError,
    425: StorageUnavailableError,
    429: StorageUnavailableError,
    501: StorageRefusedError,
    507: StorageFullError,
}
_SERVER_ERROR = 5
#: Where the storage's word tells more than the status.
_BY_CODE: dict[str, _Named] = {
    "ExpiredToken": StorageDeniedError,
    "InvalidToken": StorageDeniedError,
    "TokenRefreshRequired": StorageDeniedError,
    "QuotaExceeded": StorageFullError,
    "RequestTimeout": StorageUnavailableError,
}
#: Classes of botocore, azure-core, aiohttp, google-auth, gcsfs and requests, most of which are no OSError.
_BY_CLASS: dict[str, _Named] = {
    "NoCredentialsError": StorageDeniedError,
    "PartialCredentialsError": StorageDeniedError,
    "CredentialRetrievalError": StorageDeniedError,
    "ClientAuthenticationError": StorageDeniedError,
    "DefaultCredentialsError": StorageDeniedError,
    "RefreshError": StorageDeniedError,
    "HTTPClientError": StorageUnavailableError,
    "ConnectionError": StorageUnavailableError,
    "ResponseParserError": StorageUnavailableError,
    "AzureError": StorageUnavailableError,
    "ClientError": StorageUnavailableError,
    "TransportError": StorageUnavailableError,
    "ChecksumError": StorageUnavailableError,
    "RequestException": StorageUnavailableError,
}
_BY_ERRNO: dict[int | None, _Named] = {
    errno.EACCES: StorageDeniedError,
    errno.EPERM: StorageDeniedError,
    errno.EROFS: StorageDeniedError,
    errno.ENOENT: StorageNotFoundError,
    errno.ENOSPC: StorageFullError,
    errno.EDQUOT: StorageFullError,
    errno.EFBIG: StorageFullError,
    errno.ENOTDIR: StorageRefusedError,
    errno.EISDIR: StorageRefusedError,
    errno.ENAMETOOLONG: StorageRefusedError,
}
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def translate_error(error: Exception, uri: str) -> StorageError | None:
    """The error that says what happened and what to do, or None if this is no fault of a storage."""
    status, code = answer(error)
    named = _BY_CODE.get(code) if code else None
    if named is None and status is not None:
        named = _BY_STATUS.get(
            status, StorageUnavailableError if status // 100 == _SERVER_ERROR else StorageRefusedError
        )
    if named is None:
        named = _by_class(error)
    return None if named is None else named(uri, code or (str(status) if status else _word_for(error)))


def answer(error: BaseException) -> tuple[int | None, str | None]:
    """The HTTP status that the error comes from, and the storage's own word for it; None for what is not known."""
    for each in _chain(error):
        status, code = _answer_in(each)
        if status is not None:
            return status, code if code and _PLAIN_WORD.fullmatch(code) and not code.isdigit() else None
    return _answer_meant(error), None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it was made of: s3fs translates botocore's errors and keeps the original behind its own."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _answer_in(error: Any) -> tuple[int | None, str | None]:
    """The status and the code that the error carries."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):  # botocore
        return response.get("ResponseMetadata", {}).get("HTTPStatusCode"), response.get("Error", {}).get("Code")
    for name in ("status_code", "status", "code"):  # azure-core, aiohttp, gcsfs
        status = getattr(error, name, None)
        if str(status).isdigit():
            word = getattr(error, "error_code", None)
            return int(str(status)), None if word is None else str(getattr(word, "value", word))
    return None, None


def _answer_meant(error: BaseException) -> int | None:
    """The status that gcsfs has turned into an error of Python."""
    if isinstance(error, OSError) and error.errno is None:
        for cls, meant in ((FileNotFoundError, 404), (FileExistsError, 412), (PermissionError, 403)):
            if isinstance(error, cls):
                return meant
    if str(error).startswith(("Forbidden: ", "Bad Request: ")):  # it tells them apart in this way itself
        return 403 if isinstance(error, OSError) else 400
    return None


def _by_class(error: Exception) -> _Named | None:
    for cls in type(error).__mro__:
        if named := _BY_CLASS.get(cls.__name__):
            return named
    if isinstance(error, OSError):
        return _BY_ERRNO.get(error.errno, StorageUnavailableError)
    return None


def _word_for(error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    return errno.errorcode.get(number or 0, type(error).__name__)
