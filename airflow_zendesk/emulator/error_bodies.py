"""The error responses of Zendesk, and of the servers in front of it, as recorded."""

from collections.abc import Mapping

JSON, TEXT, HTML = "application/json; charset=UTF-8", "text/plain", "text/html; charset=utf-8"

_NO_ACCESS = "You do not have access to this page. Please contact the account owner of this help desk for further help."
_TOO_MANY = "Number of allowed incremental export API requests per minute exceeded"
_TOO_RECENT = "Too recent start_time. Use a start_time older than"

#: The error response to an invalid or expired cursor. The exact words of the description are unknown.
INVALID_CURSOR = {
    "error": "InvalidPaginationParameter",
    "description": "The pagination cursor is invalid or has expired",
}

#: Content type and body, by status. The exact words of the 400 are unknown; 422 is the status it replaced.
ERROR_BODIES: Mapping[int, tuple[str, str]] = {
    400: (JSON, f'{{"error":"StartTimeTooRecent","description":"{_TOO_RECENT} 1 minute"}}'),
    401: (JSON, '{"error":"Couldn\'t authenticate you"}'),
    403: (JSON, f'{{"error":{{"title":"Forbidden","message":"{_NO_ACCESS}"}}}}'),
    404: (JSON, '{"error":"InvalidEndpoint","description":"Not found"}'),
    422: (TEXT, f"{_TOO_RECENT} 5 minutes"),
    429: (JSON, f'{{"error":"APIRateLimitExceeded","description":"{_TOO_MANY}"}}'),
    500: (JSON, '{"status":500,"error":"Internal Server Error"}'),
    502: (HTML, "<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>"),
    503: (TEXT, "Service Unavailable"),
    504: (TEXT, "upstream request timeout"),
}
