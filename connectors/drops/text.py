"""The header: where it is, which character separates its cells, and whether it is one at all."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import cache

import polars as pl

from connectors.drops.members import Refused
from transforms.findings import ROW, Findings, of_file

INVISIBLE = " \t\r\n\u00a0\u200b\ufeff"
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
# No column is called so; values are.
CERTAIN_DATA = re.compile(
    r"[^@\s]+@[^@\s]+\.[^@\s]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d?-\d\d?([T ].*)?|\d\d?/\d\d?/\d{2,4}",
    re.IGNORECASE,
)
LIKELY_DATA = re.compile(r"|[-+]?[\d.,:/ ]+|true|false|null|[^\w*#'\"(].*", re.IGNORECASE)
# How names of columns end in every layout known: sourcedId, School SIS ID, First Name, course_id, Grade.
COLUMN_WORD = re.compile(
    r".*(id|name|code|type|role|status|date|email|grade|grades|title|year|number)", re.IGNORECASE
)


@dataclass(frozen=True)
class Header:
    """The header's cells, trimmed, a blank one where a column has no name; the records begin at `start`."""

    cells: tuple[str, ...]
    delimiter: bytes
    start: int
    skipped: int

    @property
    def columns(self) -> list[str]:
        """One name a column; a line feed, which no header has, begins the name of a column without one."""
        return [cell or f"\n{position}" for position, cell in enumerate(self.cells)]

    @property
    def unnamed(self) -> list[str]:
        """The columns without a name."""
        return [column for column in self.columns if column.startswith("\n")]


def header_of(name: str, data: bytes) -> Header:
    """Find the header of a file whose lines end in LF; raise `Refused` if it has none that can be trusted."""
    start = _first_line(data)
    if start == len(data):
        raise Refused("file_blank", name)
    delimiter = _delimiter(name, data, start)
    record = _record(name, data, start, delimiter)
    cells = _names(record)
    if CONTROL.search("".join(cells)):
        raise Refused("not_csv", name, "control characters in the header")
    _refuse_data(name, cells)
    _refuse_title(name, data, cells, record.end + 1)
    _refuse_twice(name, cells)
    return Header(cells, delimiter, min(record.end + 1, len(data)), data.count(b"\n", 0, start))


def _first_line(data: bytes) -> int:
    """Give the offset of the first line that is not blank."""
    blank = re.match(rb"(?:[ \t,;]*+\n)*+", data)
    start = blank.end() if blank else 0
    return (
        start
        if data[start : start + 4096].strip(b" \t,;\n") or data[start:].strip(b" \t,;\n")
        else len(data)
    )


def _delimiter(name: str, data: bytes, start: int) -> bytes:
    """Find the one character that separates the header's cells."""
    found = [
        mark
        for mark in (b",", b";", b"\t", b"|")
        if len(_record(name, data, start, mark).cells) > 1
    ]
    if len(found) > 1 or found == [b"|"]:
        raise Refused(
            "delimiter_unclear",
            name,
            "the header holds " + " and ".join(repr(m.decode()) for m in found),
        )
    return found[0] if found else b","


def _record(name: str, data: bytes, start: int, delimiter: bytes) -> CsvRecord:
    try:
        record = record_at(data, start, delimiter)
    except OpenQuoteError as error:
        raise Refused("file_truncated", name, "a quote in the header is never closed") from error
    return record


def _names(record: CsvRecord) -> tuple[str, ...]:
    cells = (
        cell.decode("utf-8", "replace").strip(INVISIBLE).replace("\n", " ") for cell in record.cells
    )
    return tuple(cells)


def _refuse_data(name: str, cells: tuple[str, ...]) -> None:
    """Raise `Refused` if the cells are values rather than names. Separators at the end do not count."""
    last = max((position for position, cell in enumerate(cells) if cell), default=-1)
    certain = [cell for cell in cells if CERTAIN_DATA.fullmatch(cell)]
    likely = [cell for cell in cells[: last + 1] if LIKELY_DATA.fullmatch(cell)]
    if certain or len(likely) * 2 > last + 1:
        raise Refused("no_header", name, "line 1")


