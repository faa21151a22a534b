"""The scheduler's loop: read inputs, load what they concern, decide, commit."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from objproc.clock import Clock
from objproc.domain.commands import Input, ProcessObject, StoreContent, TaskStopped
from objproc.domain.ids import partition_record_id
from objproc.errors import LogBrokenError, TransientError
from objproc.leases import Leases
from objproc.store.projection import ProjectionPort
from objproc.streams.ports import Inputs, SchedulerPort
from objproc.telemetry import Log
from objproc.wire.codec import decode_command, decode_report, encode_message
from objproc.wire.envelope import Origin, WireError
from objproc_scheduler.loading import Loader
from objproc_scheduler.partition import Partition, Pass
from objproc_scheduler.reissue import own_origin, reissue
from objproc_scheduler.watch import Watch

log = Log("scheduler")

Arrival = tuple[Input, Origin]

READ_COUNT = 500  # entries of one stream and pass: bounds a script call, and what a crash repeats
WAIT_MS_MAX = 1000


class Scheduler:
    """Decides for the partitions it holds."""

    def __init__(
        self,
        streams: SchedulerPort,
        loader: Loader,
        projection: ProjectionPort,
        leases: Leases,
        watch: Watch,
        clock: Clock,
        heartbeat_ms: int,
    ) -> None:
        self._streams = streams
        self._loader = loader
        self._projection = projection
        self._leases = leases
        self._watch = watch
        self._clock = clock
        self._heartbeat_s = heartbeat_ms / 1000
        self._round_at = clock.monotonic()
        self.partitions: dict[int, Partition] = {}
        self.broken: dict[int, str] = {}
        """Partitions that stand still, and why."""
        self.commits_count = 0

    async def step(self) -> None:
        """One bounded pass: every now and then the rounds, always the inputs."""
        if self._clock.monotonic() >= self._round_at:
            await self._go_round()
            self._round_at = self._clock.monotonic() + self._heartbeat_s
        heads = {number: partition.head for number, partition in self.partitions.items()}
        inputs = await self._streams.read(heads, READ_COUNT, self._wait_ms())
        arrivals = {number: arrivals_of(found) for number, found in inputs.items()}
        await self._load_cold(arrivals)
        now = self._clock.now()
        passes = [
            self._decide(partition, inputs.get(number, Inputs()), arrivals.get(number, []), now)
            for number, partition in self.partitions.items()
        ]
        await self._commit([each for each in passes if not each.is_empty])

    def facts(self) -> dict[str, Any]:
        """What the scheduler says of itself in its signs of life."""
        return {
            "partitions": sorted(self.partitions),
            "broken": self.broken,
            "live": sum(len(partition.live) for partition in self.partitions.values()),
            "commits": self.commits_count,
        }

    async def release(self) -> None:
        """Hand the partitions to the others."""
        await self._leases.release()

    async def _go_round(self) -> None:
        """Leases, partitions that came or went back, workers that were lost, tasks that shall stop."""
        await self._leases.step()
        # not what this step says went: a step that failed half-way has said nothing
        for number in (self.partitions.keys() | self.broken.keys()) - self._leases.held:
            self.partitions.pop(number, None)
            self.broken.pop(number, None)
        await self._drop_forks()
        for number in sorted(self._leases.held - self.partitions.keys()):
            await self._take_up(number)
        found = {n: await self._watch.lost_tasks(n, partition) for n, partition in self.partitions.items()}
        passes = []
        for number, lost in found.items():
            losses = Pass(self.partitions[number], self._clock.now())
            for loss, origin in lost.losses:
                losses.take(loss, origin)
            losses.batch.drops += lost.drops
            passes.append(losses)
        # an empty batch, too: its checks tell that Redis went back, and its answer how far the projection is
        await self._commit(passes)
        for partition in self.partitions.values():
            await self._withdraw(partition, partition.cancelling)

    async def _drop_forks(self) -> None:
        """Load anew what is projected further, or otherwise, than this scheduler's log knows."""
        for number, checkpoint in (await self._projection.checkpoints(sorted(self.partitions))).items():
            if self.partitions[number].is_ahead_of(checkpoint.seq, checkpoint.hash):
                continue
            log.error("partition_forked", partition=number, seq=checkpoint.seq)
            del self.partitions[number]

    async def _take_up(self, number: int) -> None:
        try:
            loaded = await self._loader.load(number)
        except LogBrokenError as error:
            if number not in self.broken:
                log.error("partition_stands_still", partition=number, reason=str(error))
            self.broken[number] = str(error)
            return
        self.broken.pop(number, None)
        partition = loaded.partition
        if partition.head.is_reissue_due:
            # before anything may be committed for the partition: its first commit ends the repair
            partition.adopt(await self._projection.load([partition_record_id(number)]))
        self.partitions[number] = partition
        log.info("partition_taken_up", partition=number, seq=partition.head.seq, live=len(partition.live))
        if partition.head.is_reissue_due:
            await self._commit([reissue(partition, loaded.repaired, self._clock.now())])

    def _wait_ms(self) -> int:
        """Until something is due, but not past the next round."""
        wait_s = min(WAIT_MS_MAX / 1000, self._round_at - self._clock.monotonic())
        wakes = [at for partition in self.partitions.values() if (at := partition.next_wake()) is not None]
        if wakes:
            wait_s = min(wait_s, (min(wakes) - self._clock.now()) / timedelta(seconds=1))
        return max(1, int(wait_s * 1000))

    async def _load_cold(self, arrivals: dict[int, list[Arrival]]) -> None:
        """Look up what the inputs concern and memory does not hold: one query for all partitions."""
        cold = {
            number: self.partitions[number].unknown(message.object_id for message, _ in found)
            for number, found in arrivals.items()
        }
        wanted = sorted(set().union(*cold.values()))
        if not wanted:
            return
        known = await self._projection.load(wanted)
        for number, object_ids in cold.items():
            self.partitions[number].adopt({o: known[o] for o in object_ids if o in known})

    def _decide(self, partition: Partition, inputs: Inputs, arrivals: list[Arrival], now: datetime) -> Pass:
        """All inputs of one partition into one batch. Nothing is awaited: decisions are in memory before they stand."""
        each = Pass(partition, now)
        for message, origin in arrivals:
            if not each.take(message, origin) and isinstance(message, ProcessObject | StoreContent):
                each.batch.settled.append((message.object_id, origin.cause))
        for woken in list(partition.due(now)):
            each.take(woken, own_origin(partition, woken))
        if inputs.commands:
            each.batch.commands_cursor = inputs.commands[-1].entry_id
        if inputs.results:
            each.batch.results_cursor = inputs.results[-1].entry_id
        return each

    async def _commit(self, passes: list[Pass]) -> None:
        """All partitions in one round trip. Whatever is not known to stand is loaded anew."""
        if not passes:
            return
        try:
            heads = await self._streams.commit([each.batch for each in passes])
        except TransientError:
            for each in passes:
                self.partitions.pop(each.batch.partition, None)
            self._round_at = self._clock.monotonic()
            raise
        for each in passes:
            number, head = each.batch.partition, heads[each.batch.partition]
            if head is None:
                log.warning("commit_refused", partition=number, seq=each.batch.head.seq)
                self.partitions.pop(number, None)
                self._round_at = self._clock.monotonic()
                continue
            self.commits_count += len(each.batch.bodies)
            self.partitions[number].committed(head)
        # only now, when every partition knows its head: a call that fails here leaves no decision without one
        for each in passes:
            if (partition := self.partitions.get(each.batch.partition)) is not None:
                await self._withdraw(partition, each.cancelled)

    async def _withdraw(self, partition: Partition, object_ids: set[str]) -> None:
        """Take back the tasks of objects that are being cancelled; again at each round, until they have stopped."""
        entries = list(partition.cancelling_tasks(object_ids))
        if not entries:
            return
        now = self._clock.now()
        tasks = []
        for entry in entries:
            stopped = TaskStopped(object_id=entry.object_id, operation=entry.operation, attempt=entry.attempt)
            origin = own_origin(partition, stopped)
            tasks.append((entry.pool, entry.entry_id, encode_message(stopped, origin, now)))
        await self._streams.withdraw(partition.number, tasks)


def arrivals_of(inputs: Inputs) -> list[Arrival]:
    """The inputs of a partition, decoded, in order; an entry that is none of ours is told and passed over."""
    arrivals: list[Arrival] = []
    for entry in inputs.commands:
        try:
            arrivals.append(decode_command(entry.body))
        except WireError as error:
            log.error("command_unreadable", partition=entry.partition, entry=entry.entry_id, reason=str(error))
    for entry in inputs.results:
        try:
            message, origin = decode_report(entry.body)
        except WireError as error:
            log.error("result_unreadable", partition=entry.partition, entry=entry.entry_id, reason=str(error))
            continue
        cause = f"result:{entry.partition}:{entry.entry_id}"
        arrivals.append((message, msgspec.structs.replace(origin, cause=cause)))
    return arrivals
