"""The projector's loop: read the log, fold, write rows and checkpoint in one transaction, then feed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from objproc.clock import Clock
from objproc.domain.processing_object import Aggregate, ProcessingObject
from objproc.domain.state_machine import OPERATION_WITH_WORKER, TransitionCallbacks
from objproc.errors import LogBrokenError, TransientError
from objproc.feed import FeedCommit, RunningProgress, decode_feed, encode_feed, fold_for_feed
from objproc.leases import Leases
from objproc.store.projection import ArchivePort, Checkpoint, ProjectionPort, RunningPort
from objproc.streams.ports import START, Entry, FeedItem, LogPort
from objproc.telemetry import Log
from objproc.wire.codec import decode_commit
from objproc.wire.envelope import Commit
from objproc_projector.folding import Fold, read_chain

log = Log("projector")

READ_COUNT = 1000  # commits of one partition and pass: bounds a transaction
WAIT_MS_MAX = 1000


class Projector:
    """Projects the partitions it holds. Two on one partition are safe: the checkpoint's condition lets one win."""

    def __init__(
        self,
        streams: LogPort,
        projection: ProjectionPort,
        archive: ArchivePort,
        running: RunningPort,
        leases: Leases,
        clock: Clock,
        heartbeat_ms: int,
    ) -> None:
        self._streams = streams
        self._projection = projection
        self._archive = archive
        self._running = running
        self._leases = leases
        self._clock = clock
        self._heartbeat_s = heartbeat_ms / 1000
        self._round_at = clock.monotonic()
        self._checkpoints: dict[int, Checkpoint] = {}
        self._progress: dict[int, str] = {}
        self._known: dict[str, Aggregate] = {}
        self.broken: dict[int, str] = {}
        """Partitions that stand still, and why."""
        self._broken_at: dict[int, Checkpoint] = {}
        self.commits_count = 0
        self.callbacks = TransitionCallbacks()

    async def step(self) -> None:
        """One bounded pass."""
        try:
            await self._pass()
        except TransientError:
            # what was written may stand or not, and what was fed may be gone: every partition is taken up anew
            self._checkpoints.clear()
            self._round_at = self._clock.monotonic()
            raise

    async def _pass(self) -> None:
        if self._clock.monotonic() >= self._round_at:
            await self._go_round()
            self._round_at = self._clock.monotonic() + self._heartbeat_s
        positions = {partition: checkpoint.seq for partition, checkpoint in self._checkpoints.items()}
        progress = {partition: self._progress.get(partition, START) for partition in positions}
        wait_ms = max(1, min(WAIT_MS_MAX, int((self._round_at - self._clock.monotonic()) * 1000)))
        entries, told = await self._streams.read_projection(positions, progress, READ_COUNT, wait_ms)
        if entries:
            await self._project(entries)
        if told:
            await self._tell_progress(told)

    def facts(self) -> dict[str, Any]:
        """What the projector says of itself in its signs of life."""
        return {
            "partitions": {str(p): checkpoint.seq for p, checkpoint in sorted(self._checkpoints.items())},
            "broken": self.broken,
            "known": len(self._known),
            "commits": self.commits_count,
        }

    async def release(self) -> None:
        """Hand the partitions to the others."""
        await self._leases.release()

    async def _go_round(self) -> None:
        await self._leases.step()
        # not what this step says went: a step that failed half-way has said nothing
        for partition in (self._checkpoints.keys() | self.broken.keys()) - self._leases.held:
            self._checkpoints.pop(partition, None)
            self.broken.pop(partition, None)
        missing = sorted(self._leases.held - self._checkpoints.keys())
        if not missing:
            return
        # what another projector folded meanwhile is not known here
        self._known.clear()
        checkpoints = await self._projection.checkpoints(missing)
        for partition in missing:
            await self._complete_feed(partition, checkpoints[partition].seq)
            self._checkpoints[partition] = checkpoints[partition]
            if self._broken_at.get(partition) != checkpoints[partition]:
                # it only seemed broken to one whose checkpoint was out of date
                self.broken.pop(partition, None)
            if partition not in self.broken:
                log.info("partition_taken_up", partition=partition, seq=checkpoints[partition].seq)

    async def _project(self, entries: dict[int, list[Entry]]) -> None:
        """Verify, fold, write, feed: in this order."""
        commits = {p: chain for p, found in entries.items() if (chain := self._verified(p, found))}
        await self._load_cold(commits)
        fold = Fold(self._known)
        moves: dict[int, tuple[Checkpoint, Checkpoint]] = {}
        for partition, chain in commits.items():
            for commit in chain:
                try:
                    fold.add(commit)
                except LogBrokenError as error:
                    self._stand_still(partition, error)
                    break
                moves[partition] = (self._checkpoints[partition], Checkpoint(commit.seq, commit.hash))
        if not moves:
            return
        projection = fold.projection()
        projection.moves = moves
        await self._projection.write(projection)
        self._remember(fold)
        for partition, (_, after) in moves.items():
            if partition in self._checkpoints:
                self._checkpoints[partition] = after
                self.broken.pop(partition, None)
        self.commits_count += len(fold.commits)
        for partition in moves:
            await self._feed(partition, fold.feed[partition], fold.settled.get(partition, []))

    def _verified(self, partition: int, entries: Sequence[Entry]) -> list[Commit]:
        try:
            return read_chain(partition, self._checkpoints[partition], entries)
        except LogBrokenError as error:
            self._stand_still(partition, error)
            return []

    def _stand_still(self, partition: int, error: LogBrokenError) -> None:
        """Nothing is skipped: the partition waits, loudly, until its log can be read."""
        if self.broken.get(partition) != str(error):
            log.error("partition_stands_still", partition=partition, seq=error.seq, reason=str(error))
        self.broken[partition] = str(error)
        self._broken_at[partition] = self._checkpoints.pop(partition)

    async def _load_cold(self, commits: dict[int, list[Commit]]) -> None:
        cold = {
            commit.object_id
            for chain in commits.values()
            for commit in chain
            if commit.version_from > 1 and commit.object_id not in self._known
        }
        if cold:
            self._known.update(await self._projection.load(sorted(cold)))

    def _remember(self, fold: Fold) -> None:
        """Keep what lives; what is finished is read again if it ever moves."""
        for object_id, after in fold.after().items():
            before = self._known.pop(object_id, None)
            if isinstance(after, ProcessingObject):
                if not after.is_terminal:
                    self._known[object_id] = after
                if isinstance(before, ProcessingObject):
                    self.callbacks.notify(object_id, before.state, after.state)

    async def _feed(self, partition: int, told: list[FeedCommit], settled: list[tuple[str, str]]) -> None:
        items = [FeedItem(commit.seq, encode_feed(commit)) for commit in told]
        fed = await self._streams.publish(partition, items, settled)
        if fed < items[0].seq - 1:
            await self._complete_feed(partition, items[-1].seq)

    async def _complete_feed(self, partition: int, until: int) -> None:
        """Feed what is projected but was never fed, because a projector died in between."""
        fed = await self._streams.publish(partition, [], [])
        while fed < until:
            missing = [decode_commit(body) for body in await self._archive.archived(partition, fed, READ_COUNT)]
            missing = [commit for commit in missing if commit.seq <= until]
            histories = await self._archive.histories({commit.object_id for commit in missing})
            items, settled = [], []
            for commit in missing:
                before: Aggregate | None = None
                for earlier in histories[commit.object_id]:
                    before, told = fold_for_feed(before, earlier)
                    if earlier.seq == commit.seq:
                        items.append(FeedItem(commit.seq, encode_feed(told)))
                        break
                settled.append((commit.object_id, commit.origin.cause))
            fed = await self._streams.publish(partition, items, settled)
            log.info("feed_completed", partition=partition, seq=fed)

    async def _tell_progress(self, entries: dict[int, list[Entry]]) -> None:
        """Progress of operations that run at this moment; anything else is out of date."""
        rows: dict[tuple[str, str], tuple[int, float]] = {}
        bodies: dict[int, list[bytes]] = {}
        for partition, found in entries.items():
            self._progress[partition] = found[-1].entry_id
            newest = {(p.object_id, p.operation): p for entry in found if (p := self._current(entry))}
            for key, progress in newest.items():
                rows[key] = (progress.attempt, progress.percent)
                bodies.setdefault(partition, []).append(encode_feed(progress))
        if rows:
            await self._running.write_running(rows)
            await self._streams.publish_progress(bodies)

    def _current(self, entry: Entry) -> RunningProgress | None:
        progress = decode_feed(entry.body)
        if not isinstance(progress, RunningProgress):
            return None
        current = self._known.get(progress.object_id)
        if not isinstance(current, ProcessingObject):
            return None
        run = current.runs.get(progress.operation)
        if run is None or run.state not in OPERATION_WITH_WORKER or run.attempt != progress.attempt:
            return None
        return progress
