"""What the bytes are: by signature and content first, by declared type where those leave it open."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import orjson

from objproc.operations import InputFile, OperationError
from objproc_worker.operations.tabular.dialect import detect_dialect, read_sample
from objproc_worker.operations.tabular.encoding import Encoded, detect_encoding

SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"GIF8", "a GIF image"),
    (0, b"BM", "a BMP image"),
    (0, b"II*\0", "a TIFF image"),
    (0, b"MM\0*", "a TIFF image"),
    (8, b"WEBP", "a WebP image"),
    (0, b"%PDF-", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP container (archive, XLSX or DOCX)"),
    (0, b"PK\x05\x06", "an empty ZIP archive"),
    (0, b"\x1f\x8b", "gzip-compressed data"),
    (0, b"\x28\xb5\x2f\xfd", "zstd-compressed data"),
    (0, b"BZh", "bzip2-compressed data"),
    (0, b"\xfd7zXZ\0", "xz-compressed data"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"\xd0\xcf\x11\xe0", "an OLE document (old Office)"),
    (0, b"SQLite format 3\0", "an SQLite database"),
    (0, b"ARROW1", "an Arrow file"),
    (0, b"Obj\x01", "an Avro file"),
    (0, b"ORC", "an ORC file"),
    (0, b"\x7fELF", "an ELF program"),
    (0, b"MZ", "a Windows program"),
    (0, b"ID3", "an MP3 audio file"),
    (4, b"ftyp", "an MP4 video"),
)
TEXTUAL_SIGNATURES = {b"BM", b"MZ", b"ORC", b"BZh", b"ID3", b"GIF8", b"Rar!", b"ARROW1", b"WEBP", b"ftyp"}
"""Could also begin a text: they count only where control bytes follow."""
DELIMITED = {"text/csv": "csv", "application/csv": "csv", "text/tab-separated-values": "tsv"}
BY_SUFFIX = {
    ".csv": "csv",
    ".psv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".parquet": "parquet",
}
BY_MEDIA_TYPE = {
    **DELIMITED,
    "application/json": "json",
    "application/x-ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/vnd.apache.parquet": "parquet",
}
NDJSON_SAMPLE_LINES = 50
TABLE_FIT_MIN = 0.8
"""Undeclared text is a table when this share of its records has the width of the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The sniffed format, what was declared, and how to decode it (None for Parquet)."""

    format: str
    declared: str | None
    encoded: Encoded | None


def sniff(source: InputFile, *, encoding: str | None, quote: str, format_wanted: str | None) -> Content:
    """The format of `source`. OperationError `empty_content` or `unsupported_media` for what is no table."""
    declared = format_wanted or declared_format(source)
    with source.path.open("rb") as file:
        head = file.read(4096)
    if not head:
        raise OperationError("empty_content", "The content is empty: 0 bytes.")
    if head.startswith(b"PAR1") or declared == "parquet":
        return Content(format="parquet", declared=declared, encoded=None)
    found = signature(head)
    if found is not None:
        raise unsupported(found)
    encoded = detect_encoding(source.path, encoding, quote)
    if _control_share(read_sample(source.path, encoded.encoding)) > 0.1:
        raise unsupported("binary data")
    found_format = _text_format(source.path, encoded, quote, declared)
    return Content(format=format_wanted or found_format, declared=declared, encoded=encoded)


def declared_format(source: InputFile) -> str | None:
    """What the media type says, else the file name."""
    media_type = source.media_type.split(";")[0].strip().lower()
    return BY_MEDIA_TYPE.get(media_type) or BY_SUFFIX.get(Path(source.name).suffix.lower())


def signature(head: bytes) -> str | None:
    """What the magic bytes say in words; None for text and the unknown."""
    for offset, magic, words in SIGNATURES:
        is_certain = magic not in TEXTUAL_SIGNATURES or any(byte < 9 for byte in head[:512])
        if head[offset : offset + len(magic)] == magic and is_certain:
            return words
    return None


def unsupported(found: str) -> OperationError:
    """The error for content of another kind; `found` with its article."""
    return OperationError(
        "unsupported_media",
        f"The content is {found}. Only tabular content can be processed: CSV, TSV, JSON, NDJSON or Parquet.",
    )


def _control_share(sample: str) -> float:
    odd = sum(sample.count(chr(code)) for code in range(32) if code not in {9, 10, 11, 12, 13, 27})
    return odd / max(len(sample), 1)


def _text_format(path: Path, encoded: Encoded, quote: str, declared: str | None) -> str:
    sample = read_sample(path, encoded.encoding)
    text = sample.strip("\ufeff \t\r\n\v\f")
    if not text:
        raise OperationError("empty_content", "The content holds no data: only white space.")
    if declared == "ndjson":
        return "ndjson"
    if text[0] in "{[" and declared not in DELIMITED.values():
        return "ndjson" if _is_lines_of_json(text) else "json"
    if declared is not None:
        return _delimited_or_json(text, declared, sample, quote)
    if text[0] == "<":
        raise unsupported("a markup document (HTML or XML)")
    dialect = detect_dialect(sample, quote)
    is_table = len(dialect.records) > 1 and len(dialect.records[0]) > 1 and dialect.fit >= TABLE_FIT_MIN
    if not is_table:
        raise unsupported("plain text without a recognisable table")
    return "tsv" if dialect.delimiter == "\t" else "csv"


def _delimited_or_json(text: str, declared: str, sample: str, quote: str) -> str:
    if declared == "json":
        return "json"
    if text[0] in "{[" and _is_json(text.split("\n", 1)[0]):
        return "ndjson" if _is_lines_of_json(text) else "json"
    if text.lower().startswith(("<!doctype", "<html", "<?xml")):
        raise unsupported("a markup document (HTML or XML)")
    if declared == "tsv":
        return "tsv"
    return "tsv" if detect_dialect(sample, quote).delimiter == "\t" else "csv"


def _is_json(line: str) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _is_lines_of_json(text: str) -> bool:
    """Two or more lines, at least half of which are JSON by themselves; objects, to be no pretty array."""
    lines = [line for line in text.split("\n")[: NDJSON_SAMPLE_LINES * 2] if line.strip()][:NDJSON_SAMPLE_LINES]
    good = sum(line.lstrip().startswith("{") and _is_json(line) for line in lines)
    return len(lines) >= 2 and good * 2 >= len(lines)
