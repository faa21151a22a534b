"""Refusals become errors that say what to do, whoever wrote them."""

from __future__ import annotations

import httpx
import pytest

from objproc_client.address import is_loopback
from objproc_client.calls import progress
from objproc_client.command.exits import EXPECTED, exit_and_advice
from objproc_client.errors import (
    ConflictError,
    DeniedError,
    FieldFault,
    InvalidError,
    NotFoundError,
    ObjprocError,
    ProblemError,
    ProtocolError,
    ThrottledError,
    UnavailableError,
    problem_of,
)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidError),
        (401, DeniedError),
        (403, DeniedError),
        (404, NotFoundError),
        (409, ConflictError),
        (412, ConflictError),
        (413, InvalidError),
        (422, InvalidError),
        (429, ThrottledError),
        (500, ProblemError),
        (503, UnavailableError),
    ],
)
def test_the_status_tells_the_class(status: int, kind: type[ProblemError]) -> None:
    assert type(problem_of(httpx.Response(status))) is kind


def test_a_problem_document_is_taken_over() -> None:
    fault = {"pointer": "/params/x", "detail": "is too long"}
    raw = {"title": "t", "detail": "d", "code": "c", "errors": [fault, "nonsense"]}
    problem = problem_of(httpx.Response(422, json=raw))
    assert (problem.code, problem.detail, problem.raw) == ("c", "d", raw)
    assert problem.errors == (FieldFault(pointer="/params/x", detail="is too long"),)


@pytest.mark.parametrize("body", ["<html>Bad gateway</html>", "[]", '"text"', "", '{"errors": 7}'])
def test_a_gateway_s_own_page_is_an_error_too(body: str) -> None:
    problem = problem_of(httpx.Response(502, text=body))
    assert (problem.code, str(problem)) == ("http_502", "502 Bad Gateway")


def test_a_redirection_is_not_this_api_s_way() -> None:
    answer = httpx.Response(302, request=httpx.Request("GET", "http://server/"))
    with pytest.raises(ProtocolError, match="302"):
        progress("o").answer(answer)


def test_a_page_with_status_200_is_not_this_api_s_either() -> None:
    answer = httpx.Response(200, html="<p>", request=httpx.Request("GET", "http://server/"))
    with pytest.raises(ProtocolError, match="text/html"):
        progress("o").answer(answer)


def all_kinds(kind: type[Exception]) -> list[type[Exception]]:
    """Name a class and everything below it."""
    return [kind, *(below for child in kind.__subclasses__() for below in all_kinds(child))]


@pytest.mark.parametrize("kind", [*all_kinds(ObjprocError), FileNotFoundError])
def test_every_expected_error_has_an_exit_code_and_advice(kind: type[Exception]) -> None:
    assert issubclass(kind, EXPECTED)
    code, advice = exit_and_advice(kind.__new__(kind))
    assert code in (1, 2, 3)
    assert advice.endswith(".")


@pytest.mark.parametrize(
    ("url", "expected"),
    [("http://127.0.0.9", True), ("http://[::1]:8", True), ("http://localhost", True), ("http://example.org", False)],
)
def test_no_proxy_is_asked_for_this_machine(url: str, expected: bool) -> None:
    assert is_loopback(httpx.URL(url)) == expected
