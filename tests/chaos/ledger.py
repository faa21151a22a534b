"""One object's history against I2, I3 and I7, told by its events alone: this does not use the domain's own rules."""

from __future__ import annotations

from chaos.findings import Findings
from objproc.domain.events import (
    ContentStored,
    Event,
    LogRepaired,
    ObjectCancelled,
    ObjectCompleted,
    ObjectDeleted,
    ObjectFailed,
    ObjectRetried,
    ObjectSubmitted,
    OperationCancelled,
    OperationFailed,
    OperationQueued,
    OperationRetryScheduled,
    OperationSkipped,
    OperationSucceeded,
    TaskHandedBack,
    TaskReissued,
    TaskTakenOver,
)
from objproc.wire.envelope import Commit

OUTCOMES = (ObjectCompleted, ObjectFailed, ObjectCancelled)
ATTEMPT_ENDS = (
    OperationSucceeded,
    OperationFailed,
    OperationRetryScheduled,
    TaskTakenOver,
    TaskHandedBack,
    TaskReissued,
)  # an attempt that ended in one of the last four ways may still be followed by its operation's cancellation
OPERATION_ENDS = (OperationSucceeded, OperationFailed, OperationCancelled, OperationSkipped)


class Ledger:
    """What has happened to one object so far."""

    def __init__(self, object_id: str) -> None:
        self.object_id = object_id
        self.version = 0
        self.outcome: str | None = None
        self.names: list[str] = []
        """Event types by version, beginning with version 1."""
        self.types: set[str] = set()
        self._round = 0
        self._parents: dict[str, tuple[str, ...]] = {}
        self._succeeded: set[str] = set()
        self._seen: set[object] = set()
        self._causes: set[str] = set()

    def add(self, commit: Commit, findings: Findings) -> None:
        """Look at the next commit."""
        for event in commit.events:
            self.version += 1
            self.names.append(type(event).__name__)
            if not isinstance(event, ContentStored | LogRepaired):  # these may happen again
                self._see(event, findings)
        cause = commit.origin.cause
        findings.expect("I3", cause not in self._causes, f"{self.object_id}: {cause} took effect twice")
        self._causes.add(cause)

    def _see(self, event: Event, findings: Findings) -> None:
        name, where = type(event).__name__, f"{self.object_id} v{self.version}"
        operation, attempt = getattr(event, "operation", ""), getattr(event, "attempt", 0)
        command_id = getattr(event, "command_id", "")
        self._once("I3", (name, operation, attempt, command_id, self._round), f"{where}: {name} again", findings)
        if isinstance(event, OUTCOMES):
            self.outcome = name
            self._once("I2", ("outcome", self._round), f"{where}: a second outcome, {name}", findings)
        if isinstance(event, ATTEMPT_ENDS) and attempt:
            text = f"{where}: attempt {attempt} of {operation} ended again, {name}"
            self._once("I2", ("attempt", operation, attempt), text, findings)
        if isinstance(event, OPERATION_ENDS):
            text = f"{where}: {operation} ended again, {name}"
            self._once("I2", ("operation", operation, self._round), text, findings)
        self._follow_graph(event, where, findings)

    def _follow_graph(self, event: Event, where: str, findings: Findings) -> None:
        match event:
            case ObjectSubmitted():
                self._parents = {planned.type: planned.requires for planned in event.plan}
            case OperationQueued():
                missing = set(self._parents.get(event.operation, ())) - self._succeeded
                findings.expect("I7", not missing, f"{where}: {event.operation} queued before {sorted(missing)}")
            case OperationSucceeded():
                self._succeeded.add(event.operation)
            case ObjectRetried():
                self._succeeded -= set(event.operations)
                self._round += 1
                self.outcome = None
            case ObjectDeleted():
                self.outcome = type(event).__name__

    def _once(self, invariant: str, key: object, text: str, findings: Findings) -> None:
        marked = (invariant, key)
        findings.expect(invariant, marked not in self._seen, text)
        self._seen.add(marked)
