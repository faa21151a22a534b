"""The api as a process: it makes commands durable and tells their outcome, and serves streams with the real code."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from objproc.domain.commands import CancelObject, Command, DeleteObject, ProcessObject, RetryObject, StoreContent
from objproc.domain.ids import content_id, partition_of
from objproc.domain.processing_object import ProcessingObject
from objproc.domain.state_machine import ProcessState
from objproc.errors import TransientError
from objproc.streams.ports import Append, AppendMode
from objproc.wire.codec import decode_command, decode_commit, encode_message
from objproc.wire.envelope import Origin
from objproc_api.feed import FeedHub
from objproc_api.object_stream import ObjectStream
from simulation.invariants import SequenceLaws
from simulation.plans import TENANT, Order, content_number, new_id, not_before_of
from simulation.process import Line, Process
from simulation.timeline import NOON, park, pause

if TYPE_CHECKING:
    from simulation.world import World

TRIES_MAX = 12


@dataclass(slots=True)
class Watch:
    """A client that follows an object, over whatever connections."""

    object_id: str
    operations: int
    laws: SequenceLaws = field(init=False)
    is_over: bool = False

    def __post_init__(self) -> None:
        self.laws = SequenceLaws(self.object_id)


class SimulatedApi:
    """One replica."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.process = process = world.process("api")
        self._streams: Any = Line(process, world.streams)
        self._rows: Any = Line(process, world.projection)
        self._hub = FeedHub(self._streams, world.partitions, process.clock)
        self.orders: list[Order] = []
        self.watches: list[Watch] = []
        process.works_as(self)
        process.start(process.run(self._read_feed))
        process.start(self._end())

    async def _end(self) -> None:
        while not self.process.is_stopping:
            await pause(1.0)
        self.process.die()

    async def _read_feed(self) -> None:
        await self._hub.step()
        self.world.timeline.tell(f"fed {self.process.name}", 0.0)

    # ---- commands ----

    def take(self, order: Order) -> None:
        """A user's request comes in."""
        self.orders.append(order)
        self.process.start(self._serve(order))

    async def _serve(self, order: Order) -> None:
        try:
            if order.kind == "submit":
                await self._submit(order)
            elif order.kind == "store":
                await self._store(order)
            else:
                await self._control(order)
        except TransientError:
            self.world.ask_again(order)
        self.orders.remove(order)

    async def _send(self, command: Command, command_id: str, mode: AppendMode) -> bytes | None:
        origin = Origin(cause=command_id, correlation_id=command.object_id, actor="client")
        body = encode_message(command, origin, self.process.clock.now())
        partition = partition_of(command.object_id, self.world.partitions)
        answers = await self._streams.append({partition: [Append(mode, command.object_id, command_id, body)]})
        earlier: bytes | None = answers[partition][0].earlier
        return earlier

    async def _submit(self, order: Order) -> None:
        """As objproc_api.submission: made durable first, then compared with what an earlier request made."""
        subject, command_id = order.subject, new_id(self.world.chance)
        object_id = subject.object_id if subject.key else command_id
        not_before = not_before_of(subject)
        command = ProcessObject(
            object_id=object_id,
            tenant=TENANT,
            identifier=subject.identifier,
            plan=subject.plan,
            content=content_number(0),
            fingerprint=order.fingerprint,
            correlation_id=object_id,
            tags=("simulated",),
            not_before=NOON + not_before if not_before else None,
        )
        since_s = self.world.timeline.now_s
        earlier = await self._send(command, command_id, AppendMode.NEW)
        fingerprint = await self._first_fingerprint(command, command_id, earlier) if subject.key else None
        self.world.judge.accepted(command, command_id, since_s, fingerprint or order.fingerprint)
        is_first = not any(watch.object_id == object_id for watch in self.world.watches)
        subject.object_id = object_id
        if subject.is_watched and is_first:
            self.world.watch(Watch(object_id, len(subject.plan)))

    async def _first_fingerprint(self, command: ProcessObject, command_id: str, earlier: bytes | None) -> str | None:
        projected = (await self._rows.load([command.object_id])).get(command.object_id)
        if isinstance(projected, ProcessingObject):
            (first,) = await self._rows.commits(command.object_id, 0, 1)
            return None if decode_commit(first).origin.cause == command_id else projected.fingerprint
        if earlier is None:
            return None
        pending, _ = decode_command(earlier[len(command_id) :])
        assert isinstance(pending, ProcessObject)
        return pending.fingerprint

    async def _control(self, order: Order) -> None:
        """As objproc_api.control: only for an object that is there; mostly only where it fits."""
        object_id = order.subject.object_id
        if not object_id:
            return
        current = (await self._rows.load([object_id])).get(object_id)
        if current is None:
            partition = partition_of(object_id, self.world.partitions)
            if (await self._streams.pending(partition, [object_id])) == [None]:
                return
        fits = fits_state(order.kind, getattr(current, "state", ProcessState.PENDING))
        if not fits and self.world.chance.random() < 0.7:
            return
        command_id = new_id(self.world.chance)
        content = content_number(self.world.chance.randrange(3)) if self.world.chance.random() < 0.3 else None
        command: CancelObject | RetryObject | DeleteObject
        match order.kind:
            case "cancel":
                command = CancelObject(object_id=object_id, command_id=command_id)
            case "retry":
                command = RetryObject(object_id=object_id, command_id=command_id, content=content)
            case _:
                is_forced = order.kind == "force"
                command = DeleteObject(object_id=object_id, command_id=command_id, is_forced=is_forced)
        since_s = self.world.timeline.now_s
        await self._send(command, command_id, AppendMode.PLAIN)
        self.world.judge.acknowledged(command, command_id, since_s)

    async def _store(self, order: Order) -> None:
        identifier, command_id = order.subject.identifier, new_id(self.world.chance)
        content = content_number(self.world.chance.randrange(2))
        command = StoreContent(
            object_id=content_id(TENANT, identifier), tenant=TENANT, identifier=identifier, content=content
        )
        since_s = self.world.timeline.now_s
        await self._send(command, command_id, AppendMode.REPLACE)
        self.world.judge.acknowledged(command, command_id, since_s)

    # ---- streams ----

    def follow(self, watch: Watch) -> None:
        """A client connects, with its Last-Event-ID."""
        self.watches.append(watch)
        self.process.start(self._serve_stream(watch))

    async def _serve_stream(self, watch: Watch) -> None:
        with self._hub.subscribe(watch.object_id, is_behind=True) as subscription:
            stream = ObjectStream(self._rows, watch.object_id, watch.operations, watch.laws.version)
            while not watch.is_over:
                try:
                    if subscription.is_behind:
                        subscription.catch_up()
                        self._told(watch, await stream._from_history())
                    elif subscription._items:
                        self._told(watch, stream._from_feed(subscription._items.popleft(), subscription))
                    else:
                        await park((f"fed {self.process.name}",), 2.0)
                except TransientError:
                    subscription.fall_behind()
                    await pause(0.5)
                if not subscription.is_behind and stream.is_over:
                    watch.is_over = True
                elif self.world.faults.is_on and self.world.chance.random() < 0.1:
                    break
        self.watches.remove(watch)
        if not watch.is_over:
            self.world.watch(watch)

    def _told(self, watch: Watch, frames: list[bytes]) -> None:
        row = self.world.projection.objects.get(watch.object_id)
        for frame in frames:
            if frame.startswith(b"id: "):
                watch.laws.add(int(frame[4 : frame.index(b"\n")]), row.version if row else 0)


def fits_state(kind: str, state: ProcessState) -> bool:
    """Would the api let the command pass?"""
    is_active = state in {ProcessState.PENDING, ProcessState.QUEUED, ProcessState.PROCESSING}
    match kind:
        case "cancel":
            return is_active
        case "retry":
            return state is ProcessState.FAILED
        case "delete":
            return not is_active and state is not ProcessState.DELETED
        case _:
            return state is not ProcessState.DELETED


def again(order: Order, at_s: float) -> Order | None:
    """The order once more, unless its user has lost patience."""
    return replace(order, at_s=at_s, tries=order.tries + 1) if order.tries < TRIES_MAX else None


def start_api(world: World) -> Process:
    """An api replica begins."""
    return SimulatedApi(world).process
