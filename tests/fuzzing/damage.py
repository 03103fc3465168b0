"""What happens to bytes on their way: cut, swapped, doubled, overwritten, put into another encoding, zipped and broken."""

from __future__ import annotations

import codecs
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st

Change = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Damage:
    """Something that happens to bytes, and the words for it."""

    what: str
    happens: Change = field(repr=False)

    def __repr__(self) -> str:
        return self.what


# Whatever means something to a reader of CSV, of text or of zips.
SIGNS = (
    b'"', b'""', b'","', b"'", b",", b";", b"\t", b"|", b"\n", b"\r", b"\r\n", b"\n\n", b"\\", b'\\"', b"\x00", b"\x07", b"\x1a",
    b"\xff", b"\xc3", b"\xe9", b"\x81", b"\xa0", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE,
    "\u3000".encode(), "\u200b".encode(), "\u2028".encode(), "\u0085".encode(), "e\u0301".encode(), "😀".encode(), b"=1+1", b"#row",
    b"PK\x03\x04", b"<html>", b"sep=;\n",
)  # fmt: skip
ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "cp932")


@st.composite
def damages(draw: st.DrawFn) -> Damage:
    """Draw something that happens to the bytes of a file."""
    place, length = draw(st.floats(0, 1)), draw(st.integers(1, 40))
    sign, other = draw(st.sampled_from(SIGNS)), draw(st.sampled_from(SIGNS))
    kinds: dict[str, Change] = {
        f"insert {sign!r} at {place}": _inserted(place, sign),
        f"write {sign!r} over what is at {place}": _overwritten(place, sign),
        f"remove {length} bytes at {place}": _removed(place, length),
        f"cut at {place}": _cut(place),
        f"swap the line at {place} with one {length} further": _swapped(place, length),
        f"double the line at {place}": _doubled(place),
        f"move {length} bytes from {place} to the middle": _moved(place, length),
        f"replace {sign!r} by {other!r}": lambda data: data.replace(sign, other),
        **{f"write in {encoding}": _encoded(encoding) for encoding in ENCODINGS},
    }
    return Damage(*draw(st.sampled_from(list(kinds.items()))))


def overwritten(place: float, sign: bytes) -> Damage:
    """Write something over what is at a place (0 to 1)."""
    return Damage(f"write {sign!r} over what is at {place}", _overwritten(place, sign))


def damaged(data: bytes, harm: list[Damage]) -> bytes:
    """Let everything happen to the bytes that was drawn."""
    for one in harm:
        data = one.happens(data)
    return data


def _at(data: bytes, place: float) -> int:
    return int(place * len(data))


def _inserted(place: float, sign: bytes) -> Change:
    return lambda data: data[: _at(data, place)] + sign + data[_at(data, place) :]


def _overwritten(place: float, sign: bytes) -> Change:
    return lambda data: data[: _at(data, place)] + sign + data[_at(data, place) + len(sign) :]


def _removed(place: float, length: int) -> Change:
    return lambda data: data[: _at(data, place)] + data[_at(data, place) + length :]


def _cut(place: float) -> Change:
    return lambda data: data[: _at(data, place)]


def _moved(place: float, length: int) -> Change:
    def moved(data: bytes) -> bytes:
        piece = data[_at(data, place) : _at(data, place) + length]
        return _inserted(0.5, piece)(_removed(place, length)(data))

    return moved


def _lines(change: Callable[[list[bytes], int], object], place: float) -> Change:
    def changed(data: bytes) -> bytes:
        lines = data.splitlines(keepends=True)
        if lines:
            change(lines, min(int(place * len(lines)), len(lines) - 1))
        return b"".join(lines)

    return changed


def _swapped(place: float, distance: int) -> Change:
    def swap(lines: list[bytes], at: int) -> None:
        other = (at + distance) % len(lines)
        lines[at], lines[other] = lines[other], lines[at]

    return _lines(swap, place)


def _doubled(place: float) -> Change:
    return _lines(lambda lines, at: lines.insert(at, lines[at]), place)


def _encoded(encoding: str) -> Change:
    return lambda data: data.decode("utf-8", "replace").encode(encoding, "replace")


def zipped(files: dict[str, bytes]) -> bytes:
    """Put the files of a drop into a zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()
