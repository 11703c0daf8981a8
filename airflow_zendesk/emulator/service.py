"""Turns a request into a response, without any I/O."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from airflow_zendesk.emulator.authenticator import Authenticator
from airflow_zendesk.emulator.endpoints import TOKENS
from airflow_zendesk.emulator.error_bodies import ERROR_BODIES
from airflow_zendesk.emulator.expectations import expected_ids, expected_objects
from airflow_zendesk.emulator.exports import Exports
from airflow_zendesk.emulator.limits import Limits
from airflow_zendesk.emulator.list_pages import respond_with_list
from airflow_zendesk.emulator.messages import ApiError, HttpResponse, Json, LoggedRequest, Request
from airflow_zendesk.emulator.serialization import encode


@dataclass(frozen=True, slots=True)
class Service:
    """The API in front of the simulator.

    Args:
        exports: The incremental exports.
        authenticator: Checks credentials.
        limits: How much is returned.
        logged: Returns the requests so far.
        set_scenario: Replaces the scenario; raises ValueError if it is invalid.
    """

    exports: Exports
    authenticator: Authenticator
    limits: Limits
    logged: Callable[[], Sequence[LoggedRequest]]
    set_scenario: Callable[[Iterable[Any]], None]

    def respond(self, request: Request) -> HttpResponse:
        """Return the response to a request. Besides the request it depends on tokens, log and scenario only."""
        headers = self.limits.headers(request)
        try:
            return HttpResponse(200, headers, self._body(request).encode())
        except ApiError as error:
            content_type, body = ERROR_BODIES[error.status]
            headers |= {"Content-Type": content_type, **error.headers}
            return HttpResponse(error.status, headers, (encode(error.body) if error.body else body).encode())

    def _body(self, request: Request) -> str:
        if request.bucket and request.method == "GET":
            self.authenticator.require_admin(request)
            self.limits.check(request)
            return respond_with_list(request, self.limits) if request.is_list else self.exports.respond(request)
        return encode(self._content(request))

    def _content(self, request: Request) -> Json:
        """Return the content of a response that is not paged."""
        match request.method, request.path.removesuffix(".json"):
            case "GET", "/api/v2/users/me":
                return {"user": self.authenticator.user_of(request)}
            case "POST", path if path == TOKENS:
                return self.authenticator.issue_token(request)
            case "GET", "/emulator/expected_ids":
                return {"ids": expected_ids(self.exports, request.parameters)}
            case "GET", "/emulator/expected_objects":
                return {"objects": expected_objects(self.exports, request.parameters)}
            case "GET", "/emulator/requests":
                return {"requests": [asdict(logged) for logged in self.logged()]}
            case "POST", "/emulator/scenario":
                return {"steps": self._set_scenario(request.body)}
        raise ApiError(404)

    def _set_scenario(self, body: bytes) -> int:
        try:
            scenario = json.loads(body)
            self.set_scenario(scenario)
        except ValueError as error:
            raise ApiError(400, {"error": str(error)}) from None
        return len(scenario)
