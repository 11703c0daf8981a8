"""The errors of every client are translated to errors that say what to do and whether to retry."""

import errno
from typing import Any

import aiohttp
import botocore.exceptions
import google.auth.exceptions
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ServiceRequestError
from gcsfs.retry import HttpError, validate_response

from airflow_zendesk.exceptions import (
    StorageDeniedError,
    StorageError,
    StorageFullError,
    StorageNotFoundError,
    StorageRefusedError,
    StorageUnavailableError,
)
from airflow_zendesk.storage.errors import translate_error

SECRET = "AKIAINVENTED and what was signed"


def create(cls: Any, *arguments: Any) -> Exception:
    """An error of a class without type annotations."""
    error: Exception = cls(*arguments)
    return error


def s3(code: str, status: int) -> Exception:
    """An error of botocore."""
    response = {"Error": {"Code": code, "Message": SECRET}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return create(botocore.exceptions.ClientError, response, "PutObject")


def azure(code: str, status: int) -> Exception:
    """An error of Azure's client."""
    error = HttpResponseError(message=SECRET)
    error.status_code, error.error_code = status, code  # type: ignore[attr-defined]
    return error


def gcs(status: int, message: str = SECRET) -> Exception:
    """The error that gcsfs raises for a response with that status."""
    try:
        validate_response(status, f'{{"error": {{"message": "{message}"}}}}', "b/bucket/o")
    except Exception as error:  # noqa: BLE001  whatever it is
        return error
    raise AssertionError


def caused_by(error: Exception, cause: Exception) -> Exception:
    """The error with a cause, as s3fs wraps errors."""
    error.__cause__ = cause
    return error


CASES: list[tuple[Exception, type[StorageError], str]] = [
    (s3("NoSuchBucket", 404), StorageNotFoundError, "NoSuchBucket"),
    (s3("AccessDenied", 403), StorageDeniedError, "AccessDenied"),
    (s3("403", 403), StorageDeniedError, "403"),
    (s3("ExpiredToken", 400), StorageDeniedError, "ExpiredToken"),
    (s3("QuotaExceeded", 403), StorageFullError, "QuotaExceeded"),
    (s3("PermanentRedirect", 301), StorageRefusedError, "PermanentRedirect"),
    (s3("NotImplemented", 501), StorageRefusedError, "NotImplemented"),
    (s3("SlowDown", 503), StorageUnavailableError, "SlowDown"),
    (s3("ConditionalRequestConflict", 409), StorageUnavailableError, "ConditionalRequestConflict"),
    (s3("RequestTimeout", 400), StorageUnavailableError, "RequestTimeout"),
    (s3(f"odd {SECRET}", 400), StorageRefusedError, "400"),
    (caused_by(PermissionError(SECRET), s3("InvalidAccessKeyId", 403)), StorageDeniedError, "InvalidAccessKeyId"),
    (caused_by(OSError(errno.EBUSY, SECRET), s3("SlowDown", 503)), StorageUnavailableError, "SlowDown"),
    (botocore.exceptions.ParamValidationError(report=SECRET), StorageRefusedError, "ParamValidationError"),
    (botocore.exceptions.NoCredentialsError(), StorageDeniedError, "NoCredentialsError"),
    (botocore.exceptions.ReadTimeoutError(endpoint_url=SECRET), StorageUnavailableError, "ReadTimeoutError"),
    (
        botocore.exceptions.EndpointConnectionError(endpoint_url=SECRET),
        StorageUnavailableError,
        "EndpointConnectionError",
    ),
    (azure("ContainerNotFound", 404), StorageNotFoundError, "ContainerNotFound"),
    (azure("AuthenticationFailed", 403), StorageDeniedError, "AuthenticationFailed"),
    (azure("ServerBusy", 503), StorageUnavailableError, "ServerBusy"),
    (ClientAuthenticationError(SECRET), StorageDeniedError, "ClientAuthenticationError"),
    (ServiceRequestError(SECRET), StorageUnavailableError, "ServiceRequestError"),
    (gcs(404), StorageNotFoundError, "404"),
    (gcs(403), StorageDeniedError, "403"),
    (gcs(401), StorageDeniedError, "401"),
    (gcs(400, "an invalid bucket"), StorageRefusedError, "400"),
    (gcs(429), StorageUnavailableError, "429"),
    (gcs(502), StorageUnavailableError, "ProxyError"),
    (gcs(503), StorageUnavailableError, "503"),
    (HttpError({"code": "503", "message": SECRET}), StorageUnavailableError, "503"),
    (create(google.auth.exceptions.DefaultCredentialsError, SECRET), StorageDeniedError, "DefaultCredentialsError"),
    (create(google.auth.exceptions.RefreshError, SECRET), StorageDeniedError, "RefreshError"),
    (create(google.auth.exceptions.TransportError, SECRET), StorageUnavailableError, "TransportError"),
    (aiohttp.ServerDisconnectedError(SECRET), StorageUnavailableError, "ServerDisconnectedError"),
    (requests.ConnectionError(SECRET), StorageUnavailableError, "ConnectionError"),
    (TimeoutError(SECRET), StorageUnavailableError, "TimeoutError"),
    (OSError(errno.ENOSPC, SECRET), StorageFullError, "ENOSPC"),
    (OSError(errno.EDQUOT, SECRET), StorageFullError, "EDQUOT"),
    (OSError(errno.EFBIG, SECRET), StorageFullError, "EFBIG"),
    (OSError(errno.EROFS, SECRET), StorageDeniedError, "EROFS"),
    (OSError(errno.EACCES, SECRET), StorageDeniedError, "EACCES"),
    (OSError(errno.EIO, SECRET), StorageUnavailableError, "EIO"),
    (OSError(errno.ENOTDIR, SECRET), StorageRefusedError, "ENOTDIR"),
]


@pytest.mark.parametrize(
    ("error", "expected", "reason"), CASES, ids=[f"{type(each[0]).__name__}-{each[2]}" for each in CASES]
)
def test_client_error_is_translated(error: Exception, expected: type[StorageError], reason: str) -> None:
    """The text of the client is dropped."""
    translated: Any = translate_error(error, "s3://bucket/key")
    assert (expected, "s3://bucket/key", reason) == (type(translated), translated.uri, translated.reason)
    assert "INVENTED" not in str(translated)


@pytest.mark.parametrize("error", [KeyError("ETag"), TypeError("a mistake"), ValueError("a mistake")])
def test_bug_is_not_a_storage_error(error: Exception) -> None:
    """It is not translated."""
    assert translate_error(error, "s3://bucket/key") is None
