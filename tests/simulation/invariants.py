"""The laws of a log, commit by commit: pure, from bytes, and independent of the code that wrote them.

The simulation holds them at every commit; the checker of real campaigns holds them over the archive.
"""

from __future__ import annotations

from objproc.domain import events as facts
from objproc.domain.events import Event
from objproc.wire.codec import decode_commit
from objproc.wire.envelope import GENESIS, Commit

POISON = "poison"


class ViolatedError(AssertionError):
    """An invariant does not hold; the text names it."""

    def __init__(self, law: str, what: str) -> None:
        super().__init__(f"{law}: {what}")
        self.law = law


class ObjectLaws:
    """What may follow what in the life of one object. `entries_last` is False where Redis lost entries."""

    def __init__(self, object_id: str, *, entries_last: bool = True) -> None:
        self.object_id = object_id
        self._entries_last = entries_last
        self.version = 0
        self.is_over = False
        self.is_failed = False
        self._requires: dict[str, tuple[str, ...]] = {}
        self._attempts: dict[str, int] = {}
        self._succeeded: set[str] = set()
        self._started: set[tuple[str, int]] = set()
        self._answered: set[tuple[str, int]] = set()
        self._void: set[tuple[str, int]] = set()
        self._stale: set[tuple[str, int]] = set()
        self.causes: set[str] = set()

    def add(self, commit: Commit) -> None:
        """Hold the laws over the next commit of the object. ViolatedError for the first one broken."""
        if commit.version_from != self.version + 1:
            self._break("I4", f"version {commit.version_from} follows {self.version}")
        if commit.version_to != self.version + len(commit.events) or not commit.events:
            self._break("I4", f"{len(commit.events)} events do not lead from {self.version} to {commit.version_to}")
        if commit.origin.cause in self.causes and self._names_once(commit):
            self._break("I2", f"{commit.origin.cause} had an outcome before")
        self.causes.add(commit.origin.cause)
        for event in commit.events:
            self._follow(event)
        self.version = commit.version_to

    def _names_once(self, commit: Commit) -> bool:
        """Entries that Redis lost leave their names to others; contents are stored again where a cursor went back."""
        is_stored = isinstance(commit.events[0], facts.ContentStored)
        return self._entries_last or not (is_stored or commit.origin.cause.startswith(("result:", "lost:")))

    def _follow(self, event: Event) -> None:
        match event:
            case facts.ContentStored() | facts.StaleResultRejected() | facts.CommandRejected():
                self._beside(event)
                return
            case facts.ObjectSubmitted():
                if self.version:
                    self._break("I3", "submitted twice")
                self._requires = {planned.type: planned.requires for planned in event.plan}
                self._attempts = dict.fromkeys(self._requires, 0)
                return
            case facts.ObjectRetried():
                if not self.is_failed:
                    self._break("I2", "retried, but it had not failed")
                self.is_over = self.is_failed = False
                self._succeeded -= set(event.operations)
                return
            case facts.ObjectDeleted():
                if not self.is_over:
                    self._break("I2", "deleted while active")
                self.is_failed = False
                return
        if type(event).__name__ == "LogRepaired":
            return
        if self.is_over:
            self._break("I2", f"{type(event).__name__} after the end")
        if hasattr(event, "operation"):
            self._of_operation(event)
        else:
            self._of_object(event)

    def _beside(self, event: Event) -> None:
        """Facts that change nothing, and may come at any time."""
        if isinstance(event, facts.StaleResultRejected):
            key = (event.operation, event.attempt)
            if event.attempt >= self._attempts[event.operation]:
                self._break("I2", f"{key} was rejected as stale, but is current")
            if key in self._stale:
                self._break("I3", f"{key} was rejected twice")
            self._stale.add(key)

    def _of_object(self, event: Event) -> None:
        match event:
            case facts.ObjectCompleted():
                if missing := self._requires.keys() - self._succeeded:
                    self._break("I2", f"completed without {sorted(missing)}")
                self.is_over = True
            case facts.ObjectFailed():
                self.is_over = self.is_failed = True
            case facts.ObjectCancelled():
                self.is_over = True

    def _of_operation(self, event: Event) -> None:
        operation: str = event.operation  # type: ignore[union-attr]
        current = self._attempts[operation]
        if isinstance(event, facts.OperationQueued):
            self._queued(operation, event.attempt, current)
            return
        if isinstance(event, facts.OperationSkipped):
            if event.cause in self._succeeded:
                self._break("I7", f"{operation} was skipped because of {event.cause}, which succeeded")
            return
        attempt: int = event.attempt  # type: ignore[union-attr]
        key = (operation, attempt)
        if attempt != current:
            self._break("I2", f"{type(event).__name__} of {key}, but attempt {current} is the current one")
        match event:
            case facts.OperationStarted():
                if key in self._started:
                    self._break("I3", f"{key} was started twice")
                self._started.add(key)
            case facts.OperationSucceeded():
                self._answer(key)
                if operation in self._succeeded:
                    self._break("I2", f"{operation} succeeded twice")
                self._succeeded.add(operation)
            case facts.OperationRetryScheduled():
                self._answer(key)
            case facts.OperationFailed():
                self._answer(key, may_be_void=event.failure.code == POISON)
            case facts.OperationCancelled():
                return
            case _:  # taken over, handed back, reissued
                if key in self._answered or key in self._void:
                    self._break("I2", f"{type(event).__name__} of {key}, which had ended")
                self._void.add(key)

    def _queued(self, operation: str, attempt: int, current: int) -> None:
        if attempt != current + 1:
            self._break("I2", f"attempt {attempt} of {operation} follows attempt {current}")
        if missing := set(self._requires[operation]) - self._succeeded:
            self._break("I7", f"{operation} was queued before {sorted(missing)} succeeded")
        if operation in self._succeeded:
            self._break("I2", f"{operation} was queued after it succeeded")
        self._attempts[operation] = attempt

    def _answer(self, key: tuple[str, int], *, may_be_void: bool = False) -> None:
        if key in self._answered or (key in self._void and not may_be_void):
            self._break("I2", f"{key} was answered twice")
        self._answered.add(key)

    def _break(self, law: str, what: str) -> None:
        raise ViolatedError(law, f"object {self.object_id}: {what}")


