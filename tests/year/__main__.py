"""Prints the outcome of each planted fault.

`python -m tests.year [few|ordinary] [SEED] [LAYOUT...]`. Complete years take some minutes.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from tests.year import verdict
from tests.year.exports import FORMS, Form
from tests.year.faults.fault import Fault
from tests.year.faults.table import FAULTS
from tests.year.planting import Outcome, Year, district_of, lived, visited

HEAD = ("fault", "layout", "night", "exit", "harmed", "verdict", "told first")
BY_NAME: dict[str, Fault] = {fault.name: fault for fault in FAULTS}


def main(words: list[str]) -> None:
    """Run a year in each layout, or a few of its nights, and print a table."""
    seed = next((int(word) for word in words if word.isdigit()), 1)
    print("| " + " | ".join(HEAD) + " |\n|---|---|---|---|---:|---|---|")
    verdicts: Counter[str] = Counter()
    for form in [form for form in FORMS if form in words] or FORMS:
        with TemporaryDirectory() as folder:
            for one in _outcomes(form, seed, Path(folder), words=words):
                said = amiss(one)
                verdicts[
                    ("ordinary: " if one.name == "no fault" else "fault: ")
                    + (said or "good").partition(" (")[0]
                ] += 1
                if one.name != "no fault" or said:
                    harmed = one.harmed or str(len(one.missing))
                    first = one.told.split("\n")[0]
                    name = f"{one.name} ({one.which})" if one.which else one.name
                    print(
                        "| "
                        + " | ".join(
                            (name, one.form, str(one.day), str(one.code), harmed, said, first)
                        )
                        + " |",
                        flush=True,
                    )
    for kind, count in sorted(verdicts.items()):
        print(f"{count:6,} {kind}")


def _outcomes(form: Form, seed: int, folder: Path, *, words: list[str]) -> Iterator[Outcome]:
    if "few" in words:
        days = [district.day for district in district_of(seed)]
        return visited(form, seed, FAULTS, folder, Random(f"{form} {seed}").choice(days[40:180]))
    return lived(Year.of(form, seed, folder / "feed"), () if "ordinary" in words else FAULTS)


def amiss(one: Outcome) -> str:
    """Return what is wrong with a night; `held` if an ordinary night is held."""
    fault = BY_NAME.get(one.name)
    if fault:
        return verdict.of_fault(one, fault)
    return verdict.of_ordinary(one) or ("held" if one.asked else "")


if __name__ == "__main__":
    main(sys.argv[1:])
