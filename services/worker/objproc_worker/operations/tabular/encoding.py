"""Which encoding the text is in, decided on all of its bytes."""

from __future__ import annotations

import codecs
import io
from dataclasses import dataclass
from pathlib import Path

from charset_normalizer import from_bytes

from objproc.operations import OperationError

CHUNK_BYTES = 1 << 20
WINDOW_BYTES = 32 << 10
BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
LEGACY = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "koi8_r", "shift_jis", "euc_jp", "gb18030", "big5")
COHERENCE_SLACK = 0.05
"""Western text is likelier than its look-alikes: another encoding must read clearly more like a language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """How the bytes are text."""

    encoding: str
    """Python codec; `-sig` and `utf-16` swallow the byte order mark."""
    has_bom: bool
    invalid_at: int | None
    """UTF-8 only: the first byte that is no UTF-8, where most of the text is; those rows are rejects."""
    has_nul: bool
    has_odd_quotes: bool


@dataclass(slots=True)
class _Scan:
    """One pass over the bytes as UTF-8."""

    nuls: int = 0
    quotes: int = 0
    multibyte: int = 0
    broken: int = 0
    broken_at: int | None = None


def detect_encoding(path: Path, declared: str | None, quote: str) -> Encoded:
    """The encoding of the text at `path`. OperationError `undecodable` names the first bad byte."""
    with path.open("rb") as file:
        head = file.read(4096)
    encoding = declared and _known(declared)
    has_bom = False
    for mark, name in BOMS:
        if head.startswith(mark):
            has_bom = True
            # A declared utf-8 or utf-16 with its mark means the codec that swallows the mark.
            if encoding is None or encoding.startswith(name.removesuffix("-sig")):
                encoding = name
            break
    encoding = encoding or _utf16_without_mark(head)
    quote_byte = quote.encode("ascii", "ignore") or b'"'
    scan = _scan_utf8(path, quote_byte)
    if encoding is None:
        # More sound sequences than broken ones: UTF-8 with damage, not another encoding.
        is_utf8 = scan.broken_at is None or scan.multibyte > scan.broken
        encoding = "utf-8" if is_utf8 else _legacy(path, scan.broken_at or 0)
    is_utf8 = encoding in {"utf-8", "utf-8-sig"}
    if not is_utf8 or (declared and scan.broken_at is not None):
        encoding = _check_decodes(path, encoding, may_fall_back=declared is None)
    return Encoded(
        encoding=encoding,
        has_bom=has_bom,
        invalid_at=scan.broken_at if is_utf8 else None,
        has_nul=scan.nuls > 0 and not encoding.startswith(("utf-16", "utf-32")),
        has_odd_quotes=scan.quotes % 2 == 1,
    )


def _known(name: str) -> str:
    """The codec's canonical name. OperationError `unknown_encoding`, also for codecs such as base64."""
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=name).close()
        return codecs.lookup(name).name
    except LookupError:
        raise OperationError("unknown_encoding", f"There is no text encoding called {name!r}.") from None


def _utf16_without_mark(head: bytes) -> str | None:
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if half >= 4 and odd > half * 0.4 and even < half * 0.05:
        return "utf-16-le"
    if half >= 4 and even > half * 0.4 and odd < half * 0.05:
        return "utf-16-be"
    return None


def _scan_utf8(path: Path, quote: bytes) -> _Scan:
    scan = _Scan()
    offset = 0
    carried = b""
    with path.open("rb") as file:
        while True:
            chunk = file.read(CHUNK_BYTES)
            is_last = not chunk
            scan.nuls += chunk.count(b"\0")
            scan.quotes += chunk.count(quote)
            data = carried + chunk
            carried = b""
            if not data.isascii():
                carried = _scan_chunk(scan, data, offset, is_last)
            offset += len(data) - len(carried)
            if is_last:
                return scan


def _scan_chunk(scan: _Scan, data: bytes, offset: int, is_last: bool) -> bytes:
    """Count sound and broken sequences of `data`; return the incomplete tail."""
    start = 0
    while start < len(data):
        try:
            text, used = codecs.utf_8_decode(data[start:] if start else data, "strict", is_last)
        except UnicodeDecodeError as error:
            scan.multibyte += not data[start : start + error.start].isascii()
            scan.broken += 1
            if scan.broken_at is None:
                scan.broken_at = offset + start + error.start
            start += error.end
            if scan.broken > 10_000:  # enough to decide; each find copies the rest of the chunk
                return b""
            continue
        scan.multibyte += used - len(text) if used != len(text) else 0
        return data[start + used :]
    return b""


def _legacy(path: Path, around: int) -> str:
    """The likeliest one-byte or Asian encoding, judged on the first bytes that are not UTF-8."""
    with path.open("rb") as file:
        file.seek(max(0, around - WINDOW_BYTES // 2))
        sample = file.read(WINDOW_BYTES)
    matches = list(from_bytes(sample, cp_isolation=list(LEGACY)))
    western = [m for m in matches if "cp1252" in {m.encoding, *m.could_be_from_charset}]
    coherence = western[0].coherence + COHERENCE_SLACK if western else -1.0
    better = [m for m in matches if m.coherence > coherence]
    return better[0].encoding if better else "cp1252"


def _check_decodes(path: Path, encoding: str, *, may_fall_back: bool) -> str:
    decoder = codecs.getincrementaldecoder(encoding)()
    offset = 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                decoder.decode(chunk)
                offset += len(chunk)
            decoder.decode(b"", True)
    except UnicodeError as error:
        if may_fall_back and encoding == "cp1252":
            return "latin-1"
        at = offset + (error.start if isinstance(error, UnicodeDecodeError) else 0)
        raise OperationError(
            "undecodable", f"The text is not {encoding}: byte {at} (or one close to it) cannot be decoded."
        ) from None
    return encoding
