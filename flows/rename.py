"""`roster rename`: gives all that is known of a feed to another name, after its file or its district was renamed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from connectors.ledger import FeedKey, Ledger
from connectors.roster_archive import Archive
from connectors.roster_archive.archive import folder_of
from flows.backfills.steps import FOLDER
from flows.errors import SettingsError
from flows.feeds.keys import FILE, chosen, key_of
from flows.job import new_run
from flows.ledgers import ledger_location
from flows.result import DONE
from transforms.changes import IN_TARGET


@dataclass(frozen=True)
class RenamedFeed:
    """A feed under its old and its new name, in one target."""

    old: FeedKey
    new: FeedKey
    records: int


@dataclass(frozen=True)
class RenameResult:
    """The feed in each target that it has."""

    feeds: tuple[RenamedFeed, ...]
    exit_code: int = DONE


def rename(
    old: str, new: str, target: str | None, state: Path, environment: Mapping[str, str]
) -> RenameResult:
    """Move a feed to another name, in every target that it has, or in one. Killed midway, it is finished by being run again.

    `new` is a name, or the feed's file under its new name. Raises `SettingsError` if there is no such feed, or if the
    new name has records of its own: those are another feed's.
    """
    with Ledger.reading(ledger_location(state, environment)) as ledger:
        keys = [
            key
            for key in chosen(ledger.feeds(), old, target, environment)
            if key.feed == _name(old, environment)
        ]
        if not keys:
            raise SettingsError(
                f"The ledger knows no feed {old!r} by its whole name. {_there(ledger)}"
            )
        moves = [(key, FeedKey(key.target, _name(new, environment))) for key in keys]
        for one, other in moves:
            _refuse(one, other, ledger)
        return RenameResult(
            tuple(
                RenamedFeed(one, other, _moved(one, other, state, ledger)) for one, other in moves
            )
        )


def _name(said: str, environment: Mapping[str, str]) -> str:
    return (
        key_of(Path(said), environment).feed
        if said.lower().endswith(FILE) and Path(said).exists()
        else said
    )


def _there(ledger: Ledger) -> str:
    return f"There are: {', '.join(f'{one.feed} into {one.target}' for one in ledger.feeds())}."


def _refuse(old: FeedKey, new: FeedKey, ledger: Ledger) -> None:
    """Refuse a name that is the same, or that has records most of which the old name does not have."""
    if old == new:
        raise SettingsError(f"Feed {old.feed!r} has that name already. Give the new one.")
    ours, theirs = (_ids(ledger, key) for key in (old, new))
    shared = theirs.join(ours, on=["entity", "sourcedId"], how="semi").height
    if 2 * shared < theirs.height:
        raise SettingsError(
            f"Feed {new.feed!r} has {theirs.height:,} records in {new.target}, and {old.feed!r} "
            f"has sent {shared:,} of them: they are "
            "two feeds, and their records would vanish from each other's drops. Nothing was done. "
            "Choose a name that no feed has."
        )


def _ids(ledger: Ledger, key: FeedKey) -> pl.DataFrame:
    found = [
        frame.filter(pl.col("status").is_in(IN_TARGET)).select("sourcedId", entity=pl.lit(name))
        for name, frame in ledger.known(key).items()
    ]
    return pl.concat([pl.DataFrame(schema={"sourcedId": pl.String, "entity": pl.String}), *found])


def _moved(old: FeedKey, new: FeedKey, state: Path, ledger: Ledger) -> int:
    """Move rosters first, and the ledger last: until that is done, it says what is to be moved."""
    run = new_run()
    with ledger.hold(old, run), ledger.hold(new, run):
        count = _ids(ledger, old).height
        Archive(state / "rosters", new).take_over(Archive(state / "rosters", old))
        progress = [state / FOLDER / f"{folder_of(key)}.json" for key in (old, new)]
        if progress[0].exists() and not progress[1].exists():
            progress[0].rename(progress[1])
        ledger.move(old, new)
    return count
