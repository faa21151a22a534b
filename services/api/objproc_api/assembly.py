"""How the parts fit together, whatever adapters fulfil their ports."""

from __future__ import annotations

from typing import Protocol

from objproc.clock import Clock
from objproc.heartbeat import Census
from objproc.settings import Settings
from objproc.streams.ports import CataloguePort, CommandPort, FeedPort
from objproc_api.commands import Commands
from objproc_api.contents import Contents
from objproc_api.control import Control
from objproc_api.feed import FeedHub
from objproc_api.health import Health
from objproc_api.lookup import Lookup
from objproc_api.parts import Parts
from objproc_api.planning import Catalogue
from objproc_api.ports import (
    BytesPort,
    ContentsPort,
    HistoryPort,
    InspectionPort,
    KeptPort,
    ObjectsPort,
    ReadinessPort,
    StagingPort,
)
from objproc_api.pressure import Pressure
from objproc_api.status import CheckpointsPort, Status
from objproc_api.storing import ContentStoring
from objproc_api.submission import Submissions
from objproc_api.uploads import Uploads


class Streams(CommandPort, FeedPort, CataloguePort, Protocol):
    """Redis, as the api needs it."""


class Inspection(InspectionPort, ReadinessPort, Protocol):
    """Redis, as operators need it."""


class Queries(ObjectsPort, HistoryPort, ContentsPort, KeptPort, ReadinessPort, Protocol):
    """PostgreSQL, as the api needs it."""


class Bucket(BytesPort, StagingPort, Protocol):
    """S3, as the api needs it."""


def assemble(
    settings: Settings,
    clock: Clock,
    census: Census,
    streams: Streams,
    inspection: Inspection,
    queries: Queries,
    checkpoints: CheckpointsPort,
    store: Bucket,
) -> Parts:
    """The parts over these adapters."""
    partitions = settings.partitions
    catalogue = Catalogue(streams, clock)
    lookup = Lookup(queries, queries, streams, partitions, clock)
    pressure = Pressure(inspection, settings)
    commands = Commands(streams, partitions, clock, pressure.admit)
    hub = FeedHub(streams, partitions, clock)
    pings = {"postgresql": queries.ping, "redis": inspection.ping, "s3": lambda: store.size_of("ready")}
    return Parts(
        objects=queries,
        history=queries,
        store=store,
        lookup=lookup,
        catalogue=catalogue,
        submissions=Submissions(
            catalogue=catalogue,
            contents=Contents(store, queries, lookup),
            commands=commands,
            objects=queries,
            history=queries,
            lookup=lookup,
            clock=clock,
        ),
        storing=ContentStoring(
            uploads=Uploads(store, store, settings.content_bytes_max),
            contents=queries,
            lookup=lookup,
            commands=commands,
            hub=hub,
            clock=clock,
        ),
        control=Control(lookup=lookup, history=queries, commands=commands, hub=hub, clock=clock),
        hub=hub,
        census=census,
        health=Health(pings, census, catalogue, inspection),
        pressure=pressure,
        status=Status(
            census=census, catalogue=catalogue, inspection=inspection, checkpoints=checkpoints, partitions=partitions
        ),
    )
