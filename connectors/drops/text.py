"""The text of a CSV file: its kind, encoding, line ends, escapes, header and single records."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import cache

import polars as pl

from connectors.drops.members import Refused
from transforms.findings import ROW, Findings, file_finding

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
# OpenPGP packets 1, 2, 3, 9 and 18 in the old and the new format (RFC 9580, 4.2). No header starts
# with one of these bytes.
PGP = frozenset(b"\x84\x85\x86\x88\x89\x8c\x8d\xa4\xc1\xc2\xc3\xc9\xd2")
MARKUP = ((b"<", "HTML or XML"), (b"{", "JSON"), (b"[", "JSON"))


def refuse_other_payload(name: str, data: bytes) -> None:
    """Raise `Refused` if the bytes are of another kind of file, such as a workbook."""
    start = data[:512].removeprefix(b"\xef\xbb\xbf").lstrip()
    kinds = [kind for magic, kind in MAGIC if data.startswith(magic)]
    kinds += [kind for magic, kind in MARKUP if start.startswith(magic)]
    if start[:1] and start[0] in PGP and any(byte < 9 for byte in start):
        kinds.append("PGP encrypted")
    if kinds:
        raise Refused("not_csv", name, kinds[0])


CHUNK = 1 << 20
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


def to_utf8(
    name: str, data: bytes, declared: str | None, strict: bool
) -> tuple[bytes, list[Findings]]:
    """Convert the file to UTF-8 without a byte order mark.

    A byte order mark decides the encoding, then the declared encoding, then whether the bytes are
    valid UTF-8; otherwise the file is read as Windows-1252. Raises `Refused` if it does not decode.
    """
    if data.startswith(UTF32):
        raise Refused("bad_encoding", name, "UTF-32")
    if data.startswith(codecs.BOM_UTF8):
        data = data[len(codecs.BOM_UTF8) :]
        declared = None
    elif data.startswith(UTF16):
        return _recode(name, data, "utf-16"), [file_finding("utf16", name, strict=strict)]
    elif _has_interleaved_nuls(data):
        raise Refused("bad_encoding", name, "UTF-16 without a byte order mark")
    if declared:
        return _recode(name, data, declared), []
    wrong = None if data.isascii() else _first_invalid_byte(data)
    if wrong is None:
        return data, []
    _refuse_cut_character(name, data, wrong)
    return _recode(name, data, "cp1252"), [
        file_finding("encoding_fallback", name, f"byte {wrong}", strict=strict)
    ]


def _has_interleaved_nuls(data: bytes) -> bool:
    start = data[:4096]
    halves = (start[0::2], start[1::2])
    return any(half and half.count(0) * 10 >= len(half) * 7 for half in halves) and start.count(
        0
    ) < len(start)


def _recode(name: str, data: bytes, encoding: str) -> bytes:
    try:
        return data.decode(encoding).removeprefix("\ufeff").encode()
    except UnicodeDecodeError as error:
        raise Refused("bad_encoding", name, f"{encoding}: byte {error.start}") from error
    except UnicodeError as error:
        raise Refused("bad_encoding", name, f"{encoding}: invalid characters") from error
    except (LookupError, ValueError) as error:
        raise Refused("bad_encoding", name, f"there is no encoding {encoding!r}") from error


def _first_invalid_byte(data: bytes) -> int | None:
    """Return the offset of the first byte that is not UTF-8.

    The data is decoded in chunks to keep memory flat.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(data), CHUNK):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(data[start : start + CHUNK], final=start + CHUNK >= len(data))
        except UnicodeDecodeError as error:
            return start - pending + error.start
    return None


def _refuse_cut_character(name: str, data: bytes, wrong: int) -> None:
    """Raise `Refused` if a file is UTF-8 up to `wrong` and ends inside a character: it was cut."""
    before, tail = data[:wrong], data[wrong:]
    if (
        len(tail) < 4
        and not before.isascii()
        and not codecs.getincrementaldecoder("utf-8")("ignore").decode(tail)
    ):
        raise Refused("file_truncated", name, f"inside a character, byte {wrong}")


def to_lf(data: bytes) -> bytes:
    """Convert every line end to LF."""
    if b"\r" not in data:
        return data
    # CR CR LF is one line end that was converted twice.
    return data.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def unusual_line_ends(name: str, data: bytes) -> list[Findings]:
    """Report a file with lone CRs or mixed line ends. Line breaks inside quotes do not count."""
    if b"\r" not in data:
        return []
    lines = b'"'.join(data.split(b'"')[0::2])
    pairs = lines.count(b"\r\n")
    lone_cr, lone_lf = lines.count(b"\r") - pairs, lines.count(b"\n") - pairs
    if not lone_cr and not (pairs and lone_lf):
        return []
    return [file_finding("line_ends", name, f"CR LF {pairs}, CR {lone_cr}, LF {lone_lf}")]