def _refuse_title(name: str, data: bytes, cells: tuple[str, ...], second: int) -> None:
    """Raise `Refused` if a line stands above the header: line 2 has names of columns, more than line 1."""
    if second >= len(data):
        return
    try:
        names = max(
            (_names(record_at(data, second, mark)) for mark in (b",", b";", b"\t")), key=len
        )
    except OpenQuoteError:
        return  # told when the rows are read
    filled, under = sum(map(bool, cells)), sum(map(bool, names))
    words, words_below = _column_words(cells), _column_words(names)
    if (
        filled != under
        and words < 2 <= words_below
        and words_below * 2 >= under
        and not any(map(_is_value, names))
    ):
        raise Refused(
            "no_header", name, f"line 1 stands above the header: {', '.join(filter(None, cells))}"
        )


def _column_words(cells: tuple[str, ...]) -> int:
    return sum(1 for cell in cells if COLUMN_WORD.fullmatch(cell))


def _is_value(cell: str) -> bool:
    return bool(cell and (CERTAIN_DATA.fullmatch(cell) or LIKELY_DATA.fullmatch(cell)))


def _refuse_twice(name: str, cells: tuple[str, ...]) -> None:
    named = [cell for cell in cells if cell]
    again = sorted({cell for cell in named if named.count(cell) > 1})
    if again:
        raise Refused("header_twice", name, ", ".join(again))
    if ROW in named:
        raise Refused("header_twice", name, f"{ROW} is the name of the row number")


CHUNK = 1 << 20
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


def utf8(
    name: str, data: bytes, declared: str | None, strict: bool
) -> tuple[bytes, list[Findings]]:
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
    return _recoded(name, data, "cp1252"), [
        of_file("encoding_fallback", name, _where(wrong), strict=strict)
    ]


def _interleaved_nuls(data: bytes) -> bool:
    start = data[:4096]
    halves = (start[0::2], start[1::2])
    return any(half and half.count(0) * 10 >= len(half) * 7 for half in halves) and start.count(
        0
    ) < len(start)


def _recoded(name: str, data: bytes, encoding: str) -> bytes:
    try:
        return data.decode(encoding).removeprefix("\ufeff").encode()
    except UnicodeError as error:
        where = (
            _where(error.start) if isinstance(error, UnicodeDecodeError) else "invalid characters"
        )
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
    if (
        len(tail) < 4
        and not before.isascii()
        and not codecs.getincrementaldecoder("utf-8")("ignore").decode(tail)
    ):
        raise Refused("file_truncated", name, f"inside a character, {_where(wrong)}")


def _where(offset: int) -> str:
    return f"byte {offset}"


def only_lf(data: bytes) -> bytes:
    """Give the bytes with every line end as LF."""
    # CR CR LF is one line end that was converted twice.
    return (
        data.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if b"\r" in data
        else data
    )


def odd_line_ends(name: str, data: bytes) -> list[Findings]:
    """Report lines that end in a lone CR, or in several ways. What stands in quotes ends no line."""
    if b"\r" not in data:
        return []
    lines = b'"'.join(data.split(b'"')[0::2])
    pairs = lines.count(b"\r\n")
    lone_cr, lone_lf = lines.count(b"\r") - pairs, lines.count(b"\n") - pairs
    if not lone_cr and not (pairs and lone_lf):
        return []
    return [of_file("line_ends", name, f"CR LF {pairs}, CR {lone_cr}, LF {lone_lf}")]


_ASIDE: dict[bytes, str] = {b'"': "\ufdd0", b"\\": "\ufdd1"}
_BACK: dict[str, str] = {aside: sign.decode() for sign, aside in _ASIDE.items()}
_TRANSLATED = str.maketrans({aside: sign.decode() for sign, aside in _ASIDE.items()})


def set_aside(text: bytes, escape: str) -> bytes:
    """Put escaped signs out of the parser's way; an escaped line break becomes a space."""
    if not escape or escape.encode() not in text:
        return text
    mark = re.escape(escape.encode())
    return re.sub(mark + rb'(\\|"|\r?\n)', lambda found: _ASIDE.get(found[1], " ").encode(), text)


def put_back(frame: pl.DataFrame, escape: str) -> pl.DataFrame:
    """Write escaped signs as what they are."""
    return frame.with_columns(pl.col(pl.String).str.replace_many(_BACK)) if escape else frame


