"""The report of `roster rename`."""

from __future__ import annotations

from typing import Any

from flows.rename import RenamedFeed, RenameResult
from flows.reports.screen import print_line
from transforms.grammar import count_of


def print_rename(result: RenameResult) -> None:
    """Print how many records were moved in each target."""
    for one in result.feeds:
        with_it = f"{count_of(one.records, 'records')}, with its runs, plans and rosters"
        print_line(f"Feed {one.old.feed} into {one.old.target} is now {one.new.feed}: {with_it}.")
        print_line(
            "Nothing was sent. The next sync sees what is missing since then, and holds "
            "it if it is a lot."
        )


def rename_json(one: RenamedFeed) -> dict[str, Any]:
    """Return the object that `--json` prints for one target."""
    return {
        "feed": one.old.feed,
        "now": one.new.feed,
        "target": one.new.target,
        "records": one.records,
    }