# Placeholders for escaped characters. Unicode reserves these code points for internal use.
_PLACEHOLDERS: dict[bytes, str] = {b'"': "\ufdd0", b"\\": "\ufdd1"}
_CHARACTERS: dict[str, str] = {
    placeholder: sign.decode() for sign, placeholder in _PLACEHOLDERS.items()
}
_TRANSLATION = str.maketrans(_CHARACTERS)


def hide_escapes(text: bytes, escape: str) -> bytes:
    """Replace escaped characters by placeholders, and escaped line breaks by spaces."""
    if not escape or escape.encode() not in text:
        return text
    mark = re.escape(escape.encode())
    return re.sub(
        mark + rb'(\\|"|\r?\n)', lambda match: _PLACEHOLDERS.get(match[1], " ").encode(), text
    )


def restore_escapes(frame: pl.DataFrame, escape: str) -> pl.DataFrame:
    """Replace placeholders in a frame by the characters that they stand for."""
    return frame.with_columns(pl.col(pl.String).str.replace_many(_CHARACTERS)) if escape else frame


def restore_escapes_in_row(cells: tuple[str, ...], escape: str) -> tuple[str, ...]:
    """Replace placeholders in the cells of a row by the characters that they stand for."""
    return tuple(cell.translate(_TRANSLATION) for cell in cells) if escape else cells


INVISIBLE = " \t\r\n\u00a0\u200b\ufeff"
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
# These are values and never column names: an e-mail address, a UUID, a date.
CERTAIN_DATA = re.compile(
    r"[^@\s]+@[^@\s]+\.[^@\s]+"
    r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|\d{4}-\d\d?-\d\d?([T ].*)?"
    r"|\d\d?/\d\d?/\d{2,4}",
    re.IGNORECASE,
)
# These are rarely column names: blank, a number, a flag, or text that begins with punctuation.
LIKELY_DATA = re.compile(r"|[-+]?[\d.,:/ ]+|true|false|null|[^\w*#'\"(].*", re.IGNORECASE)
# How column names end in every known layout: sourcedId, School SIS ID, First Name, Grade.
COLUMN_WORD = re.compile(
    r".*(id|name|code|type|role|status|date|email|grade|grades|title|year|number)", re.IGNORECASE
)


@dataclass(frozen=True)
class Header:
    """The header of a file."""

    cells: tuple[str, ...]  # trimmed; blank where a column has no name
    delimiter: bytes
    start: int  # offset of the first record
    skipped: int  # blank lines above the header

    @property
    def columns(self) -> list[str]:
        """A unique name for each column.

        If the header has none, or has it before, it is a line feed, which no header contains, and
        the position.
        """
        first = {cell: position for position, cell in reversed([*enumerate(self.cells)])}
        return [
            cell if cell and first[cell] == position else f"\n{position}"
            for position, cell in enumerate(self.cells)
        ]

    @property
    def unnamed(self) -> list[str]:
        """The columns without a name in the header, as in `columns`."""
        return [column for column, cell in zip(self.columns, self.cells, strict=True) if not cell]

    @property
    def repeated(self) -> dict[str, list[str]]:
        """The columns that share a name with others, by that name, as in `columns`."""
        columns = [*zip(self.columns, self.cells, strict=True)]
        return {
            name: [column for column, cell in columns if cell == name]
            for name in sorted(set(self.cells))
            if name and self.cells.count(name) > 1
        }


def find_header(name: str, data: bytes) -> Header:
    """Find the header of a file whose lines end in LF.

    Raises `Refused` if the file is blank, or has no header that can be trusted.
    """
    start = _first_line(data)
    if start == len(data):
        raise Refused("file_blank", name)
    delimiter = _find_delimiter(name, data, start)
    record = _header_record(name, data, start, delimiter)
    cells = _names_in(record)
    if CONTROL.search("".join(cells)):
        raise Refused("not_csv", name, "control characters in the header")
    _refuse_data(name, cells)
    _refuse_title(name, data, cells, record.end + 1)
    if ROW in cells:
        raise Refused("header_twice", name, f"{ROW} is the name of the row number")
    return Header(cells, delimiter, min(record.end + 1, len(data)), data.count(b"\n", 0, start))


def _first_line(data: bytes) -> int:
    """Return the offset of the first line that is not blank, or of the end of the file."""
    blank = re.match(rb"(?:[ \t,;]*+\n)*+", data)
    start = blank.end() if blank else 0
    # The first test spares a copy of the whole file.
    if data[start : start + 4096].strip(b" \t,;\n") or data[start:].strip(b" \t,;\n"):
        return start
    return len(data)


def _find_delimiter(name: str, data: bytes, start: int) -> bytes:
    """Return the one character that separates the header's cells. Raises `Refused` if unclear."""
    marks = [
        mark
        for mark in (b",", b";", b"\t", b"|")
        if len(_header_record(name, data, start, mark).cells) > 1
    ]
    if len(marks) > 1 or marks == [b"|"]:
        raise Refused(
            "delimiter_unclear",
            name,
            "the header holds " + " and ".join(repr(mark.decode()) for mark in marks),
        )
    return marks[0] if marks else b","


