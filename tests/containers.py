"""Servers for tests as containers, where an engine answers and images are named."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from testcontainers.core.container import DockerContainer


def image(kind: str) -> str:
    """The image that the environment names for REDIS, POSTGRES or S3."""
    return os.environ[f"OBJPROC_TEST_{kind}_IMAGE"]


@contextmanager
def containers() -> Iterator[dict[str, str]]:
    """Run the three servers; what reaches them."""
    redis = DockerContainer(image("REDIS")).with_exposed_ports(6379)
    postgres = DockerContainer(image("POSTGRES")).with_exposed_ports(5432)
    s3 = DockerContainer(image("S3")).with_exposed_ports(8333)
    postgres.with_envs(POSTGRES_USER="test", POSTGRES_PASSWORD="test", POSTGRES_DB="test")
    s3.with_envs(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")
    with ExitStack() as stack:
        for container in (redis, postgres, s3):
            stack.enter_context(container)
        host = redis.get_container_host_ip()
        yield {
            "REDIS_URL": f"redis://{host}:{redis.get_exposed_port(6379)}/0",
            "DATABASE_URL": f"postgresql://test:test@{host}:{postgres.get_exposed_port(5432)}/test",
            "S3_ENDPOINT_URL": f"http://{host}:{s3.get_exposed_port(8333)}",
            "S3_BUCKET": "test",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
