"""Logs and traces: what can be observed is declared here once. A log line is a fixed name and fields."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import orjson
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


class Log:
    """A logger whose lines are names and fields: `log.info("task_taken_over", worker=…, attempt=…)`."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(f"objproc.{name}")

    def debug(self, line: str, **fields: Any) -> None:
        """For whoever looks closely."""
        self._write(logging.DEBUG, line, fields)

    def info(self, line: str, **fields: Any) -> None:
        """The normal course of things."""
        self._write(logging.INFO, line, fields)

    def warning(self, line: str, **fields: Any) -> None:
        """Something passes by itself, but should be known."""
        self._write(logging.WARNING, line, fields)

    def error(self, line: str, **fields: Any) -> None:
        """Somebody has to look."""
        self._write(logging.ERROR, line, fields)

    def _write(self, level: int, line: str, fields: dict[str, Any]) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, line, extra={"fields": fields})


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, where from, name and fields; a traceback where there is one."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "from": record.name,
            "line": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def start_logging(level: str) -> None:
    """Log lines of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("botocore", "aiobotocore", "httpx", "asyncio", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLevelName(level)))


def start_tracing(service: str, endpoint: str | None) -> None:
    """Export traces over OTLP where an endpoint is set; otherwise spans cost next to nothing."""
    if endpoint is None:
        return
    # imported late: the exporter brings an HTTP client that nobody else needs
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    provider = TracerProvider(resource=Resource.create({"service.name": f"objproc-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
