"""Why a file or a drop is not read at all, carried from where it is found to where it is told."""

from __future__ import annotations

from transforms.findings import Findings, of_file


class Refused(Exception):
    """A file, or the drop, is refused; `findings` say why."""

    def __init__(self, rule: str, file: str = "", detail: str = "", row: int | None = None) -> None:
        super().__init__(rule)
        self.findings: Findings = of_file(rule, file, printable(detail), row=row)


def printable(text: str) -> str:
    r"""Write what cannot be printed or encoded as its code, such as `\x00`.

    Names of files may hold bytes that are not UTF-8 (PEP 383), cells may hold control characters.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else c.encode("unicode_escape").decode() for c in text)
