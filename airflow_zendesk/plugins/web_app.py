"""The routes of the coverage pages. Every route needs a user who may read the DAG ``zendesk_history``."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from airflow.api_fastapi.core_api.security import get_user, requires_access_dag
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from rich import filesize

from airflow_zendesk.exceptions import ZendeskError
from airflow_zendesk.plugins import views
from airflow_zendesk.plugins.places import Place, known_places
from airflow_zendesk.plugins.rights import HISTORY_DAG, reason_not_to_repair
from airflow_zendesk.wording import counted

_STATIC = Path(__file__).parent / "static"
#: Nothing is loaded from another host, and no other site may show the pages in a frame.
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)

User = Annotated[Any, Depends(get_user)]


def create_app() -> FastAPI:
    """The app, to be mounted by Airflow's API server."""
    # Airflow does not protect the apps of plugins. The dependency is on the app, so that every route has it. The pages
    # of FastAPI itself would not, so they are off.
    guard = Depends(requires_access_dag("GET", param_dag_id=HISTORY_DAG))
    app = FastAPI(title="Zendesk coverage", dependencies=[guard], docs_url=None, redoc_url=None, openapi_url=None)
    app.middleware("http")(_add_headers)
    app.exception_handler(ZendeskError)(_show_error)
    # Not async, because they read from storage, and would block the API server.
    app.get("/")(_overview)
    app.get("/dataset")(_dataset)
    app.get("/day")(_day)
    app.get("/summary.json")(_summary)
    app.get("/static/{name}")(_static)
    return app


async def _add_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def _show_error(_: Request, error: Exception) -> Response:
    """A page with the sentence of the error, in place of Airflow's bare 500."""
    return render("error.html", status=502, error=str(error))


def _overview() -> Response:
    return render("overview.html", **views.overview())


def _dataset(user: User, place: str, resource: str, until: date | None = None, *, fresh: bool = False) -> Response:
    view = views.dataset(_known_place(place), resource, until or datetime.now(UTC).date(), fresh=fresh)
    return render("dataset.html", **view, reason=reason_not_to_repair(user), history_dag=HISTORY_DAG)


def _day(place: str, resource: str, day: date) -> Response:
    return render("day.html", **views.day(_known_place(place), resource, day))


def _summary() -> Response:
    return JSONResponse(views.summary())


def _static(name: str) -> Response:
    if name not in {"coverage.css", "coverage.js", "tile.js"}:
        raise HTTPException(404, "There is no such file.")
    return FileResponse(_STATIC / name)


def _known_place(name: str) -> Place:
    """A destination that DAGs export to: a request cannot name another one."""
    for place in known_places():
        if place.name == name:
            return place
    raise HTTPException(404, "No Airflow Variable and no export names this destination.")


def render(template: str, *, status: int = 200, **values: Any) -> Response:
    """A page of a template."""
    return HTMLResponse(_templates().get_template(template).render(values), status_code=status)


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("airflow_zendesk.plugins"), autoescape=True, undefined=StrictUndefined
    )
    environment.filters.update(
        duration=_duration, size=filesize.decimal, instant=_instant, number="{:,}".format, second=_second
    )
    return environment


def _duration(length: timedelta) -> str:
    """A length of time in words, in whole units: ``7 hours``."""
    seconds = max(0, int(length.total_seconds()))
    for size, unit, limit in ((60, "minute", 120), (3_600, "hour", 48), (86_400, "day", None)):
        count = seconds // size
        if limit is None or count < limit:
            return counted(count, unit)
    raise AssertionError


def _instant(value: datetime) -> str:
    return f"{value:%Y-%m-%d %H:%M} UTC"


def _second(seconds: int) -> str:
    """Seconds since 1970, which a forged footer may have outside the years of a calendar."""
    try:
        return _instant(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        return f"second {seconds}"
