"""What a complete export must contain, also what is still withheld. Tests compare exports with it."""

from collections.abc import Mapping
from datetime import datetime

from airflow_zendesk.emulator.exports import OBJECTS, Exports
from airflow_zendesk.emulator.list_records import LISTS
from airflow_zendesk.emulator.messages import ApiError
from airflow_zendesk.emulator.parameters import required_integer
from airflow_zendesk.emulator.simulator import RESOURCES


def expected_ids(exports: Exports, parameters: Mapping[str, str]) -> list[int]:
    """Return the ids of the events of `[start, end)`, in unix seconds, for `resource` and `support_type_scope`."""
    resource = _one_of(parameters, tuple(RESOURCES))
    start, end = required_integer(parameters, "start"), required_integer(parameters, "end")
    return [event.id for event in exports.events(resource, start, end, parameters)]


def expected_objects(exports: Exports, parameters: Mapping[str, str]) -> dict[int, int]:
    """Return the second of the last change of each object as of `at`, by its id.

    A change in the second `at` has happened. With `since`, only objects that last changed in or after that second.
    `support_type_scope` and `exclude_deleted` act as in the export of tickets, but the default scope is `all`. Lists
    contain their deleted objects, and are the same at any time.
    """
    resource = _one_of(parameters, (*OBJECTS, *LISTS))
    at, since = required_integer(parameters, "at"), required_integer({"since": "0"} | dict(parameters), "since")
    if resource in OBJECTS:
        return {revision.id: revision.timestamp for revision in exports.current(resource, since, at, parameters)}
    changed = {record["id"]: datetime.fromisoformat(record["updated_at"]) for record in LISTS[resource]()}
    return {id_: int(time.timestamp()) for id_, time in changed.items()}


def _one_of(parameters: Mapping[str, str], resources: tuple[str, ...]) -> str:
    resource = parameters.get("resource", "")
    if resource not in resources:
        raise ApiError(400, {"error": f"resource must be one of: {', '.join(resources)}"})
    return resource
