"""Problems (RFC 9457): every answer that is no success has a stable `code`, and pointers to wrong fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from objproc.errors import OverloadedError, TransientError, UnconfirmedError
from objproc.settings import Durability
from objproc.telemetry import Log

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:objproc:problem:"
RETRY_AFTER_S = 1
RETRY_AFTER_OVERLOAD_S = 5
CLIENT_CLOSED_REQUEST = 499
CODES = {404: "not_found", 405: "method_not_allowed"}

log = Log("problems")

Fault = Mapping[str, str]
"""`pointer` (RFC 6901) and `detail` of one wrong field."""


class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """An answer that ends the request: routes and what they call raise it."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})


def fault(pointer: Iterable[str | int], detail: str) -> Fault:
    """One wrong field, named by the steps that lead to it."""
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in pointer)
    return {"pointer": "".join(f"/{step}" for step in steps), "detail": detail}


def invalid(code: str, faults: Sequence[Fault]) -> Problem:
    """422 for wrong fields."""
    return Problem(422, code, "; ".join(f"{one['pointer'] or '/'}: {one['detail']}" for one in faults), errors=faults)


def answer(problem: Problem, instance: str) -> Response:
    """A problem as the response to the request for `instance`."""
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + problem.code,
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "instance": instance,
        "errors": list(problem.errors),
    }
    return Response(orjson.dumps(body), problem.status, problem.headers, MEDIA_TYPE)


def instance_of(request: Request) -> str:
    """The path as the client wrote it."""
    raw: bytes = request.scope.get("raw_path") or b""
    return raw.decode("latin-1")


async def on_problem(request: Request, error: Exception) -> Response:
    """A problem somebody raised."""
    assert isinstance(error, Problem)
    return answer(error, instance_of(request))


async def on_transient(request: Request, error: Exception) -> Response:
    """A server is away, full, or less safe than promised: 503 that says which."""
    log.warning("unavailable", path=instance_of(request), reason=str(error))
    if isinstance(error, OverloadedError):
        return answer(overloaded("Redis is full"), instance_of(request))
    if isinstance(error, UnconfirmedError):
        return answer(unconfirmed(error), instance_of(request))
    server = str(error).partition(":")[0]
    return answer(unavailable(f"{server} cannot be reached or is busy; try again"), instance_of(request))


def unavailable(detail: str, code: str = "unavailable", retry_after_s: int = RETRY_AFTER_S) -> Problem:
    """503 for what passes by itself."""
    return Problem(503, code, detail, headers={"Retry-After": str(retry_after_s)})


def overloaded(reason: str) -> Problem:
    """503 for new work there is no room for."""
    return unavailable(f"{reason}; try again later", "overloaded", RETRY_AFTER_OVERLOAD_S)


def unconfirmed(error: UnconfirmedError) -> Problem:
    """503 for what was written, but not as safely as DURABILITY says."""
    code = "not_replicated" if error.level == Durability.REPLICATED else "not_durable"
    detail = "the command was not confirmed in time; a repeat under the same Idempotency-Key names the same object"
    return unavailable(detail, code)


async def on_http_error(request: Request, error: Exception) -> Response:
    """What routing itself refuses: unknown paths and methods."""
    assert isinstance(error, HTTPException)
    code = CODES.get(error.status_code, HTTPStatus(error.status_code).name.lower())
    return answer(Problem(error.status_code, code, str(error.detail), headers=error.headers), instance_of(request))


async def on_invalid_parameters(request: Request, error: Exception) -> Response:
    """Query parameters or headers of the wrong kind."""
    assert isinstance(error, RequestValidationError)
    faults = [fault(item["loc"], item["msg"]) for item in error.errors()]
    return answer(invalid("invalid_request", faults), instance_of(request))


async def on_disconnect(_request: Request, _error: Exception) -> Response:
    """The client went away in the middle of its request: nobody reads this."""
    return Response(status_code=CLIENT_CLOSED_REQUEST)


async def on_bug(request: Request, error: Exception) -> Response:
    """Anything else: logged here, told without internals."""
    problem = Problem(500, "internal", "the server met an error of its own; it is in the log")
    log.error("request_failed", path=instance_of(request), error=f"{type(error).__name__}: {error}")
    return answer(problem, instance_of(request))


def install(app: FastAPI) -> None:
    """Let every error of `app` become a problem."""
    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(TransientError, on_transient)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(RequestValidationError, on_invalid_parameters)
    app.add_exception_handler(ClientDisconnect, on_disconnect)
    app.add_exception_handler(Exception, on_bug)
