"""One value in each of the three servers, and reading it back."""

from collections.abc import Mapping
from typing import Any

import asyncpg
from aiobotocore.session import get_session
from redis.asyncio import Redis


def s3_client(env: Mapping[str, str]) -> Any:
    return get_session().create_client(
        "s3",
        endpoint_url=env["S3_ENDPOINT_URL"],
        region_name=env["S3_REGION"],
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
    )


async def write_all(env: Mapping[str, str], value: str) -> None:
    async with Redis.from_url(env["REDIS_URL"]) as redis:
        await redis.set("key", value)
    connection = await asyncpg.connect(env["DATABASE_URL"])
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS held (value text)")
        await connection.execute("DELETE FROM held")
        await connection.execute("INSERT INTO held VALUES ($1)", value)
    finally:
        await connection.close()
    async with s3_client(env) as s3:
        await s3.put_object(Bucket=env["S3_BUCKET"], Key="key", Body=value.encode())


async def read_all(env: Mapping[str, str]) -> dict[str, str]:
    return {"valkey": await read_valkey(env), "postgres": await read_postgres(env), "s3": await read_s3(env)}


async def read_valkey(env: Mapping[str, str]) -> str:
    async with Redis.from_url(env["REDIS_URL"]) as redis:
        return (await redis.get("key")).decode()


async def read_postgres(env: Mapping[str, str]) -> str:
    connection = await asyncpg.connect(env["DATABASE_URL"])
    try:
        return await connection.fetchval("SELECT value FROM held")
    finally:
        await connection.close()


async def read_s3(env: Mapping[str, str]) -> str:
    async with s3_client(env) as s3:
        answer = await s3.get_object(Bucket=env["S3_BUCKET"], Key="key")
        async with answer["Body"] as body:
            return (await body.read()).decode()
