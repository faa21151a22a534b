"""Settings from the environment and `.env`, validated at start; every fault is reported at once."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Durability(StrEnum):
    """What a 202 promises: see the README's guarantees."""

    ACCEPTED = "accepted"
    DURABLE = "durable"
    REPLICATED = "replicated"


class AuthMode(StrEnum):
    """Who may call the API."""

    NONE = "none"


class Settings(BaseSettings):
    """Everything a service can be told. Names in the environment are these, in capitals."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True)

    database_url: SecretStr = Field(description="PostgreSQL: postgresql://user:password@host:port/database")
    redis_url: SecretStr = Field(description="Redis or Valkey: redis://[:password@]host:port/0")
    s3_endpoint_url: str | None = Field(default=None, description="S3 address; empty for AWS itself")
    s3_bucket: str = Field(default="objproc", min_length=3, max_length=63)
    s3_region: str = "us-east-1"
    aws_access_key_id: SecretStr | None = None
    aws_secret_access_key: SecretStr | None = None

    partitions: int = Field(default=8, ge=1, le=1024, description="fixed at first start")
    durability: Durability = Durability.DURABLE
    durability_timeout_ms: int = Field(default=2000, ge=10, le=10_000, description="how long a 202 may wait for it")
    redis_memory_high: float = Field(default=0.8, gt=0, le=1, description="share of maxmemory: no new commands above")
    redis_memory_low: float = Field(default=0.7, gt=0, le=1, description="share of maxmemory: new commands again below")
    commands_pending_max: int = Field(default=1_000_000, ge=1, description="accepted, not yet projected")
    auth_mode: AuthMode = AuthMode.NONE
    auth_none_is_allowed: bool = Field(default=False, description="AUTH_MODE=none beyond loopback")

    api_host: str = "127.0.0.1"
    api_port: int = Field(default=8000, ge=0, le=65535)
    content_bytes_max: int = Field(default=50 << 30, ge=1, description="largest upload, bytes")

    max_parallel_workers: int = Field(default=3, ge=1, le=256, description="child processes of one worker")
    worker_pools: Annotated[tuple[str, ...], NoDecode] = ("inline", "default")
    operation_modules: Annotated[tuple[str, ...], NoDecode] = ()
    grace_s: float = Field(default=10.0, ge=0, description="how long running work may finish after SIGTERM")
    cache_dir: Path | None = Field(default=None, description="the worker's files; a temporary folder if empty")
    cache_bytes_max: int = Field(default=4 << 30, ge=1 << 20)

    artifact_grace_s: float = Field(default=3600, ge=0, description="how long unneeded bytes stay in S3, seconds")
    sweep_every_s: float = Field(default=30, gt=0)

    liveness_dir: Path | None = Field(default=None, description="this process's own folder for objproc.probe")
    heartbeat_ms: int = Field(default=1000, ge=50, le=60_000)
    lease_ms: int = Field(default=3000, ge=200, le=120_000)
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    otel_exporter_otlp_endpoint: str | None = None

    @field_validator("worker_pools", "operation_modules", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("redis_memory_low")
    @classmethod
    def _is_below_high(cls, value: float, info: object) -> float:
        high = getattr(info, "data", {}).get("redis_memory_high", 1)
        if value > high:
            raise ValueError(f"must not be more than REDIS_MEMORY_HIGH ({high})")
        return value

    @field_validator("lease_ms")
    @classmethod
    def _outlives_heartbeats(cls, value: int, info: object) -> int:
        heartbeat_ms = getattr(info, "data", {}).get("heartbeat_ms", 0)
        if value <= 2 * heartbeat_ms:
            raise ValueError(f"must be more than twice HEARTBEAT_MS ({heartbeat_ms})")
        return value


def load_settings() -> Settings:
    """The settings of this process; exits with code 2 and every fault named where they are wrong."""
    try:
        return Settings()
    except ValidationError as error:
        _refuse(error)


def _refuse(error: ValidationError) -> NoReturn:
    lines = [f"  {'.'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in error.errors()]
    sys.stderr.write("objproc: the settings are wrong:\n" + "\n".join(lines) + "\n")
    raise SystemExit(2)
