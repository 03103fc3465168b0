"""A sample whose behavior is recorded: its drop, its feed file, and the changed drop."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.golden.edits import Edit, apply

SAMPLE_DATA = Path(__file__).parents[2] / "sample_data"
# The feed file for a layout whose drops have no email addresses.
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
    """A drop of `sample_data`, with or without a feed file."""

    name: str
    folder: str
    edits: tuple[Edit, ...]  # make the drop of the changed night
    held: str  # an id that is held on the changed night
    rejected: str  # an id whose row is rejected on the changed night
    person: str  # a person who is forgotten at the end
    feed: str = ""  # the sample's own feed file
    written: bool = False  # whether `FEED` is written as its feed file
    files: str = ""  # the folder of the drop, if it is not `folder`
    before: str = ""  # a drop that is loaded first
    rewrite: Callable[[Path], None] = lambda _: None  # changes the files of the drop every night

    @property
    def drop(self) -> str:
        """The argument of the commands."""
        return self.feed or (f"{self.name}.toml" if self.written else self.name)

    def put(self, edits: tuple[Edit, ...] = ()) -> None:
        """Put the drop into the current folder, in place of an earlier one."""
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
