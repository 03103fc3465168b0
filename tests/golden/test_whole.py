"""The program does with every sample what it did when the records were made, seen from outside."""

from __future__ import annotations

import pytest

from connectors.oneroster.sandbox import Sandbox
from tests.golden.comparing import difference
from tests.golden.requests import Log
from tests.golden.sample import SAMPLE_DATA, Sample
from tests.golden.samples import SAMPLES
from tests.golden.whole import HERE, records


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_does_what_was_recorded(sample: Sample, served: tuple[Sandbox, Log]) -> None:
    """Exit codes, printed text, files with their modes, requests and the ledger's rows, over four nights."""
    shown = difference(HERE / sample.name, records(sample, *served))

    if shown:
        pytest.fail(shown, pytrace=False)


def test_every_sample_is_recorded() -> None:
    """Each folder and each feed file of `sample_data`, and nothing that is not a sample any more.

    Feeds aside that are another way to a sample (`demo.toml`), and mappings.
    """
    folders = {path.name for path in SAMPLE_DATA.iterdir() if path.is_dir()}
    feeds = {path.relative_to(SAMPLE_DATA).as_posix() for path in SAMPLE_DATA.rglob("*.toml")} - {
        "own_layout/mapping.toml",
        "demo.toml",
    }

    assert folders == {sample.folder for sample in SAMPLES}
    assert feeds == {sample.feed for sample in SAMPLES if sample.feed}
    assert {sample.name for sample in SAMPLES} == {path.name for path in HERE.iterdir()}
