"""The report of `roster map`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flows.map_layout import MapResult
from flows.reports.screen import print_line
from transforms.grammar import agree, count_of
from transforms.sources import ONEROSTER


def print_map(result: MapResult) -> None:
    """Print what was guessed, and what to do next."""
    print_line("\n".join(_lines(result)))


def map_json(result: MapResult) -> dict[str, Any]:
    """Return the object that `--json` prints."""
    if result.guess is not None:
        return {
            "status": "guessed",
            "mapping": str(result.out),
            "lines": result.guess.lines,
            "todo": result.guess.open,
            "files": result.guess.files,
        }
    if result.status == "known":
        return {"status": "known", "layout": result.layout, "why": result.reason}
    return {"status": "refused", "why": list(result.problems)}


def _lines(result: MapResult) -> Iterator[str]:
    if result.status == "refused":
        yield from (*result.problems, "Nothing was written.")
    elif result.guess is None:
        yield (
            f"The drop is written in {result.layout}, which is known, and needs no mapping: "
            f"{result.reason}."
        )
        if result.layout == ONEROSTER:
            yield (
                "If a column has another name than the standard's, name it in [source.columns] in "
                "the feed file."
            )
        yield "Nothing was written. Run `roster check` with it."
    else:
        guess, out = result.guess, result.out
        for name, subject in guess.files.items():
            yield f"{name}: {subject or 'nothing says what it holds'}"
        for file, problem in result.left_out:
            yield f"{file} was left out: {problem}"
        todo = (
            f"{count_of(guess.open, 'lines')} {agree(guess.open, 'are')} for you to finish: look "
            "for TODO."
            if guess.open
            else "Read it through."
        )
        yield f"Wrote {out}: {count_of(guess.lines, 'lines')}, each with its reason. {todo}"
        yield (
            f'Then write `layout = "{out.name}"` into the feed file beside it, and run `roster '
            "check` with that."
        )
