"""Every bound of the tabular operations, with its unit."""

RECORD_BYTES_MAX = 4 << 20
"""One CSV record or NDJSON line; also the size of the blocks read."""
COLUMNS_MAX = 2_000
JSON_BYTES_MAX = 64 << 20
"""A JSON document is parsed as a whole, so it is bounded; NDJSON is not."""
RAW_CHARS_MAX = 4_096
"""Longer raw text of a rejected row is cut in rejects.csv."""
SAMPLE_BYTES = 256 << 10
"""The head of the content that decides on dialect and header."""
BATCH_ROWS = 32_768
ROW_GROUP_ROWS = 65_536
ROW_GROUP_BYTES = 64 << 20
NAME_CHARS_MAX = 200

assert SAMPLE_BYTES <= RECORD_BYTES_MAX
