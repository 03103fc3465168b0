"""What a file named .csv really is, told by its first bytes."""

from __future__ import annotations

from connectors.drops.refusal import Refused

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