def put_back_in(cells: tuple[str, ...], escape: str) -> tuple[str, ...]:
    """Write escaped signs of a row as what they are."""
    return tuple(cell.translate(_TRANSLATED) for cell in cells) if escape else cells


MAGIC = (
    (b"PK\x03\x04", "a zip or an Excel workbook"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"7z\xbc\xaf", "7z"),
    (b"Rar!", "rar"),
    (b"\x28\xb5\x2f\xfd", "zstandard"),
    (b"%PDF", "a PDF"),
    (b"SQLite format 3", "an SQLite file"),
    (b"-----BEGIN PGP", "PGP encrypted"),
)
# OpenPGP packets 1, 2, 3, 9 and 18 in the old and the new format (RFC 9580, 4.2); as text, none starts a header.
PGP = frozenset(b"\x84\x85\x86\x88\x89\x8c\x8d\xa4\xc1\xc2\xc3\xc9\xd2")
MARKUP = ((b"<", "HTML or XML"), (b"{", "JSON"), (b"[", "JSON"))


def refuse_other_payload(name: str, data: bytes) -> None:
    """Raise `Refused` if the bytes are those of another kind of file."""
    start = data[:512].removeprefix(b"\xef\xbb\xbf").lstrip()
    kinds = [kind for magic, kind in MAGIC if data.startswith(magic)]
    kinds += [kind for magic, kind in MARKUP if start.startswith(magic)]
    if start[:1] and start[0] in PGP and any(byte < 9 for byte in start):
        kinds.append("PGP encrypted")
    if kinds:
        raise Refused("not_csv", name, kinds[0])


QUOTED = re.compile(rb'"[^"]*+(?:""[^"]*+)*+"')


class OpenQuoteError(Exception):
    """A quote is open at the end of the file."""


@dataclass(frozen=True)
class CsvRecord:
    """The cells of a record; it ends at `end`, where a line feed is or the file ends.

    `stray`: a quote stands in an unquoted cell. `damaged`: text follows a closing quote.
    """

    cells: tuple[bytes, ...]
    end: int
    stray: bool
    damaged: bool

    @property
    def blank(self) -> bool:
        """Whether no cell holds anything."""
        return not any(cell.strip() for cell in self.cells)


def record_at(data: bytes, start: int, delimiter: bytes) -> CsvRecord:
    """Read the record that begins at `start`; lines end in LF. Raises `OpenQuoteError`."""
    bare = unquoted(delimiter)
    cells: list[bytes] = []
    stray = damaged = False
    end = start
    while True:
        cell = b""
        if data[end : end + 1] == b'"':
            quoted = QUOTED.match(data, end)
            if quoted is None:
                raise OpenQuoteError
            cell, end = quoted[0][1:-1].replace(b'""', b'"'), quoted.end()
            damaged = damaged or data[end : end + 1] not in (delimiter, b"\n", b"")
        else:
            stray = stray or b'"' in bare.match(data, end)[0]  # type: ignore[index]  # it matches nothing, too
        rest: bytes = bare.match(data, end)[0]  # type: ignore[index]
        cells.append(cell + rest)
        end += len(rest)
        if data[end : end + 1] != delimiter:
            return CsvRecord(tuple(cells), end, stray, damaged)
        end += 1


@cache
def unquoted(delimiter: bytes) -> re.Pattern[bytes]:
    """Match the rest of a cell up to the delimiter or the line's end."""
    return re.compile(rb"[^%b\n]*+" % delimiter)


@cache
def sound_line(delimiter: bytes, width: int) -> re.Pattern[bytes]:
    """Match a whole line of `width` cells, each quoted by RFC 4180 or without quotes."""
    cell = rb'(?>"[^"]*+(?:""[^"]*+)*+"|[^"%b]*+)' % delimiter
    return re.compile(rb"%b(?:%b%b){%d}" % (cell, delimiter, cell, width - 1))


def line_of(cells: tuple[bytes, ...], delimiter: bytes) -> bytes:
    """Write the cells as one sound line; line breaks in cells become spaces. The reverse of `record_at`."""
    return delimiter.join(_written(cell.replace(b"\n", b" "), delimiter) for cell in cells)


def _written(cell: bytes, delimiter: bytes) -> bytes:
    if b'"' in cell or delimiter in cell:
        return b'"' + cell.replace(b'"', b'""') + b'"'
    return cell
