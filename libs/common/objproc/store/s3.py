"""Bytes in S3: content-addressed, `<tenant>/<sha256>`; the one place that knows the object store."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError

from objproc.errors import PermanentError, TransientError
from objproc.settings import Settings

PART_BYTES = 16 << 20
"""Uploads larger than this go in parts of this size."""
CHUNK_BYTES = 1 << 20
RETRYABLE_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


class NotInStoreError(PermanentError):
    """There are no bytes under that name."""


def key_of(tenant: str, sha256: str) -> str:
    """Where bytes with this digest lie."""
    return f"{tenant}/{sha256}"


@asynccontextmanager
async def our_errors() -> AsyncIterator[None]:
    """S3's errors as ours."""
    try:
        yield
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = error.response.get("Error", {}).get("Code", "")
        if code in {"NoSuchKey", "NotFound", "404"} or status == 404:
            raise NotInStoreError(f"S3: {error}") from error
        if status in RETRYABLE_STATUS or status == 0:
            raise TransientError(f"S3: {error}") from error
        raise PermanentError(f"S3 refuses: {error}") from error
    except (BotoCoreError, OSError, TimeoutError) as error:
        raise TransientError(f"S3: {type(error).__name__}: {error}") from error


class Store:
    """The bucket."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    async def create_bucket(self) -> None:
        """Make the bucket where it is missing; several may try at once."""
        async with our_errors():
            try:
                await self._client.head_bucket(Bucket=self._bucket)
            except ClientError:
                try:
                    await self._client.create_bucket(Bucket=self._bucket)
                except ClientError as error:
                    if error.response["Error"]["Code"] not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
                        raise

    async def put(self, key: str, body: bytes, media_type: str) -> None:
        """Small bytes at once."""
        async with our_errors():
            await self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=media_type)

    async def put_file(self, key: str, path: Path, media_type: str) -> None:
        """A file, in parts where it is large."""
        if path.stat().st_size <= PART_BYTES:  # noqa: ASYNC240 - local disk
            await self.put(key, path.read_bytes(), media_type)  # noqa: ASYNC240 - at most one part
            return
        upload = await self.start_upload(key, media_type)
        try:
            with path.open("rb") as file:
                while part := file.read(PART_BYTES):
                    await upload.add(part)
            await upload.complete()
        except BaseException:
            await upload.abort()
            raise

    async def start_upload(self, key: str, media_type: str) -> Upload:
        """A multipart upload to `key`."""
        async with our_errors():
            answer = await self._client.create_multipart_upload(Bucket=self._bucket, Key=key, ContentType=media_type)
        return Upload(self._client, self._bucket, key, answer["UploadId"])

    async def copy(self, source: str, target: str, size: int) -> None:
        """Copy within the bucket, on the server's side, in parts where it is large."""
        origin = {"Bucket": self._bucket, "Key": source}
        async with our_errors():
            if size <= 4 << 30:
                await self._client.copy_object(Bucket=self._bucket, Key=target, CopySource=origin)
                return
            answer = await self._client.create_multipart_upload(Bucket=self._bucket, Key=target)
            parts = []
            for number, start in enumerate(range(0, size, 1 << 30), 1):
                end = min(start + (1 << 30), size) - 1
                part = await self._client.upload_part_copy(
                    Bucket=self._bucket,
                    Key=target,
                    UploadId=answer["UploadId"],
                    PartNumber=number,
                    CopySource=origin,
                    CopySourceRange=f"bytes={start}-{end}",
                )
                parts.append({"PartNumber": number, "ETag": part["CopyPartResult"]["ETag"]})
            await self._client.complete_multipart_upload(
                Bucket=self._bucket, Key=target, UploadId=answer["UploadId"], MultipartUpload={"Parts": parts}
            )

    async def size_of(self, key: str) -> int | None:
        """How many bytes lie there; None where none do."""
        try:
            async with our_errors():
                answer = await self._client.head_object(Bucket=self._bucket, Key=key)
        except NotInStoreError:
            return None
        return int(answer["ContentLength"])

    async def age_s(self, key: str) -> float | None:
        """Seconds since the bytes were last written, by the object store's own clock; None where none lie."""
        try:
            async with our_errors():
                answer = await self._client.head_object(Bucket=self._bucket, Key=key)
        except NotInStoreError:
            return None
        now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        return float((now - answer["LastModified"]).total_seconds())

    async def get(self, key: str, byte_range: str | None = None) -> tuple[AsyncIterator[bytes], int]:
        """Chunks of the bytes (all, or an HTTP byte range) and their number. NotInStoreError where none lie."""
        more = {"Range": byte_range} if byte_range else {}
        async with our_errors():
            answer = await self._client.get_object(Bucket=self._bucket, Key=key, **more)
        return self._chunks(answer["Body"]), int(answer["ContentLength"])

    async def _chunks(self, body: Any) -> AsyncIterator[bytes]:
        async with our_errors(), body:
            while chunk := await body.read(CHUNK_BYTES):
                yield chunk

    async def get_file(self, key: str, path: Path, sha256: str) -> None:
        """Fetch to a file and check the digest. TransientError where the bytes came damaged."""
        chunks, _ = await self.get(key)
        digest = hashlib.sha256()
        with path.open("wb") as file:
            async for chunk in chunks:
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != sha256:
            raise TransientError(f"S3: the bytes of {key} have digest {digest.hexdigest()}")

    async def delete(self, key: str) -> None:
        """Remove the bytes; nothing there is fine."""
        async with our_errors():
            await self._client.delete_object(Bucket=self._bucket, Key=key)


class Upload:
    """A multipart upload under way."""

    def __init__(self, client: Any, bucket: str, key: str, upload_id: str) -> None:
        self._client = client
        self._where = {"Bucket": bucket, "Key": key, "UploadId": upload_id}
        self._parts: list[dict[str, Any]] = []

    async def add(self, part: bytes) -> None:
        """The next part; all but the last have PART_BYTES."""
        number = len(self._parts) + 1
        async with our_errors():
            answer = await self._client.upload_part(**self._where, PartNumber=number, Body=part)
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})

    async def complete(self) -> None:
        """Make the whole visible."""
        async with our_errors():
            await self._client.complete_multipart_upload(**self._where, MultipartUpload={"Parts": self._parts})

    async def abort(self) -> None:
        """Give the parts up."""
        async with our_errors():
            await self._client.abort_multipart_upload(**self._where)


@asynccontextmanager
async def connect_store(settings: Settings) -> AsyncIterator[Store]:
    """The bucket the settings name."""
    key, secret = settings.aws_access_key_id, settings.aws_secret_access_key
    config = AioConfig(
        connect_timeout=3,
        read_timeout=60,
        max_pool_connections=64,
        retries={"total_max_attempts": 3, "mode": "standard"},
        s3={"addressing_style": "path"} if settings.s3_endpoint_url else {},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    async with get_session().create_client(
        "s3",
        endpoint_url=settings.s3_endpoint_url,
        region_name=settings.s3_region,
        aws_access_key_id=key.get_secret_value() if key else None,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
        config=config,
    ) as client:
        yield Store(client, settings.s3_bucket)