def _header_record(name: str, data: bytes, start: int, delimiter: bytes) -> CsvRecord:
    try:
        return read_record(data, start, delimiter)
    except OpenQuoteError as error:
        raise Refused("file_truncated", name, "a quote in the header is never closed") from error


def _names_in(record: CsvRecord) -> tuple[str, ...]:
    return tuple(
        cell.decode("utf-8", "replace").strip(INVISIBLE).replace("\n", " ") for cell in record.cells
    )


def _refuse_data(name: str, cells: tuple[str, ...]) -> None:
    """Raise `Refused` if the cells are values, not names. Blank cells at the end do not count."""
    last = max((position for position, cell in enumerate(cells) if cell), default=-1)
    certain = [cell for cell in cells if CERTAIN_DATA.fullmatch(cell)]
    likely = [cell for cell in cells[: last + 1] if LIKELY_DATA.fullmatch(cell)]
    if certain or len(likely) * 2 > last + 1:
        raise Refused("no_header", name, "line 1")


def _refuse_title(name: str, data: bytes, cells: tuple[str, ...], second: int) -> None:
    """Raise `Refused` if line 1 is a title: line 2 looks more like column names."""
    if second >= len(data):
        return
    try:
        cells_below = max(
            (_names_in(read_record(data, second, mark)) for mark in (b",", b";", b"\t")), key=len
        )
    except OpenQuoteError:
        return  # reported when the rows are read
    filled, filled_below = sum(map(bool, cells)), sum(map(bool, cells_below))
    words, words_below = _count_column_words(cells), _count_column_words(cells_below)
    if (
        filled != filled_below
        and words < 2 <= words_below
        and words_below * 2 >= filled_below
        and not any(map(_is_value, cells_below))
    ):
        raise Refused(
            "no_header", name, f"line 1 stands above the header: {', '.join(filter(None, cells))}"
        )


def _count_column_words(cells: tuple[str, ...]) -> int:
    return sum(1 for cell in cells if COLUMN_WORD.fullmatch(cell))


def _is_value(cell: str) -> bool:
    return bool(cell and (CERTAIN_DATA.fullmatch(cell) or LIKELY_DATA.fullmatch(cell)))


QUOTED = re.compile(rb'"[^"]*+(?:""[^"]*+)*+"')


class OpenQuoteError(Exception):
    """A quote is open at the end of the file."""


@dataclass(frozen=True)
class CsvRecord:
    """One record of a file."""

    cells: tuple[bytes, ...]
    end: int  # offset of the line feed behind it, or of the end of the file
    stray: bool  # an unquoted cell contains a quote
    damaged: bool  # text follows a closing quote

    @property
    def blank(self) -> bool:
        """Whether all cells are blank."""
        return not any(cell.strip() for cell in self.cells)


def read_record(data: bytes, start: int, delimiter: bytes) -> CsvRecord:
    """Read the record that begins at `start`; lines must end in LF.

    Raises `OpenQuoteError` if a quote is never closed.
    """
    bare = unquoted_pattern(delimiter)
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
            # The pattern also matches nothing, so there is always a match.
            stray = stray or b'"' in bare.match(data, end)[0]  # type: ignore[index]
        rest: bytes = bare.match(data, end)[0]  # type: ignore[index]
        cells.append(cell + rest)
        end += len(rest)
        if data[end : end + 1] != delimiter:
            return CsvRecord(tuple(cells), end, stray, damaged)
        end += 1


@cache
def unquoted_pattern(delimiter: bytes) -> re.Pattern[bytes]:
    """Return a pattern for the rest of a cell, up to the delimiter or the end of the line."""
    return re.compile(rb"[^%b\n]*+" % delimiter)


@cache
def sound_line_pattern(delimiter: bytes, width: int) -> re.Pattern[bytes]:
    """Return a pattern for a line of `width` cells, each quoted by RFC 4180 or without quotes."""
    cell = rb'(?>"[^"]*+(?:""[^"]*+)*+"|[^"%b]*+)' % delimiter
    return re.compile(rb"%b(?:%b%b){%d}" % (cell, delimiter, cell, width - 1))


def format_line(cells: tuple[bytes, ...], delimiter: bytes) -> bytes:
    """Write the cells as one sound line: the reverse of `read_record`.

    Line breaks in cells become spaces.
    """
    return delimiter.join(_quote(cell.replace(b"\n", b" "), delimiter) for cell in cells)


def _quote(cell: bytes, delimiter: bytes) -> bytes:
    if b'"' in cell or delimiter in cell:
        return b'"' + cell.replace(b'"', b'""') + b'"'
    return cell
