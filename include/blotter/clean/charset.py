"""Bytes to text.

Belongs here: which encoding bytes are in, and what characters a text may hold. Does not belong here: markup.
"""

import codecs
import re

from charset_normalizer import from_bytes
from w3lib.encoding import html_body_declared_encoding, read_bom, resolve_encoding

_DETECTION_BYTES = 32_768
_FEW = 0.01
# C0 and C1 controls but tab and newline, non-characters, and the byte order mark: they carry no text.
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef\ufeff\ufffe\uffff]")
_UNDECODED = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffd]")
_MOST_UNDECODED, _FEW_UNDECODED = 0.05, 8
_SIGNATURES = (
    b"PK\x03\x04",
    b"\x1f\x8b",
    b"%PDF-",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"BZh",
    b"\xfd7zXZ",
    b"\x7fELF",
)
_SURROGATES = re.compile("[\ud800-\udfff]")


def decode_text(payload: bytes, declared: str | None = None) -> str:
    """Decode bytes by byte order mark, UTF-8 where they are valid in it, header, meta element, detection.

    UTF-8 goes before a declaration because text with non-ASCII letters is never valid UTF-8 by chance, while servers
    often declare what their pages are not. Bytes that fit nothing are decoded with replacement characters.
    """
    mark, sign = read_bom(payload)
    if mark is not None and sign is not None:
        return payload[len(sign) :].decode(mark, "replace")
    if b"\x00" not in payload[:1024] and not (payload.isascii() and b"\x1b" in payload):
        try:
            return payload.decode("utf-8")
        except UnicodeDecodeError:
            pass
    for label in (declared, html_body_declared_encoding(payload[:8192]), _detect(payload)):
        name = resolve_encoding(label) if label else None
        if name is None or not _is_text_codec(name):
            continue
        try:
            return payload.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    return payload.decode("utf-8", "replace")


def is_binary(payload: bytes, text: str) -> bool:
    """Tell whether what was decoded is no text at all: a known kind of binary file, or too much that is no letter."""
    if payload.startswith(_SIGNATURES):
        return True
    sample = text[:_DETECTION_BYTES]
    return len(_UNDECODED.findall(sample)) > max(_FEW_UNDECODED, _MOST_UNDECODED * len(sample))


def tidy_text(text: str) -> str:
    """Give a text one kind of line end, no control characters and no lone surrogates; nothing else changes."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x85", "\n").replace("\u2028", "\n")
    return _UNWANTED.sub("", _SURROGATES.sub("\ufffd", text.replace("\u2029", "\n\n"))).strip()


def _detect(payload: bytes) -> str | None:
    sample = payload[:_DETECTION_BYTES]
    if sum(byte > 0x7F for byte in sample) < _FEW * len(sample) and b"\x00" not in sample:
        return "cp1252"  # a few letters with accents, too few to tell: what browsers take it for
    best = from_bytes(payload[:_DETECTION_BYTES]).best()
    return best.encoding if best is not None else None


def _is_text_codec(name: str) -> bool:
    try:
        return codecs.lookup(name)._is_text_encoding
    except LookupError:
        return False
