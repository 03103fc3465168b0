"""A sample whose behavior is recorded: its drop, the feed's file that it is loaded with, and its changed drop."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.golden.edits import Edit, apply

SAMPLE_DATA = Path(__file__).parents[2] / "sample_data"
# The feed's file of a layout whose drops have no addresses.
FEED = """district = "{name}"
drop = "{name}"
layout = "auto"

[target]
url = "env"
email_template = "{{sourcedId}}@students.example.edu"

[share]
demographics = true
contacts = true
"""


@dataclass(frozen=True)
class Sample:
    """A drop of `sample_data`, bare or with a feed's file: its own one, or one that is written here (`written`).

    `edits` make the drop of the changed night. On that night `held` is an id that waits for a person, and `rejected`
    one whose row is rejected. `person` is forgotten at the end. `before` is a drop that is loaded first. `files` is the
    folder of the drop, if it is not `folder`. `rewrite` changes the files of the drop on every night.
    """

    name: str
    folder: str
    edits: tuple[Edit, ...]
    held: str
    rejected: str
    person: str
    feed: str = ""
    written: bool = False
    files: str = ""
    before: str = ""
    rewrite: Callable[[Path], None] = lambda _: None

    @property
    def drop(self) -> str:
        """What the commands are given."""
        return self.feed or (f"{self.name}.toml" if self.written else self.name)

    def put(self, edits: tuple[Edit, ...] = ()) -> None:
        """Put the drop into the current folder, where the commands run, in place of the one that is there."""
        place = Path(self.folder if self.feed else self.name)
        _copy(self.folder, place)
        if self.before:
            _copy(self.before, Path(self.before))
        if self.written:
            Path(self.drop).write_text(FEED.format(name=self.name), "utf-8")
        elif self.feed and place.name not in Path(self.feed).parts:
            shutil.copyfile(SAMPLE_DATA / self.feed, self.feed)
        drop = Path(self.files) if self.files else place
        for edit in edits:
            apply(edit, drop)
        self.rewrite(drop)


def _copy(folder: str, place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(SAMPLE_DATA / folder, place)
