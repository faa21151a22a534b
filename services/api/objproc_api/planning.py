"""The catalogue as the workers announced it, and plans made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from objproc.clock import Clock
from objproc.domain.content import PlannedOperation
from objproc.domain.graph import GraphError, OperationDependencyGraph
from objproc.domain.limits import OPERATIONS_MAX
from objproc.operations.catalogue import CatalogueEntry, decode_entry
from objproc.streams.ports import CataloguePort
from objproc_api.problems import Fault, fault, invalid, unavailable
from objproc_api.schemas import ProcessRequest

FRESH_S = 1.0
RETRY_AFTER_S = 2


@dataclass(frozen=True, slots=True)
class Offer:
    """What the workers can run, ready to plan with."""

    entries: Mapping[str, CatalogueEntry]
    graph: OperationDependencyGraph
    validators: Mapping[str, jsonschema_rs.Draft202012Validator]


class Catalogue:
    """The newest offer, looked up at most once a second."""

    def __init__(self, port: CataloguePort, clock: Clock) -> None:
        self._port = port
        self._clock = clock
        self._announced: dict[str, bytes] = {}
        self._offer = offer_of({})
        self._fresh_until = float("-inf")

    async def offer(self) -> Offer:
        """What can be run now; it may be nothing."""
        now = self._clock.monotonic()
        if now >= self._fresh_until:
            announced = await self._port.catalogue()
            if announced != self._announced:
                self._offer = offer_of(announced)
                self._announced = announced
            self._fresh_until = now + FRESH_S
        return self._offer


def offer_of(announced: Mapping[str, bytes]) -> Offer:
    """The offer that was announced."""
    entries = {name: decode_entry(body) for name, body in sorted(announced.items())}
    return Offer(
        entries,
        OperationDependencyGraph({name: entry.requires for name, entry in entries.items()}),
        {name: jsonschema_rs.Draft202012Validator(entry.params_schema) for name, entry in entries.items()},
    )


def plan_of(request: ProcessRequest, offer: Offer) -> tuple[PlannedOperation, ...]:
    """All that will run, parents first. 422 for what cannot; 503 `no_operations` while no worker offers any."""
    if not offer.entries:
        detail = "no worker has announced its operations yet; try again"
        raise unavailable(detail, "no_operations", RETRY_AFTER_S)
    names = planned_names(request, offer)
    faults = [
        fault(("params", name), f"{name!r} is not part of the plan: {', '.join(names)}")
        for name in request.params
        if name not in names
    ]
    for name in names:
        faults += wrong_params(name, request.params.get(name, {}), offer)
    if faults:
        raise invalid("invalid_params", faults)
    return tuple(offer.entries[name].planned(request.params.get(name, {})) for name in names)


def planned_names(request: ProcessRequest, offer: Offer) -> tuple[str, ...]:
    """Names of the plan. 422 `unknown_operation` or `invalid_plan` for what makes none."""
    known = ", ".join(offer.entries)
    unknown = [
        fault(("operations", index), f"unknown operation {name!r}; known: {known}")
        for index, name in enumerate(request.operations)
        if name not in offer.entries
    ]
    if unknown:
        raise invalid("unknown_operation", unknown)
    try:
        names = offer.graph.plan(request.operations)
    except GraphError as error:
        wanted = request.operations
        index = wanted.index(error.operation) if error.operation in wanted else 0
        raise invalid("invalid_plan", [fault(("operations", index), str(error))]) from None
    if len(names) > OPERATIONS_MAX:
        detail = f"the plan has {len(names)} operations; at most {OPERATIONS_MAX} are possible"
        raise invalid("invalid_plan", [fault(("operations",), detail)])
    return names


def wrong_params(name: str, params: Mapping[str, Any], offer: Offer) -> list[Fault]:
    """What the operation's JSON Schema finds wrong."""
    faults: list[Fault] = []
    for error in offer.validators[name].iter_errors(params):
        where = ("params", name, *error.instance_path)
        match error.kind:
            case jsonschema_rs.ValidationErrorKind.AdditionalProperties(unexpected):
                faults += [fault((*where, field), "is no parameter of this operation") for field in unexpected]
            case jsonschema_rs.ValidationErrorKind.Required(missing):
                faults.append(fault((*where, missing), "is required"))
            case _:
                faults.append(fault(where, error.message))
    return faults
