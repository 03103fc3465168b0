"""One specimen of each defect of bytes and structure, and what becomes of its rows."""

from __future__ import annotations

import codecs
import gzip
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from connectors.drops import read
from transforms.roster import Raw


@dataclass(frozen=True)
class Case:
    """A file, the rules it breaks and its rows; `rows` is None if it is refused, `ragged` are row numbers."""

    name: str
    data: bytes
    rules: tuple[str, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] | None = None
    ragged: tuple[int, ...] = field(default=())


ANA, BO = ("1", "Ana"), ("2", "Bo")
NAMES = "id,name\n1,José\n2,Ñuñez\n"
UTF8 = (("1", "José"), ("2", "Ñuñez"))

BYTES = (
    Case("plain", b"id,name\n1,Ana\n2,Bo\n", (), (ANA, BO)),
    Case("leading zeros stay", b"id,name\n007,1e5\n", (), (("007", "1e5"),)),
    Case("padding stays", b"id,name\n 1, Ana \n", (), ((" 1", " Ana "),)),
    Case("formulas and NULL stay", b"id,name\n=1+1,NULL\n", (), (("=1+1", "NULL"),)),
    Case("UTF-8 byte order mark", codecs.BOM_UTF8 + NAMES.encode(), (), UTF8),
    Case("UTF-16 LE", NAMES.encode("utf-16"), ("utf16",), UTF8),
    Case("UTF-16 BE", codecs.BOM_UTF16_BE + NAMES.encode("utf-16-be"), ("utf16",), UTF8),
    Case(
        "Excel's Unicode text",
        "id\tname\r\n1\tJosé\r\n".encode("utf-16"),
        ("delimiter", "utf16"),
        UTF8[:1],
    ),
    Case("UTF-16 cut in two", NAMES.encode("utf-16")[:-1], ("bad_encoding",)),
    Case("UTF-16 without a mark", NAMES.encode("utf-16-le"), ("bad_encoding",)),
    Case("UTF-32", codecs.BOM_UTF32_LE + NAMES.encode("utf-32-le"), ("bad_encoding",)),
    Case("Windows-1252", NAMES.encode("cp1252"), ("encoding_fallback",), UTF8),
    Case("not Windows-1252 either", b"id,name\n1,\x81\xff\n", ("bad_encoding",)),
    Case("cut inside a character", "id,name\n1,José\n2,Jos\xe9".encode()[:-1], ("file_truncated",)),
    Case(
        "double-encoded",
        "id,name\n1,José\n".encode().decode("cp1252").encode(),
        ("mojibake",),
        (("1", "JosÃ©"),),
    ),
    Case(
        "replacement character",
        "id,name\n1,Jos\ufffd\n".encode(),
        ("mojibake",),
        (("1", "Jos\ufffd"),),
    ),
    Case("Portuguese capitals", "id,name\n1,JOÃO\n".encode(), (), (("1", "JOÃO"),)),
    Case(
        "only spaces, of any width",
        "id,name,x\n1,\u3000\u00a0,  \n".encode(),
        (),
        (("1", None, None),),
    ),
    Case("NUL", b"id,name\n1,A\x00na\n2,Bo\n", ("control_character",), (BO,), (1,)),
    Case("bell in quotes", b'id,name\n1,"A\x07na"\n2,Bo\n', ("control_character",), (BO,), (1,)),
    Case("tab in a cell stays", b"id,name\n1,A\tna\n", (), (("1", "A\tna"),)),
    Case("control character in the header", b"id,na\x01me\n1,Ana\n", ("not_csv",)),
    Case("CR LF", b"id,name\r\n1,Ana\r\n2,Bo\r\n", (), (ANA, BO)),
    Case("classic Mac", b"id,name\r1,Ana\r2,Bo\r", ("line_ends",), (ANA, BO)),
    Case("mixed", b"id,name\r\n1,Ana\n2,Bo\r\n", ("line_ends",), (ANA, BO)),
    Case("only the header differs", b"id,name\r\n1,Ana\n2,Bo\n", ("line_ends",), (ANA, BO)),
    Case("CR CR LF", b"id,name\r\r\n1,Ana\r\r\n", ("line_ends",), (ANA,)),
    Case("no final newline", b"id,name\n1,Ana\n2,Bo", (), (ANA, BO)),
    Case(
        "all rows short, no final newline",
        b"id,name,room\n1,Ana\n2,Bo",
        ("row_padded",),
        (("1", "Ana", None), ("2", "Bo", None)),
    ),
    Case("one row, cut short", b"id,name,room\n1,Ana", ("file_truncated",)),
    Case("last row shorter", b"id,name,room\n1,Ana\n2", ("file_truncated",)),
    Case("last row short", b"id,name\n1,Ana\n2", ("file_truncated",)),
    Case("open quote at the end", b'id,name\n1,Ana\n2,"Bo\n', ("file_truncated",)),
    Case("no bytes", b"", ("file_blank",)),
    Case("one byte", b"\n", ("file_blank",)),
    Case("a byte order mark alone", codecs.BOM_UTF8, ("file_blank",)),
    Case("only blank lines", b"\r\n , \r\n\r\n", ("file_blank",)),
    Case("gzip", gzip.compress(b"id,name\n", mtime=0), ("not_csv",)),
    Case("Excel", b"PK\x03\x04\x14\x00xl/workbook.xml", ("not_csv",)),
    Case("old Excel", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ("not_csv",)),
    Case("error page", b"\r\n<!DOCTYPE html><p>Session expired, log in", ("not_csv",)),
    Case("PGP armor", b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n", ("not_csv",)),
    Case("PGP binary", b"\x85\x01\x0c\x03\x00\x01", ("not_csv",)),
    Case("JSON", b'[{"id": 1}]', ("not_csv",)),
)

STRUCTURE = (
    Case("header only", b"id,name\n", (), ()),
    Case("header only, no newline", b"id,name", (), ()),
    Case("no header row", b"17,Ana,ana@example.edu\n18,Bo,bo@example.edu\n", ("no_header",)),
    Case("numbers for a header", b"1,2024,x\n2,2025,y\n", ("no_header",)),
    Case(
        "title above the header",
        b"Export of Monday\nid,first_name,email\n1,Ana,x\n",
        ("no_header",),
    ),
    Case("padded title", b"Export,,\nid,first_name,email\n1,Ana,x\n", ("no_header",)),
    Case("separator hint", b"sep=;\nuser_id;first_name\n1;Ana\n", ("no_header",)),
    Case("trailing columns", b"id,name,,\n1,Ana,,\n", ("header_blank",), (ANA,)),
    Case(
        "trailing columns, short rows",
        b"id,name,,\n1,Ana\n",
        ("header_blank", "row_padded"),
        (ANA,),
    ),
    Case("data without a name", b"id,name,\n1,Ana,x\n2,Bo,\n", ("unnamed_cell",), (BO,), (1,)),
    Case(
        "a second column without values",
        b"id,role,role\n1,a,\n2,b,\n",
        ("header_repeated",),
        (("1", "a"), ("2", "b")),
    ),
    Case(
        "a first column without values",
        b"id,role,role\n1,,a\n",
        ("header_repeated",),
        (("1", "a"),),
    ),
    Case("duplicate header", b"id,role,role\n1,a,b\n", ("header_twice",)),
    Case("a column named #row", b"id,#row\n1,2\n", ("header_twice",)),
    Case("padded header", b' id ,"name" \n1,Ana\n'.replace(b'" ', b'"'), (), (ANA,)),
    Case("polars' own names", b"column_1,column_1_duplicated_0\n1,Ana\n", (), (ANA,)),
    Case("too few cells", b"id,name\n1\n2,Bo\n", ("ragged_row",), (BO,), (1,)),
    Case(
        "too few, all blank elsewhere",
        b"id,name,x\n1,Ana\n2,Bo,\n",
        ("row_padded",),
        ((*ANA, None), (*BO, None)),
    ),
    Case("too many cells", b"id,name\n1,Diaz, Ana\n2,Bo\n", ("ragged_row",), (BO,), (1,)),
    Case(
        "a blank one too many in every row", b"id,name\n1,Ana,\n2,Bo,\n", ("row_padded",), (ANA, BO)
    ),
    Case(
        "a blank one too many in one row", b"id,name\n1,Ana,,\n2,Bo\n", ("ragged_row",), (BO,), (1,)
    ),
    Case("one too many at the very end", b"id,name\n1,Ana\n2,Bo,", ("ragged_row",), (ANA,), (2,)),
    Case(
        "shifted by a comma",
        b"id,name,x\n1,Diaz, Ana,\n2,Bo,\n",
        ("ragged_row",),
        ((*BO, None),),
        (1,),
    ),
    Case(
        "short and long, adding up",
        b"id,name\n1\n2,Bo,3\n4,Di\n",
        ("ragged_row",),
        (("4", "Di"),),
        (1, 2),
    ),
    Case(
        "overwritten line",
        b"id,name\n1,Ana\n1,1\x5f30 emistry 3,4\n",
        ("ragged_row",),
        (ANA,),
        (2,),
    ),
    Case("quote never closed", b'id,name\n1,"Ana\n2,"Bo"\n3,Di\n', ("quote_unclosed",)),
    Case("ragged over several lines", b'id,name\n1,"A\nna",x\n2,Bo\n', ("quote_unclosed",)),
    Case("text after a quote", b'id,name\n1,"An"a\n2,Bo\n', ("quote_damaged",), (BO,), (1,)),
    Case(
        "quotes that polars drops", b'id,name\n"1"x"y",Ana\n2,Bo\n', ("quote_damaged",), (BO,), (1,)
    ),
    Case("backslash escapes", b'id,name\n1,"A \\"B\\" c"\n2,Bo\n', ("quote_damaged",), (BO,), (1,)),
    Case(
        "stray quotes",
        b'id,name\n1,A "B" c\n2,6" x\n',
        ("quote_stray",),
        (("1", 'A "B" c'), ("2", '6" x')),
    ),
    Case("doubled quotes", b'id,name\n1,"A ""B"" c"\n2,""\n', (), (("1", 'A "B" c'), ("2", None))),
    Case(
        "line break in quotes",
        b'id,name\n1,"A\r\nB"\n2,Bo\n',
        ("line_break_in_cell",),
        (("1", "A B"), BO),
    ),
    Case("semicolons", b"id;name\n1;Diaz, Ana\n", ("delimiter",), (("1", "Diaz, Ana"),)),
    Case("tabs", b"id\tname\n1\tAna\n", ("delimiter",), (ANA,)),
    Case("commas and semicolons", b"id;name,role\n1;Ana,x\n", ("delimiter_unclear",)),
    Case("bars", b"id|name\n1|Ana\n", ("delimiter_unclear",)),
    Case("one column", b"id\n1\n2\n", (), (("1",), ("2",))),
    Case("one column, blank lines", b"id\n1\n\n2\n\n", ("blank_line",), (("1",), ("2",))),
    Case("blank line inside", b"id,name\n1,Ana\n\n2,Bo\n", ("blank_line",), (ANA, BO)),
    Case("row of separators inside", b"id,name\n1,Ana\n,\n2,Bo\n", ("blank_line",), (ANA, BO)),
    Case("blank line above the header", b"\nid,name\n1,Ana\n2,Bo\n", ("blank_line",), (ANA, BO)),
    Case("blank lines at the end", b"id,name\n1,Ana\n2,Bo\n\n,\n\n", (), (ANA, BO)),
    Case(
        "apostrophes",
        b"id,org\n1,'79907001'\n2,\n",
        ("apostrophes",),
        (("1", "79907001"), ("2", None)),
    ),
    Case("apostrophes in some", b"id,org\n1,'7'\n2,7\n", (), (("1", "'7'"), ("2", "7"))),
)


def read_file(
    folder: Path, data: bytes, *, encoding: str | None = None, strict: bool = False
) -> Raw:
    """Read a folder that holds one file."""
    (folder / "users.csv").write_bytes(data)
    return read(folder, encoding=encoding, strict=strict)


def rules(raw: Raw) -> tuple[str, ...]:
    """Name the rules that a drop breaks."""
    return tuple(
        sorted({*raw.findings.errors["rule"], *(notice.rule for notice in raw.findings.notices)})
    )


@pytest.mark.parametrize("case", [*BYTES, *STRUCTURE], ids=lambda case: case.name)
def test_a_defect_is_named_and_its_rows_are_kept_apart(case: Case, tmp_path: Path) -> None:
    """Each specimen breaks exactly the rules that are said, and no row is lost."""
    raw = read_file(tmp_path, case.data)

    assert tuple(sorted(case.rules)) == rules(raw)
    if case.rows is None:
        assert ({}, frozenset({"users.csv"})) == (raw.files, raw.broken)
    else:
        table = raw.files["users.csv"]
        assert case.rows == tuple(row[1:] for row in table.frame.iter_rows())
        assert case.ragged == tuple(table.ragged)


@pytest.mark.parametrize("case", [*BYTES, *STRUCTURE], ids=lambda case: case.name)
def test_strict_never_accepts_more(case: Case, tmp_path: Path) -> None:
    """Under `--strict` no row is accepted that is refused without it, and none is lost."""
    lenient, strict = read_file(tmp_path, case.data), read_file(tmp_path, case.data, strict=True)

    for name, table in strict.files.items():
        kept, known = lenient.files[name], {*table.frame["#row"], *table.ragged}
        assert set(table.frame["#row"]) <= set(kept.frame["#row"])
        assert known == {*kept.frame["#row"], *kept.ragged}


def test_a_refused_row_is_reported_with_its_number_and_text(tmp_path: Path) -> None:
    """Row numbers count records, not lines; control characters are shown by their codes."""
    raw = read_file(tmp_path, b"id,name\n1,Ana\n\n2,Diaz, Bo\n3,C\x00\n4,Di\n")

    told = raw.findings.errors.select(
        "file", "row", "sourcedId", "rule", "severity", "value"
    ).rows()
    assert [
        ("users.csv", 2, None, "ragged_row", "error", "2,Diaz, Bo"),
        ("users.csv", 3, None, "control_character", "error", "3,C\\x00"),
    ] == told
    assert [1, 4] == raw.files["users.csv"].frame["#row"].to_list()
    assert {2: ("2", "Diaz", " Bo"), 3: ("3", "C\x00")} == raw.files["users.csv"].ragged


def test_a_notice_names_the_first_rows(tmp_path: Path) -> None:
    """Notices count all rows and name the first ones."""
    raw = read_file(tmp_path, 'id,name\n1,A"B\n2,JosÃ©\n3,C"D\n'.encode())

    named = {
        notice.rule: (notice.count, [row for row, _ in notice.examples])
        for notice in raw.findings.notices
    }
    assert {"quote_stray": (2, [1, 3]), "mojibake": (1, [2])} == named


@pytest.mark.parametrize(
    ("data", "rule", "detail"),
    [
        (b'id,name\n1,Ana\n\n2,"Bo\n', "file_truncated", "the record that begins in line 4"),
        (b'id,name\n1,"Ana\n2,"Bo"\n', "quote_unclosed", "the record that begins in line 2"),
        (b"id,name\n1,\x81\n", "bad_encoding", "cp1252: byte 10"),
        (gzip.compress(b"id", mtime=0), "not_csv", "gzip"),
        (
            b"Export,,\nid,first_name,email\n1,Ana,x\n",
            "no_header",
            "line 1 stands above the header: Export",
        ),
    ],
)
def test_a_refusal_says_where(data: bytes, rule: str, detail: str, tmp_path: Path) -> None:
    """A refused file is reported with the line, the byte or the kind of payload."""
    raw = read_file(tmp_path, data)

    assert [(rule, detail)] == raw.findings.errors.select("rule", "value").rows()


@pytest.mark.parametrize(
    ("encoding", "text", "expected"),
    [
        ("cp932", "大分　太郎", "大分　太郎"),
        ("cp1252", "José", "José"),
        ("latin-1", "Ñu", "Ñu"),
        ("utf-8", "ß", "ß"),
    ],
)
def test_a_declared_encoding_is_used(
    encoding: str, text: str, expected: str, tmp_path: Path
) -> None:
    """The feed's own encoding is used, without a finding."""
    raw = read_file(tmp_path, f"id,name\n1,{text}\n".encode(encoding), encoding=encoding)

    assert ((1, "1", expected), ()) == (raw.files["users.csv"].frame.row(0), rules(raw))


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp932", "rot13", "no such encoding"])
def test_a_declared_encoding_is_strict(encoding: str, tmp_path: Path) -> None:
    """Bytes that do not fit the declared encoding, or an unknown one, refuse the file."""
    raw = read_file(tmp_path, b"id,name\n1,Jos\xe9\n", encoding=encoding)

    assert ("bad_encoding",) == rules(raw)


def test_a_byte_order_mark_outranks_the_declared_encoding(tmp_path: Path) -> None:
    """A file that says it is UTF-8 is read so."""
    raw = read_file(tmp_path, codecs.BOM_UTF8 + "id,name\n1,José\n".encode(), encoding="cp1252")

    assert "José" == raw.files["users.csv"].frame["name"][0]


def test_the_fallback_names_the_first_byte(tmp_path: Path) -> None:
    """The offset leads to the first byte that is not UTF-8, however far into the file."""
    filler = b"1,Ana\n" * 200_000

    raw = read_file(tmp_path, b"id,name\n" + filler + b"2,Jos\xe9\n")

    assert [f"byte {8 + len(filler) + 5}"] == [notice.detail for notice in raw.findings.notices]
