"""Typed Python client of the Object Processing System: `Client`, and `AsyncClient` for asyncio.

with Client() as client:
    client.put_content("sales.csv", Path("sales.csv"))
    submission = client.process("sales.csv", ["analyze"])
    for event in client.watch(submission.object_id):
        print(event.type, event.progress)
"""

from objproc_client.answers import (
    TERMINAL_STATES,
    Artifact,
    CatalogueEntry,
    Fault,
    FeedEvent,
    Health,
    HistoryEvent,
    ObjectDetails,
    OperationProgress,
    Outcome,
    Page,
    Progress,
    Status,
    Submission,
    UploadedContent,
)
from objproc_client.async_client import AsyncClient
from objproc_client.attempts import Retries
from objproc_client.client import Client
from objproc_client.errors import (
    AddressError,
    ConflictError,
    DeniedError,
    DigestError,
    FieldFault,
    InvalidError,
    NotFoundError,
    ObjprocError,
    ProblemError,
    ProtocolError,
    ThrottledError,
    UnavailableError,
    UnreachableError,
)

__all__ = [
    "TERMINAL_STATES",
    "AddressError",
    "Artifact",
    "AsyncClient",
    "CatalogueEntry",
    "Client",
    "ConflictError",
    "DeniedError",
    "DigestError",
    "Fault",
    "FeedEvent",
    "FieldFault",
    "Health",
    "HistoryEvent",
    "InvalidError",
    "NotFoundError",
    "ObjectDetails",
    "ObjprocError",
    "OperationProgress",
    "Outcome",
    "Page",
    "ProblemError",
    "Progress",
    "ProtocolError",
    "Retries",
    "Status",
    "Submission",
    "ThrottledError",
    "UnavailableError",
    "UnreachableError",
    "UploadedContent",
]
