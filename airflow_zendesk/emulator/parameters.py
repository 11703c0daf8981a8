"""The parameters of requests, and the error responses for invalid ones. Zendesk's exact words are mostly unknown."""

from collections.abc import Callable, Mapping

from airflow_zendesk.emulator.cursor_pages import Position, decode_cursor
from airflow_zendesk.emulator.error_bodies import INVALID_CURSOR
from airflow_zendesk.emulator.limits import Limits
from airflow_zendesk.emulator.messages import ApiError, Request
from airflow_zendesk.emulator.ticket import Ticket

_SCOPES: Mapping[str, Callable[[Ticket], bool]] = {
    "all": lambda _: True,
    "agent": lambda ticket: not ticket.is_ai_agent,
    "ai_agent": lambda ticket: ticket.is_ai_agent,
}


def required_integer(parameters: Mapping[str, str], name: str, at_least: int = 0) -> int:
    """Return a required integer parameter."""
    if name not in parameters:
        raise ApiError(400, {"error": "ParameterMissing", "description": f"Parameter {name} is required"})
    text = parameters[name]
    if not (text.isascii() and text.isdigit() and int(text) >= at_least):
        raise invalid(name, f"must be an integer of at least {at_least}")
    return int(text)


def page_size(parameters: Mapping[str, str], name: str, maximum: int) -> int | None:
    """Return the requested page size, at most the maximum; None if it is not given."""
    return min(required_integer(parameters, name, at_least=1), maximum) if name in parameters else None


def ticket_filter(parameters: Mapping[str, str], default: str) -> Callable[[Ticket], bool]:
    """Return whether a ticket is in the `support_type_scope`."""
    scope = parameters.get("support_type_scope", default)
    if scope not in _SCOPES:
        raise invalid("support_type_scope", f"must be one of {', '.join(_SCOPES)}")
    return _SCOPES[scope]


def position_of(request: Request, cursor: str, limits: Limits) -> Position:
    """Return the position of a cursor. An expired cursor gets the same error response as an invalid one."""
    try:
        position, issued = decode_cursor(request.resource, cursor)
    except ValueError:
        raise invalid_cursor() from None
    if limits.cursor_lifetime is not None and request.number - issued > limits.cursor_lifetime:
        raise invalid_cursor()
    return position


def issue_number(request: Request, limits: Limits) -> int:
    """Return what a cursor must remember of the request whose response contains it: nothing, unless cursors expire."""
    return 0 if limits.cursor_lifetime is None else request.number


def invalid(name: str, rule: str) -> ApiError:
    """Return the error response for an invalid parameter."""
    message = f"You passed an invalid value for the {name} attribute. Invalid parameter: {name} {rule}"
    return ApiError(400, {"error": {"title": "Invalid attribute", "message": message}})


def invalid_cursor() -> ApiError:
    """Return the error response for an invalid or expired cursor."""
    return ApiError(400, INVALID_CURSOR)
