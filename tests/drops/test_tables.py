"""Any table that Python's csv module writes is read back cell by cell; any bytes end in a result."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from connectors.drops import read
from connectors.drops.csv_file import read_table
from tests.strength import expensive
from transforms.roster import Raw

TEXT = st.text(
    st.sampled_from("ab0 ,;\"'\t\n\r=éñ’ß漢😀\u00a0\u3000")
    | st.characters(exclude_categories=("Cs", "Cc")),
    max_size=8,
)
WIDTHS = st.integers(1, 5)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252")
many = expensive(300, 100)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """Rows of text, all of one width, the first column never blank."""
    width = draw(WIDTHS)
    key = st.text(st.sampled_from("ab,\"' -_0"), min_size=1, max_size=5).map(
        lambda text: f"k{text}k"
    )
    return draw(st.lists(st.tuples(key, *[TEXT] * (width - 1)).map(list), min_size=1, max_size=8))


def written(rows: list[list[str]], quoting: int, line_end: str) -> str:
    """Write rows under a header of as many columns. Python before 3.13 leaves some line breaks unquoted."""
    if any("\r" in cell or "\n" in cell for row in rows for cell in row):
        quoting = csv.QUOTE_ALL
    out = io.StringIO()
    writer = csv.writer(out, quoting=quoting, lineterminator=line_end)  # type: ignore[arg-type]
    writer.writerows([[f"column{i}" for i in range(len(rows[0]))], *rows])
    return out.getvalue()


def as_read(cell: str) -> str | None:
    """Say what the contract makes of a cell: line breaks become spaces, blank ones null."""
    flat = re.sub("\r\r\n|\r\n|\r|\n", " ", cell)
    return flat if flat.strip() else None


def encoded(text: str, encoding: str) -> bytes:
    """Encode with the byte order mark that Excel writes."""
    if encoding == "utf-16-le":
        return codecs.BOM_UTF16_LE + text.encode(encoding)
    return text.encode(encoding)


@many
# A comma in quotes makes no column more, so that line 1 does not stand above a header.
@example([["k,k", "ID", "ID"]], csv.QUOTE_MINIMAL, "\n", "utf-8")
@given(
    tables(),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(ENCODINGS),
)
def test_a_written_table_is_read_back(
    rows: list[list[str]], quoting: int, line_end: str, encoding: str
) -> None:
    """Any quoting, line end and encoding gives exactly the cells that were written."""
    text = written(rows, quoting, line_end)
    try:
        data = encoded(text, encoding)
    except UnicodeEncodeError:
        return  # Windows-1252 does not have every character
    declared = encoding if encoding == "cp1252" else None

    table, findings = read_table("users.csv", data, declared, strict=False)

    # A column that is wrapped in apostrophes throughout is unwrapped, which has its own tests.
    assume("apostrophes" not in {notice.rule for notice in findings.notices})
    assert table is not None, findings.errors
    assert {} == table.ragged
    expected = [[i, *map(as_read, row)] for i, row in enumerate(rows, 1)]
    assert expected == [list(row) for row in table.frame.iter_rows()]


@many
@given(
    st.binary(max_size=80)
    | st.text(st.sampled_from("ab,;\"\n\r\t'\x00 1é"), max_size=60).map(str.encode),
    st.sampled_from([None, "utf-8", "cp932", "rot13", "no such", "utf-7", "\0"]),
    st.booleans(),
)
def test_no_bytes_raise(data: bytes, encoding: str | None, strict: bool) -> None:
    """Whatever the bytes are, there is a table or a fatal finding, never both, never neither."""
    for content in (data, b"id,name,role\n" + data):
        table, findings = read_table("users.csv", content, encoding, strict)

        assert (table is None) == (findings.fatal.height > 0)


@many
@given(st.text(st.sampled_from('ab,"\n\r \t'), max_size=60))
def test_every_record_is_somewhere(text: str) -> None:
    """Row numbers of the frame and of the ragged rows never meet; each ragged row has its error."""
    table, findings = read_table("users.csv", f"id,name\n{text}".encode(), None, strict=False)

    if table is not None:
        rows = [*table.frame["#row"], *table.ragged]
        assert len(rows) == len(set(rows))
        assert sorted(table.ragged) == sorted(findings.errors["row"])


def test_the_fast_path_never_differs() -> None:
    """Every short file over the characters that matter: each visible letter is in some row of the outcome."""
    for characters in itertools.chain.from_iterable(
        itertools.product(b'a,"\n\r', repeat=n) for n in range(6)
    ):
        body = bytes(characters)

        table, _ = read_table("users.csv", b"id,name\n" + body, None, strict=False)

        if table is not None:
            cells = itertools.chain(
                *(row[1:] for row in table.frame.iter_rows()), *table.ragged.values()
            )
            assert body.count(b"a") == sum((cell or "").count("a") for cell in cells), body


def test_a_large_file_is_read_in_pieces() -> None:
    """A file larger than the pieces in which it is checked comes through whole, damage at its end included."""
    lines = "".join(f'{i},"Diaz, Ana {i}",student\r\n' for i in range(20_000))

    sound, none = read_table("users.csv", f"id,name,role\r\n{lines}".encode(), None, strict=False)
    mended, found = read_table(
        "users.csv", f"id,name,role\r\n{lines}9,x\r\n7,y,z\r\n".encode(), None, strict=False
    )

    assert sound is not None
    assert mended is not None
    assert 0 == none.errors.height == len(none.notices)
    assert (20_000, [20_001], 20_001) == (
        sound.frame.height,
        found.errors["row"].to_list(),
        mended.frame.height,
    )
    assert ("19999", "Diaz, Ana 19999", "student") == sound.frame.row(-1)[1:]


@expensive(60, 20)
@given(data=st.binary(max_size=200))
def test_no_zip_raises(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever follows the first bytes of a zip, reading it ends in a refusal."""
    path = Path(tmp_path_factory.mktemp("drop")) / "drop.zip"
    path.write_bytes(b"PK\x03\x04" + data)

    raw = read(path)

    assert isinstance(raw, Raw)
    assert ["zip_damaged"] == raw.findings.fatal["rule"].to_list()
