"""Damaged bytes: reading ends in a table or a refusal, and no letter of a table that is read is lost or doubled."""

from __future__ import annotations

import codecs
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.drops import read
from tests.fuzzing.bounds import bounded
from tests.fuzzing.damage import Damage, damaged, damages, overwritten, zipped
from tests.fuzzing.samples import SAMPLES, put
from tests.strength import expensive
from transforms.roster import Raw, RawFile


@pytest.mark.parametrize("name", SAMPLES)
@expensive(60, 10)
@given(
    place=st.integers(0, 99), harm=st.lists(damages(), min_size=1, max_size=3), strict=st.booleans()
)
def test_no_letter_of_a_damaged_file_is_lost(
    name: str,
    place: int,
    harm: list[Damage],
    strict: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """What is read of a file are all its letters and digits, each as often as it is there; or the file is refused."""
    file, data = one_of(SAMPLES[name].files, place)
    content = damaged(data, harm)
    folder = put(tmp_path_factory.mktemp("drop"), {file: content})

    with bounded(len(content)):
        raw = read(folder, strict=strict)

    assert (file in raw.files) != (file in raw.broken)
    if file in raw.files:
        found = [*cells(raw.files[file]), *repeated_names(raw)]
        assert letters(as_text(content)) == letters("".join(found))


@pytest.mark.parametrize("name", SAMPLES)
@expensive(40, 10)
# The directory ends in its middle, and says so only by how many files it counts.
@example(harm=[overwritten(0.9, b'""')], strict=False)
@given(harm=st.lists(damages(), min_size=1, max_size=3), strict=st.booleans())
def test_a_damaged_zip_is_read_or_refused(
    name: str, harm: list[Damage], strict: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each file of it is read as it was put in, if under another name, or it is reported as not readable."""
    files = SAMPLES[name].files
    path = tmp_path_factory.mktemp("drop") / "drop.zip"
    path.write_bytes(damaged(zipped(files), harm))

    with bounded(path.stat().st_size):
        raw = read(path, strict=strict)

    if len(raw.files) < len(files):
        assert raw.findings.errors.height or raw.findings.notices or not raw.files
    for file in raw.files.keys() & files.keys():
        assert letters(as_text(files[file])) == letters("".join(cells(raw.files[file])))


def one_of(files: dict[str, bytes], place: int) -> tuple[str, bytes]:
    """Choose a file of a drop."""
    return sorted(files.items())[place % len(files)]


def as_text(data: bytes) -> str:
    """Give the text of a file, as its mark or its bytes have it."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252")


def cells(file: RawFile) -> list[str]:
    """Give every cell of a file: of its header, of its rows, and of the rows that do not fit."""
    rows = [cell for row in file.frame.iter_rows() for cell in row[1:] if cell]
    return [*file.header, *rows, *(cell for row in file.ragged.values() for cell in row)]


def repeated_names(raw: Raw) -> list[str]:
    """Give the name of each empty column that has the name of another: it is reported, and not read."""
    notices = [one for one in raw.findings.notices if one.rule == "header_repeated"]
    return [one.column for one in notices for _ in range(one.count)]


def letters(text: str) -> Counter[str]:
    """Count letters and digits."""
    return Counter(filter(str.isalnum, text))
