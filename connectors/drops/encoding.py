"""Bytes in whatever encoding -> UTF-8 bytes without a byte order mark; never with a character lost."""

from __future__ import annotations

import codecs

from connectors.drops.refusal import Refused
from transforms.findings import Findings, of_file

CHUNK = 1 << 20
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


def utf8(name: str, data: bytes, declared: str | None, strict: bool) -> tuple[bytes, list[Findings]]:
    """Give the file as UTF-8.

    A byte order mark decides; then the declared encoding, strictly; then UTF-8, strictly; then
    Windows-1252. Raises `Refused` if none of them fits.
    """
    if data.startswith(UTF32):
        raise Refused("bad_encoding", name, "UTF-32")
    if data.startswith(codecs.BOM_UTF8):
        data = data[len(codecs.BOM_UTF8) :]
        declared = None
    elif data.startswith(UTF16):
        return _recoded(name, data, "utf-16"), [of_file("utf16", name, strict=strict)]
    elif _interleaved_nuls(data):
        raise Refused("bad_encoding", name, "UTF-16 without a byte order mark")
    if declared:
        return _recoded(name, data, declared), []
    wrong = None if data.isascii() else _not_utf8(data)
    if wrong is None:
        return data, []
    _refuse_cut_character(name, data, wrong)
    return _recoded(name, data, "cp1252"), [of_file("encoding_fallback", name, _where(wrong), strict=strict)]


def _interleaved_nuls(data: bytes) -> bool:
    start = data[:4096]
    halves = (start[0::2], start[1::2])
    return any(half and half.count(0) * 10 >= len(half) * 7 for half in halves) and start.count(0) < len(start)


def _recoded(name: str, data: bytes, encoding: str) -> bytes:
    try:
        return data.decode(encoding).removeprefix("\ufeff").encode()
    except UnicodeError as error:
        where = _where(error.start) if isinstance(error, UnicodeDecodeError) else "invalid characters"
        raise Refused("bad_encoding", name, f"{encoding}: {where}") from error
    except (LookupError, ValueError) as error:
        raise Refused("bad_encoding", name, f"there is no encoding {encoding!r}") from error


def _not_utf8(data: bytes) -> int | None:
    """Give the offset of the first byte that is not UTF-8; a piece at a time, so that memory stays flat."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(data), CHUNK):
        kept = len(decoder.getstate()[0])
        try:
            decoder.decode(data[start : start + CHUNK], final=start + CHUNK >= len(data))
        except UnicodeDecodeError as error:
            return start - kept + error.start
    return None


def _refuse_cut_character(name: str, data: bytes, wrong: int) -> None:
    """Raise `Refused` if a file that is UTF-8 up to there ends inside a character: it was cut short."""
    before, tail = data[:wrong], data[wrong:]
    if len(tail) < 4 and not before.isascii() and not codecs.getincrementaldecoder("utf-8")("ignore").decode(tail):
        raise Refused("file_truncated", name, f"inside a character, {_where(wrong)}")


def _where(offset: int) -> str:
    return f"byte {offset}"
