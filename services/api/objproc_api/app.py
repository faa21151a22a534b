"""The application: routes, problems, and the gate that is shut until the tables are made."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from objproc_api import problems
from objproc_api.health import Health
from objproc_api.parts import Parts
from objproc_api.paths import EscapedSlashes
from objproc_api.routes import artifacts, contents, history, objects, operations, process, progress, status

ALWAYS_OPEN = frozenset({"/livez", "/readyz", "/health"})


class Gate:
    """ASGI wrapper: 503 `starting` for all but the health checks until everything is set up."""

    def __init__(self, app: ASGIApp, health: Health) -> None:
        self._app = app
        self._health = health

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._health.is_set_up and scope["path"] not in ALWAYS_OPEN:
            problem = problems.unavailable("the service is starting; try again", "starting")
            await problems.answer(problem, scope["path"])(scope, receive, send)
            return
        await self._app(scope, receive, send)


def create_app(parts: Parts) -> ASGIApp:
    """The api as an ASGI application."""
    app = FastAPI(
        title="Object Processing System",
        description="Runs operations on objects; every change is an event.",
        version="0.1.0",
        redirect_slashes=False,
        docs_url=None,  # these pages come from the internet, where an installation may not reach
        redoc_url=None,
    )
    app.state.parts = parts
    problems.install(app)
    # the object itself comes last: its identifier may hold slashes, so its path would take all the others
    for module in (process, progress, history, artifacts, contents, operations, status, objects):
        app.include_router(module.router)
    return Gate(EscapedSlashes(app), parts.health)
