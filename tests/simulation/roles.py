"""The real scheduler and projector as processes of the simulation: wired as their composition roots wire them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from objproc.heartbeat import Census, Pulse
from objproc.leases import Leases
from objproc_projector.projector import Projector
from objproc_scheduler.loading import Loader
from objproc_scheduler.scheduler import Scheduler
from objproc_scheduler.watch import Watch
from simulation.process import Line, Process
from simulation.timeline import pause

if TYPE_CHECKING:
    from simulation.world import World

HEARTBEAT_MS = 1000
LEASE_MS = 3000

Step = Callable[[], Awaitable[object]]


async def beat(process: Process, *steps: Step) -> None:
    """Signs of life, and the look at those of others."""
    while True:
        for step in steps:
            await process.at_leisure(step)
        await pause(HEARTBEAT_MS / 1000)


async def live(process: Process, role: Any, pulse: Pulse, census: Census) -> None:
    """From start to SIGTERM, as the composition roots do it."""
    pulse.facts = role.facts
    await process.until_ready(pulse.step)
    await process.until_ready(census.step)
    process.start(beat(process, pulse.step, census.step))
    await process.run(role.step)
    await process.at_leisure(role.release)
    await process.at_leisure(pulse.stop)
    process.die()


def leases_of(process: Process, world: World, streams: Any, census: Census) -> Leases:
    """The leases of an instance."""
    return Leases(
        streams, census, role=process.role, instance=process.name, partitions=world.partitions, lease_ms=LEASE_MS
    )


def start_scheduler(world: World) -> Process:
    """A scheduler begins."""
    process = world.process("scheduler")
    streams: Any = Line(process, world.streams)
    projection: Any = Line(process, world.projection)
    census = Census(streams, process.clock, HEARTBEAT_MS)
    pulse = Pulse(streams, "scheduler", process.name, process.clock)
    leases = leases_of(process, world, streams, census)
    watch = Watch(streams, census)
    loader = Loader(streams, streams, streams, projection, projection, process.clock)
    scheduler = Scheduler(streams, loader, projection, leases, watch, process.clock, HEARTBEAT_MS)
    process.start(live(process, scheduler, pulse, census))
    process.works_as(scheduler)
    return process


def start_projector(world: World) -> Process:
    """A projector begins."""
    process = world.process("projector")
    streams: Any = Line(process, world.streams)
    rows: Any = Line(process, world.projection)
    census = Census(streams, process.clock, HEARTBEAT_MS)
    pulse = Pulse(streams, "projector", process.name, process.clock)
    leases = leases_of(process, world, streams, census)
    projector = Projector(streams, rows, rows, rows, leases, process.clock, HEARTBEAT_MS)
    process.start(live(process, projector, pulse, census))
    process.works_as(projector)
    return process
