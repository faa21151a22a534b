"""Every bound the domain enforces, with its unit in its name."""

PARTITIONS_MAX = 1024
OPERATIONS_MAX = 64  # of one plan
IDENTIFIER_CHARS_MAX = 512
TAGS_MAX = 32
TAG_CHARS_MAX = 128
METADATA_BYTES_MAX = 16 * 1024
PARAMS_BYTES_MAX = 16 * 1024  # of one operation
INLINE_BYTES_MAX = 16 * 1024  # larger content lives in S3
DATA_BYTES_MAX = 1024 * 1024  # `data` of a request; beyond it the content is uploaded
SUMMARY_BYTES_MAX = 4 * 1024
ARTIFACTS_MAX = 64  # of one operation
ERROR_CHARS_MAX = 2000
ATTEMPTS_MAX = 100
COMMANDS_REMEMBERED_MAX = 16  # handled commands an object knows, so that a repeated one yields nothing
TAKEOVERS_MAX = 5  # workers one operation may cost before it counts as poison

RETRY_BASE_MS = 500
RETRY_CAP_MS = 60_000
assert RETRY_BASE_MS <= RETRY_CAP_MS
assert INLINE_BYTES_MAX <= DATA_BYTES_MAX
