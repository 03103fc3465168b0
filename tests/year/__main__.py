"""Prints what each planted fault came to: `python -m tests.year [few] [SEED] [LAYOUT...]`; whole years take some minutes."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.year.exports import FORMS, Form
from tests.year.faults.fault import Fault
from tests.year.faults.table import FAULTS
from tests.year.planting import Outcome, Year, lived, visited

HEAD = ("fault", "layout", "night", "exit", "harmed", "verdict", "told first")
BY_NAME: dict[str, Fault] = {fault.name: fault for fault in FAULTS}


def main(words: list[str]) -> None:
    """Live through a year in each layout, or visit a few of its nights."""
    seed = next((int(word) for word in words if word.isdigit()), 1)
    print("| " + " | ".join(HEAD) + " |\n|---|---|---|---|---:|---|---|")
    verdicts: Counter[str] = Counter()
    for form in [form for form in FORMS if form in words] or FORMS:
        with TemporaryDirectory() as folder:
            for one in _outcomes(form, seed, Path(folder), few="few" in words):
                said = verdict(one)
                verdicts[f"{one.name == 'no fault'} {said}"] += 1
                if one.name != "no fault" or said != "good":
                    harmed = one.harmed or str(len(one.missing))
                    first = one.told.split("\n")[0]
                    print("| " + " | ".join((one.name, one.form, str(one.day), str(one.code), harmed, said, first)) + " |", flush=True)  # fmt: skip
    print(verdicts)


def _outcomes(form: Form, seed: int, folder: Path, *, few: bool) -> Iterator[Outcome]:
    if few:
        return visited(form, seed, FAULTS, folder)
    return lived(Year.of(form, seed, folder / "feed"), FAULTS)


def verdict(one: Outcome) -> str:
    """Say in a word how a night went."""
    fault = BY_NAME.get(one.name)
    if fault is None:
        return "LOST" if one.missing or one.harms else "held" if one.asked else "good"
    if len(one.harms) > fault.floor:
        return "TOO LATE" if one.asked else "UNSEEN"
    if fault.asks and not one.asked:
        return "SILENT"
    return "good" if fault.says in one.told else "OTHER WORDS"


if __name__ == "__main__":
    main(sys.argv[1:])
