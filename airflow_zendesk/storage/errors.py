"""Translate the errors of all storage clients to the ``StorageError`` classes, which say whether a retry can help.

Errors are recognized by class name, so that no client has to be installed, and by HTTP status. Their texts are
dropped, because some quote the signed request or the credentials.
"""

import errno
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from airflow_zendesk.exceptions import (
    StorageDeniedError,
    StorageError,
    StorageFullError,
    StorageNotFoundError,
    StorageRefusedError,
    StorageUnavailableError,
    ZendeskError,
)

#: A subclass that takes the URI and a reason.
_ErrorClass = Callable[[str, str], StorageError]

_BY_STATUS: dict[int, _ErrorClass] = {
    **dict.fromkeys((401, 403), StorageDeniedError),
    404: StorageNotFoundError,
    **dict.fromkeys((408, 409, 412, 425, 429), StorageUnavailableError),
    501: StorageRefusedError,
    507: StorageFullError,
}
_SERVER_ERROR = 5
#: Error codes that are more specific than the status.
_BY_CODE: dict[str, _ErrorClass] = {
    **dict.fromkeys(("ExpiredToken", "InvalidToken", "TokenRefreshRequired"), StorageDeniedError),
    "QuotaExceeded": StorageFullError,
    "RequestTimeout": StorageUnavailableError,
}
#: Classes of botocore, azure-core, aiohttp, google-auth, gcsfs and requests; most are not an OSError.
_BY_CLASS: dict[str, _ErrorClass] = {
    **dict.fromkeys(("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"), StorageDeniedError),
    **dict.fromkeys(("ClientAuthenticationError", "DefaultCredentialsError", "RefreshError"), StorageDeniedError),
    **dict.fromkeys(("HTTPClientError", "ConnectionError", "ResponseParserError"), StorageUnavailableError),
    **dict.fromkeys(("AzureError", "ClientError", "TransportError"), StorageUnavailableError),
    **dict.fromkeys(("ChecksumError", "RequestException"), StorageUnavailableError),
    "ParamValidationError": StorageRefusedError,
}
_BY_ERRNO: dict[int | None, _ErrorClass] = {
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), StorageDeniedError),
    errno.ENOENT: StorageNotFoundError,
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), StorageFullError),
    **dict.fromkeys((errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG), StorageRefusedError),
}
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def translate_error(error: Exception, uri: str) -> StorageError | None:
    """The ``StorageError`` for an error of a client, or None if it is not an error of a storage."""
    status, code = status_and_code(error)
    error_class = _BY_CODE.get(code) if code else None
    if error_class is None and status is not None:
        error_class = _BY_STATUS.get(
            status, StorageUnavailableError if status // 100 == _SERVER_ERROR else StorageRefusedError
        )
    if error_class is None:
        error_class = _by_class(error)
    return None if error_class is None else error_class(uri, code or (str(status) if status else _reason(error)))


@contextmanager
def translate_errors(uri: str) -> Iterator[None]:
    """Translate errors of a client to a ``StorageError``, without their texts, which may contain secrets."""
    try:
        yield
    except ZendeskError:
        raise
    except Exception as error:
        translated = translate_error(error, uri)
        if translated is None:
            raise
        raise translated from None


def status_and_code(error: BaseException) -> tuple[int | None, str | None]:
    """The HTTP status behind the error, and the storage's error code; each None if unknown."""
    for each in _chain(error):
        status, code = _response_of(each)
        if status is not None:
            return status, code if code and _CODE.fullmatch(code) and not code.isdigit() else None
    return _status_of_gcsfs(error), None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and its causes: s3fs wraps botocore's errors in its own."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _response_of(error: Any) -> tuple[int | None, str | None]:
    """The status and the code that the error itself has."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):  # botocore
        return response.get("ResponseMetadata", {}).get("HTTPStatusCode"), response.get("Error", {}).get("Code")
    for name in ("status_code", "status", "code"):  # azure-core, aiohttp, gcsfs
        status = getattr(error, name, None)
        if str(status).isdigit():
            code = getattr(error, "error_code", None)
            return int(str(status)), None if code is None else str(getattr(code, "value", code))
    return None, None


def _status_of_gcsfs(error: BaseException) -> int | None:
    """The status that gcsfs has translated to a built-in exception."""
    if isinstance(error, OSError) and error.errno is None:
        for cls, status in ((FileNotFoundError, 404), (FileExistsError, 412), (PermissionError, 403)):
            if isinstance(error, cls):
                return status
    if str(error).startswith(("Forbidden: ", "Bad Request: ")):  # gcsfs itself distinguishes them by their texts
        return 403 if isinstance(error, OSError) else 400
    return None


def _by_class(error: Exception) -> _ErrorClass | None:
    for cls in type(error).__mro__:
        if error_class := _BY_CLASS.get(cls.__name__):
            return error_class
    if isinstance(error, OSError):
        return _BY_ERRNO.get(error.errno, StorageUnavailableError)
    return None


def _reason(error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    return errno.errorcode.get(number or 0, type(error).__name__)
