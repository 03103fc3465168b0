"""Line ends: CR LF, CR and LF -> LF, inside and outside of quotes."""

from __future__ import annotations

from transforms.findings import Findings, of_file


def only_lf(data: bytes) -> bytes:
    """Give the bytes with every line end as LF."""
    # CR CR LF is one line end that was converted twice.
    return data.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data


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
