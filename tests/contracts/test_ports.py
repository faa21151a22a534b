"""Every adapter fulfils its ports, method by method."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from objproc.store.garbage import GarbagePort, PostgresGarbage
from objproc.store.projection import PostgresProjection, ProjectionPort
from objproc.streams import ports
from objproc.streams.memory import MemoryStreams, MemoryTasks
from objproc.streams.redis import RedisStreams
from objproc.streams.task_streams import RedisTasks

OF_WORKERS = [ports.TaskPort, ports.ProgressPort]
STREAM_PORTS = [kind for name, kind in vars(ports).items() if name.endswith("Port") and kind not in OF_WORKERS]
FULFILMENTS: list[tuple[Any, Any]] = [
    *((port, adapter) for port in STREAM_PORTS for adapter in (RedisStreams, MemoryStreams)),
    *((port, adapter) for port in OF_WORKERS for adapter in (RedisTasks, MemoryTasks)),
    (ProjectionPort, PostgresProjection),
    (GarbagePort, PostgresGarbage),
]


@pytest.mark.parametrize(("port", "adapter"), FULFILMENTS, ids=lambda kind: kind.__name__)
def test_an_adapter_has_every_method_of_its_port_as_the_port_has_it(port: Any, adapter: Any) -> None:
    methods = [name for name in vars(port) if not name.startswith("_")]
    assert methods
    for name in methods:
        assert inspect.signature(getattr(adapter, name)) == inspect.signature(getattr(port, name)), name


def test_memory_offers_nothing_that_redis_does_not() -> None:
    def offered(*kinds: Any) -> set[str]:
        return {name for kind in kinds for name in vars(kind) if not name.startswith("_")}

    assert offered(MemoryStreams, MemoryTasks) == offered(RedisStreams, RedisTasks)
