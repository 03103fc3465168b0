"""`roster rename`: moves everything known about a feed to another name.

It is for a feed whose file or district was renamed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from connectors.ledger import FeedKey, Ledger
from connectors.roster_archive import Archive
from connectors.roster_archive.archive import folder_name
from flows.backfills.steps import FOLDER
from flows.errors import SettingsError
from flows.feeds.keys import FEED_SUFFIX, feed_key, select_feeds
from flows.job import new_run_id
from flows.ledgers import ledger_location
from flows.result import CHANGES_ONLY, DONE, RENAMED, REPAIRED
from transforms.changes import IN_TARGET
from transforms.grammar import count_of


@dataclass(frozen=True)
class RenamedFeed:
    """A feed under its old and its new name, in one target."""

    old: FeedKey
    new: FeedKey
    records: int


@dataclass(frozen=True)
class RenameResult:
    """The renamed feed, once for each of its targets."""

    feeds: tuple[RenamedFeed, ...]
    exit_code: int = DONE


def rename(
    old: str, new: str, target: str | None, state: Path, environment: Mapping[str, str]
) -> RenameResult:
    """Rename a feed in one target, or in all of its targets. If killed, run it again to finish.

    `new` is a name, or the feed file under its new name. Raises `SettingsError` if there is no
    such feed, or if the new name has records of its own, since those belong to another feed.
    """
    with Ledger.reading(ledger_location(state, environment)) as ledger:
        keys = [
            key
            for key in select_feeds(ledger.feeds(), old, target, environment)
            if key.feed == _feed_name(old, environment)
        ]
        if not keys:
            raise SettingsError(
                f"The ledger knows no feed {old!r} by its whole name. {_feeds_there(ledger)}"
            )
        moves = [(key, FeedKey(key.target, _feed_name(new, environment))) for key in keys]
        for old_key, new_key in moves:
            _refuse(old_key, new_key, ledger)
        return RenameResult(
            tuple(
                RenamedFeed(old_key, new_key, _move(old_key, new_key, state, ledger))
                for old_key, new_key in moves
            )
        )


def _feed_name(text: str, environment: Mapping[str, str]) -> str:
    return (
        feed_key(Path(text), environment).feed
        if text.lower().endswith(FEED_SUFFIX) and Path(text).exists()
        else text
    )


def _feeds_there(ledger: Ledger) -> str:
    return f"There are: {', '.join(f'{one.feed} into {one.target}' for one in ledger.feeds())}."


def _refuse(old: FeedKey, new: FeedKey, ledger: Ledger) -> None:
    """Raise `SettingsError` for the same name, or for a name with records that are not the feed's.

    A name is refused if the feed has sent less than half of its records.
    """
    if old == new:
        raise SettingsError(f"Feed {old.feed!r} has that name already. Give the new one.")
    ours, theirs = (_ids_in_target(ledger, key) for key in (old, new))
    shared = theirs.join(ours, on=["entity", "sourcedId"], how="semi").height
    if 2 * shared < theirs.height:
        raise SettingsError(
            f"Feed {new.feed!r} has {count_of(theirs.height, 'records')} in {new.target}, and "
            f"{old.feed!r} has sent {shared:,} of them: they are two feeds, and their records "
            "would be missing from each other's drops. Nothing was done. "
            "Choose a name that no feed has."
        )


def _ids_in_target(ledger: Ledger, key: FeedKey) -> pl.DataFrame:
    found = [
        frame.filter(pl.col("status").is_in(IN_TARGET)).select("sourcedId", entity=pl.lit(name))
        for name, frame in ledger.known(key).items()
    ]
    return pl.concat([pl.DataFrame(schema={"sourcedId": pl.String, "entity": pl.String}), *found])


def _move(old: FeedKey, new: FeedKey, state: Path, ledger: Ledger) -> int:
    """Move the rosters first and the ledger last, so that a killed rename can be run again."""
    run = new_run_id()
    with ledger.hold(old, run), ledger.hold(new, run):
        count = _ids_in_target(ledger, old).height
        Archive(state / "rosters", new).take_over(Archive(state / "rosters", old))
        progress = [state / FOLDER / f"{folder_name(key)}.json" for key in (old, new)]
        if progress[0].exists() and not progress[1].exists():
            progress[0].rename(progress[1])
        _mark_newest_run(new, ledger)
        ledger.move(old, new)
    return count


def _mark_newest_run(key: FeedKey, ledger: Ledger) -> None:
    """Note that the newest run under the new name did not know the records of the old one.

    What was missing from its drop is still to be removed: an export of changes does not repeat it.
    A repair since then has no drop.
    """
    runs = (run for run in ledger.runs(key) if run.command == "sync" and not run.approved)
    newest = next((run for run in runs if run.note != REPAIRED), None)
    if newest and newest.note in ("", CHANGES_ONLY):
        ledger.finish(replace(newest, note=RENAMED))
