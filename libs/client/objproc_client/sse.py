"""Server-sent events, incrementally from bytes (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from objproc_client.errors import ProtocolError

EVENT_BYTES_MAX = 4 * 1024 * 1024
LINE_END = re.compile(rb"\r\n|\n|\r")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSentEvent:
    """One dispatched event; `id` is the last id seen so far, also by earlier events."""

    id: str
    event: str
    data: str


class EventParser:
    """Turns chunks, cut anywhere, into events; an event without its closing empty line never appears."""

    def __init__(self) -> None:
        """Start at the beginning of a connection."""
        self.retry_ms: int | None = None
        self._last_id = ""
        self._unfinished = b""
        self._is_first_line = True
        self._is_after_cr = False
        self._event = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Take the next bytes and return the events they complete."""
        if not chunk:
            return []
        if self._is_after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]  # the second half of a CRLF that a chunk boundary had cut
            self._is_after_cr = False
            if not chunk:
                return []
        self._is_after_cr = chunk.endswith(b"\r")
        first, *rest = LINE_END.split(chunk)
        lines = [self._unfinished + first, *rest]
        self._unfinished = lines.pop()
        events = [event for line in lines if (event := self._take_line(line)) is not None]
        self._check_size()
        return events

    def _take_line(self, line: bytes) -> ServerSentEvent | None:
        if self._is_first_line:
            self._is_first_line = False
            line = line.removeprefix(BYTE_ORDER_MARK)
        if not line:
            return self._dispatch()
        name, _, value = line.decode("utf-8", "replace").partition(":")
        self._take_field(name, value.removeprefix(" "))
        return None

    def _take_field(self, name: str, value: str) -> None:
        match name:
            case "data":
                self._data.append(value)
                self._size += len(value)
                self._check_size()
            case "event":
                self._event = value
            case "id" if "\0" not in value:
                self._last_id = value
            case "retry" if value.isascii() and value.isdigit():
                self.retry_ms = int(value)
            case _:
                pass  # a comment (heartbeat) has an empty name; other fields are ignored

    def _dispatch(self) -> ServerSentEvent | None:
        event, data = self._event, self._data
        self._event, self._data, self._size = "", [], 0
        if not data:
            return None
        return ServerSentEvent(id=self._last_id, event=event or "message", data="\n".join(data))

    def _check_size(self) -> None:
        if self._size + len(self._unfinished) > EVENT_BYTES_MAX:
            raise ProtocolError(f"an event of the stream is larger than {EVENT_BYTES_MAX} bytes")
