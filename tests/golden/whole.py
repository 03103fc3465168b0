"""The golden records of all samples. `make golden` runs `python -m tests.golden.whole`.

It writes the records again. Do this only in a commit that changes what the program does, and read
their difference before you commit.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from connectors.oneroster.sandbox import Sandbox
from tests.golden.nights import recorded
from tests.golden.recording import recorder, serving
from tests.golden.requests import Log
from tests.golden.sample import Sample
from tests.golden.samples import SAMPLES

HERE = Path(__file__).parent / "whole"


def records(sample: Sample, sandbox: Sandbox, log: Log) -> dict[str, str]:
    """Run all commands with a sample; return the records by file name."""
    with recorder(sandbox, log) as one:
        return recorded(sample, one)


def write(names: list[str], folder: Path = HERE) -> None:
    """Write the records of some samples, or of all, in place of the old ones."""
    with serving() as (sandbox, log):
        for sample in SAMPLES:
            if sample.name in names or not names:
                texts = records(sample, sandbox, log)
                shutil.rmtree(folder / sample.name, ignore_errors=True)
                (folder / sample.name).mkdir(parents=True)
                for name, text in texts.items():
                    (folder / sample.name / name).write_text(text, "utf-8")


if __name__ == "__main__":
    write(sys.argv[1:])