class LogLaws:
    """A partition's log from its beginning: gapless, chained from bytes, and lawful for each object."""

    def __init__(self, partition: int, *, entries_last: bool = True) -> None:
        self._entries_last = entries_last
        self.partition = partition
        self.seq = 0
        self.hash = GENESIS
        self.objects: dict[str, ObjectLaws] = {}

    def add(self, body: bytes) -> Commit:
        """Hold the laws over the next entry's bytes."""
        commit = decode_commit(body)
        if (commit.partition, commit.seq) != (self.partition, self.seq + 1):
            raise ViolatedError("I4", f"commit {commit.partition}:{commit.seq} follows {self.partition}:{self.seq}")
        if commit.prev != self.hash:
            raise ViolatedError("I4", f"commit {self.partition}:{commit.seq} does not name the hash of the one before")
        self.seq, self.hash = commit.seq, commit.hash
        if commit.object_id not in self.objects:
            self.objects[commit.object_id] = ObjectLaws(commit.object_id, entries_last=self._entries_last)
        self.objects[commit.object_id].add(commit)
        return commit


class SequenceLaws:
    """What one SSE client was told of one object: I8."""

    def __init__(self, object_id: str) -> None:
        self.object_id = object_id
        self.version = 0

    def add(self, version: int, shown: int) -> None:
        """The client is told `version` while a GET shows version `shown`."""
        if version != self.version + 1:
            raise ViolatedError("I8", f"a client of {self.object_id} is told {version} after {self.version}")
        if version > shown:
            raise ViolatedError("I8", f"a client of {self.object_id} is told {version}, a GET shows {shown}")
        self.version = version
