"""The named error for an HTTP response that is not a page.

Source: https://developer.zendesk.com/api-reference/introduction/requests/ for the statuses.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from airflow_zendesk.exceptions import (
    AccountNotFoundError,
    AuthenticationError,
    NotJsonError,
    PageTimeoutError,
    PermissionDeniedError,
    RateLimitedError,
    RedirectError,
    RequestRefusedError,
    ServerError,
    StartTimeTooRecentError,
    ZendeskError,
)
from airflow_zendesk.zendesk.response_headers import next_minute, retry_after

_ERRORS_BY_STATUS: dict[int, type[RequestRefusedError]] = {
    HTTPStatus.UNAUTHORIZED: AuthenticationError,
    HTTPStatus.FORBIDDEN: PermissionDeniedError,
    HTTPStatus.NOT_FOUND: AccountNotFoundError,
}
#: Statuses below 500 that servers and proxies use for a transient failure.
_TRANSIENT_STATUSES = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.LOCKED, HTTPStatus.TOO_EARLY}
#: A response that took too long: the gateway's status, and that of Cloudflare, which serves Zendesk.
_TIMEOUT_STATUSES = {HTTPStatus.GATEWAY_TIMEOUT, 524}

#: Zendesk's error codes that appear in messages. An unknown code could be anything: customer text, or the secret that
#: was sent.
_CODES = {
    "APIRateLimitExceeded", "Forbidden", "InvalidEndpoint", "InvalidPaginationParameter", "InvalidValue",
    "ParameterMissing", "RecordInvalid", "RecordNotFound", "StartTimeTooRecent", "invalid_client", "invalid_grant",
    "invalid_request", "invalid_scope", "invalid_token", "unauthorized", "unauthorized_client",
    "unsupported_grant_type",
}  # fmt: skip
#: Content types that appear in messages, for the same reason.
_CONTENT_TYPES = {
    "application/json", "application/octet-stream", "application/xml", "text/html", "text/plain", "text/xml",
}  # fmt: skip


def check_json(path: str, headers: Mapping[str, str], body: bytes) -> None:
    """Check that the API responds, and not something in front of it.

    Raises:
        NotJsonError: the body is HTML or text.
    """
    content_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if body.lstrip().startswith(b"<") or "json" not in content_type:
        shown = content_type if content_type in _CONTENT_TYPES else "an unknown content type"
        raise NotJsonError(path, shown if content_type else None)


def error_for(path: str, status: int, headers: Mapping[str, str], body: bytes) -> ZendeskError:
    """The error for a response with a status other than 200."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimitedError(path, retry_after(headers), float(next_minute(headers)))
    if status in _TIMEOUT_STATUSES:
        return PageTimeoutError(path, f"Zendesk returned {status}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _TRANSIENT_STATUSES:
        return ServerError(path, status, retry_after(headers))
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return RedirectError(status, path, leads_to=_redirect_target(headers.get("Location", "")))
    return _refusal(path, status, headers, body)


def _refusal(path: str, status: int, headers: Mapping[str, str], body: bytes) -> ZendeskError:
    """The error for a status from 400 to 499; a retry would get the same status."""
    # Known spellings: the code StartTimeTooRecent (400), and a sentence (422, also as plain text).
    if b"StartTimeTooRecent" in body or b"Too recent start_time" in body:
        return StartTimeTooRecentError(status, path, "StartTimeTooRecent")
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) and body:
        try:
            check_json(path, headers, body)
        except NotJsonError as error:  # a proxy or a firewall refuses: the credentials may be right
            return error
    return _ERRORS_BY_STATUS.get(status, RequestRefusedError)(status, path, _error_code(body))


def _redirect_target(location: str) -> str:
    """The target of a redirect in fixed words, because any part of it, even its host, may repeat the request."""
    try:
        host = urlsplit(location).hostname
    except ValueError:  # not a URL
        host = None
    if host is None:
        return "to the same host or nowhere"
    return "elsewhere in zendesk.com" if host.endswith(".zendesk.com") else "out of zendesk.com"


def _error_code(body: bytes) -> str | None:
    """Zendesk's code for the error, if the body has a known one."""
    match = re.search(rb'"(?:error|code|title)"\s*:\s*"([A-Za-z_]{1,64})"', body[:4096])
    return match[1].decode() if match and match[1].decode() in _CODES else None
