"""All that the routes work with, put together once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from starlette.requests import Request

from objproc.heartbeat import Census
from objproc_api.control import Control
from objproc_api.feed import FeedHub
from objproc_api.health import Health
from objproc_api.lookup import Lookup
from objproc_api.planning import Catalogue
from objproc_api.ports import BytesPort, HistoryPort, ObjectsPort
from objproc_api.pressure import Pressure
from objproc_api.status import Status
from objproc_api.storing import ContentStoring
from objproc_api.submission import Submissions


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The api's parts, by role."""

    objects: ObjectsPort
    history: HistoryPort
    store: BytesPort
    lookup: Lookup
    catalogue: Catalogue
    submissions: Submissions
    storing: ContentStoring
    control: Control
    hub: FeedHub
    census: Census
    health: Health
    pressure: Pressure
    status: Status


def parts_of(request: Request) -> Parts:
    """The parts of the application that got the request."""
    return cast(Parts, request.app.state.parts)
