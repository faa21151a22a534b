"""What a request to process may say, and nothing else."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, TypeVar

import msgspec
import orjson
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from objproc.domain.limits import (
    IDENTIFIER_CHARS_MAX,
    METADATA_BYTES_MAX,
    OPERATIONS_MAX,
    PARAMS_BYTES_MAX,
    TAG_CHARS_MAX,
    TAGS_MAX,
)
from objproc_api.paths import CONTROL
from objproc_api.problems import fault, invalid

PRIORITY_MAX = 100
MEDIA_TYPE_PATTERN = r"^[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}( *;[\x20-\x7e]{0,255})?$"

T = TypeVar("T")


def printable(text: str) -> str:
    """`text`, if it holds no control characters."""
    if CONTROL.search(text):
        raise ValueError("must not contain control characters")
    return text


def is_timestamp(value: object) -> object:
    """`value`, if it is text: numbers would be read as seconds or milliseconds, whichever fits."""
    if value is not None and not isinstance(value, str):
        raise ValueError("must be an RFC 3339 time, for example 2030-01-31T12:00:00Z")
    return value


def is_digest_source(value: object) -> object:
    """`value`, unless it asks for a kind of source that is not there yet."""
    text = value if isinstance(value, str) else next(iter(value.values()), "") if isinstance(value, dict) else ""
    if isinstance(text, str) and text.startswith(("s3://", "https://", "http://")):
        raise ValueError("s3:// and https:// sources are not supported yet; upload the content and name its sha256")
    return value


def bounded(limit: int) -> AfterValidator:
    """A check that the value's JSON has at most `limit` bytes."""

    def check(value: T) -> T:
        if len(orjson.dumps(value)) > limit:
            raise ValueError(f"must have at most {limit} bytes as JSON")
        return value

    return AfterValidator(check)


Text = Annotated[str, AfterValidator(printable)]
Identifier = Annotated[Text, Field(min_length=1, max_length=IDENTIFIER_CHARS_MAX)]
Tag = Annotated[Text, Field(min_length=1, max_length=TAG_CHARS_MAX)]
OperationName = Annotated[str, Field(min_length=1, max_length=63)]
Params = Annotated[dict[str, Any], bounded(PARAMS_BYTES_MAX)]


class Strict(BaseModel):
    """No unknown fields, no guessing of types."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Source(Strict):
    """Content that was uploaded before, by digest."""

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    media_type: Annotated[str, Field(pattern=MEDIA_TYPE_PATTERN)] | None = None
    name: Annotated[Text, Field(min_length=1, max_length=255)] | None = None


class ProcessRequest(Strict):
    """Run these operations, and what they need, on this object."""

    identifier: Identifier
    operations: Annotated[list[OperationName], Field(min_length=1, max_length=OPERATIONS_MAX)]
    source: Annotated[Source | None, BeforeValidator(is_digest_source)] = None
    data: Any = Field(default=None, description="the object itself, as any JSON value")
    params: Annotated[dict[OperationName, Params], Field(max_length=OPERATIONS_MAX)] = {}
    metadata: Annotated[dict[str, Any], bounded(METADATA_BYTES_MAX)] = {}
    tags: Annotated[list[Tag], Field(max_length=TAGS_MAX)] = []
    priority: Annotated[int, Field(ge=-PRIORITY_MAX, le=PRIORITY_MAX)] = 0
    not_before: Annotated[AwareDatetime | None, Field(strict=False), BeforeValidator(is_timestamp)] = None

    @property
    def has_data(self) -> bool:
        """True where the request brings its content along; `null` is content, too."""
        return "data" in self.model_fields_set


def process_request(value: Any) -> ProcessRequest:
    """`value` as a request. 422 `invalid_request` with a pointer to every wrong field."""
    try:
        request = ProcessRequest.model_validate(value)
    except ValidationError as error:
        faults = [fault(item["loc"], item["msg"].removeprefix("Value error, ")) for item in error.errors()]
        raise invalid("invalid_request", faults) from None
    if request.has_data and request.source is not None:
        raise invalid("invalid_request", [fault(("data",), "cannot stand beside `source`")])
    return request


def fingerprint_of(value: Any) -> str:
    """Digest of a request: equal for equal JSON, whatever its order and spacing."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()


class _DataOnly(msgspec.Struct):
    data: msgspec.Raw


def raw_data(body: bytes) -> bytes:
    """The bytes of `data` exactly as they were sent: no number is rounded on its way."""
    return bytes(msgspec.json.decode(body, type=_DataOnly).data)
