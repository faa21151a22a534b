"""Responses made of streams."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.responses import StreamingResponse
from starlette.types import Send

EVENT_STREAM = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class ClosingStream(StreamingResponse):
    """A streamed answer whose source is closed at once when the client goes away, not when memory is swept."""

    body_iterator: AsyncGenerator[bytes, None]

    async def stream_response(self, send: Send) -> None:
        """Send all chunks."""
        async with aclosing(self.body_iterator):
            await super().stream_response(send)


def event_stream(frames: AsyncGenerator[bytes, None]) -> ClosingStream:
    """Frames as server-sent events."""
    return ClosingStream(frames, headers=EVENT_STREAM, media_type="text/event-stream")
