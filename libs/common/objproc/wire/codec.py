"""Bytes to domain and back. Commits decode to exactly what was decided, whatever version wrote them."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, get_args

import msgspec

from objproc.domain.commands import Command, Report
from objproc.domain.events import Event
from objproc.domain.partition_record import PartitionRecord
from objproc.domain.processing_object import Aggregate, ProcessingObject, StoredContent
from objproc.domain.tasks import Task
from objproc.wire.envelope import UNREADABLE, Commit, CommitEnvelope, EventEnvelope, Message, Origin, WireError
from objproc.wire.upcasts import VERSIONS, lift

COMMIT_VERSION = 1

EVENT_TYPES: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Event)}
COMMAND_TYPES: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Command)}
REPORT_TYPES: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Report)}

_encoder = msgspec.json.Encoder()
_message_decoder = msgspec.json.Decoder(Message)
_commit_decoder = msgspec.json.Decoder(CommitEnvelope)
_task_decoder = msgspec.json.Decoder(Task)
_object_decoder = msgspec.json.Decoder(ProcessingObject)
_content_decoder = msgspec.json.Decoder(StoredContent)
_record_decoder = msgspec.json.Decoder(PartitionRecord)
# events apart from messages: a report and the event it becomes may share a name
_event_decoders = {name: msgspec.json.Decoder(kind) for name, kind in EVENT_TYPES.items()}
_data_decoders = {name: msgspec.json.Decoder(kind) for name, kind in {**COMMAND_TYPES, **REPORT_TYPES}.items()}


def encode_message(message: Command | Report | Task, origin: Origin, at: datetime) -> bytes:
    """A command, report or task in its envelope."""
    data = msgspec.Raw(_encoder.encode(message))
    return _encoder.encode(Message(type=type(message).__name__, origin=origin, at=at, data=data))


def decode_command(body: bytes) -> tuple[Command, Origin]:
    """A command and its origin. WireError for anything else."""
    envelope = _decode_message(body, COMMAND_TYPES)
    return _decode_data(envelope), envelope.origin


def decode_report(body: bytes) -> tuple[Report, Origin]:
    """A worker's report and its origin. WireError for anything else."""
    envelope = _decode_message(body, REPORT_TYPES)
    return _decode_data(envelope), envelope.origin


def decode_task(body: bytes) -> tuple[Task, Origin]:
    """A task and its origin. WireError for anything else."""
    envelope = _decode_message(body, {"Task": Task})
    try:
        return _task_decoder.decode(envelope.data), envelope.origin
    except UNREADABLE as error:
        raise WireError(f"not a task: {error}") from error


def encode_commit(
    *,
    partition: int,
    seq: int,
    prev: str,
    object_id: str,
    version_from: int,
    origin: Origin,
    at: datetime,
    events: tuple[Event, ...],
) -> tuple[bytes, str]:
    """A commit's bytes and their hash."""
    envelope = CommitEnvelope(
        v=COMMIT_VERSION,
        partition=partition,
        seq=seq,
        prev=prev,
        object_id=object_id,
        version_from=version_from,
        version_to=version_from + len(events) - 1,
        origin=origin,
        at=at,
        events=[_envelope_of(event) for event in events],
    )
    body = _encoder.encode(envelope)
    return body, hash_of(body)


def hash_of(body: bytes) -> str:
    """Hash of a commit's bytes, as the next commit's `prev` repeats it."""
    return hashlib.sha256(body).hexdigest()


def decode_commit(body: bytes) -> Commit:
    """A commit with its events lifted to their current versions. WireError where that cannot be."""
    try:
        envelope = _commit_decoder.decode(body)
        if envelope.v != COMMIT_VERSION:
            raise WireError(f"commit version {envelope.v} is unknown here")
        events = tuple(_decode_event(event) for event in envelope.events)
    except UNREADABLE as error:
        raise WireError(f"not a commit: {error}") from error
    return Commit(
        partition=envelope.partition,
        seq=envelope.seq,
        prev=envelope.prev,
        hash=hash_of(body),
        object_id=envelope.object_id,
        version_from=envelope.version_from,
        version_to=envelope.version_to,
        origin=envelope.origin,
        at=envelope.at,
        events=events,
        body=body,
    )


def encode_aggregate(aggregate: Aggregate) -> bytes:
    """An aggregate as the projection's row keeps it."""
    return _encoder.encode(aggregate)


def decode_object(body: bytes) -> ProcessingObject:
    """A ProcessingObject from its row. WireError for other bytes."""
    try:
        return _object_decoder.decode(body)
    except UNREADABLE as error:
        raise WireError(f"not a ProcessingObject: {error}") from error


def decode_content(body: bytes) -> StoredContent:
    """A StoredContent from its row. WireError for other bytes."""
    try:
        return _content_decoder.decode(body)
    except UNREADABLE as error:
        raise WireError(f"not a StoredContent: {error}") from error


def decode_record(body: bytes) -> PartitionRecord:
    """A PartitionRecord from its row. WireError for other bytes."""
    try:
        return _record_decoder.decode(body)
    except UNREADABLE as error:
        raise WireError(f"not a PartitionRecord: {error}") from error


def _envelope_of(event: Event) -> EventEnvelope:
    name = type(event).__name__
    return EventEnvelope(type=name, v=VERSIONS.get(name, 1), data=msgspec.Raw(_encoder.encode(event)))


def _decode_event(envelope: EventEnvelope) -> Event:
    kind = EVENT_TYPES.get(envelope.type)
    current = VERSIONS.get(envelope.type, 1)
    if kind is None or envelope.v > current:
        raise WireError(f"event {envelope.type} version {envelope.v} is unknown here")
    if envelope.v == current:
        event: Event = _event_decoders[envelope.type].decode(envelope.data)
        return event
    try:
        lifted: Event = msgspec.convert(lift(envelope.type, envelope.v, msgspec.json.decode(envelope.data)), kind)
    except KeyError as error:
        raise WireError(f"no upcast for event {envelope.type} version {envelope.v}") from error
    return lifted


def _decode_message(body: bytes, known: dict[str, type[Any]]) -> Message:
    try:
        envelope = _message_decoder.decode(body)
    except UNREADABLE as error:
        raise WireError(f"not a message: {error}") from error
    if envelope.type not in known or envelope.v != 1:
        raise WireError(f"message {envelope.type} version {envelope.v} is unknown here")
    return envelope


def _decode_data(envelope: Message) -> Any:
    try:
        return _data_decoders[envelope.type].decode(envelope.data)
    except UNREADABLE as error:
        raise WireError(f"not a {envelope.type}: {error}") from error
