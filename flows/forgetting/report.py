"""How `roster forget` tells what was removed where, and what is not ours to remove: ids and counts, no names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from connectors.ledger import FeedKey
from connectors.oneroster.forgetting import Forgotten
from flows.forgetting.traces import Traces
from flows.showing import tell as tell_line

MOST = 5
KEPT = (
    "The drop itself still has this person until the SIS takes them out: what is read of them is counted as unshared.",
    "A target keeps the ids of what was deleted, with neutral values. Copies and backups of the state folder are not ours to change.",
)


@dataclass(frozen=True)
class Outcome:
    """What came of one feed: what was found, what the target did if it was `asked`, how many `rosters` changed."""

    found: Traces
    target: Forgotten
    rosters: int = 0
    asked: bool = True

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return self.target.is_done


@dataclass(frozen=True)
class Here:
    """What came of all feeds; `files` of runs changed, `compacted` says whether the sandbox's file is clean, `elsewhere` are other feeds that have the person."""

    outcomes: Sequence[Outcome]
    files: int
    compacted: bool = True
    elsewhere: Sequence[FeedKey] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return all(one.is_done for one in self.outcomes)

    def is_foreign(self, one: Outcome) -> bool:
        """Whether none of these feeds has sent the person to the target, so that a user of that id there is not ours."""
        target = one.found.key.target
        return not any(other.found.is_ours for other in self.outcomes if other.found.key.target == target)


def tell(person: str, here: Here, *, as_json: bool) -> None:
    """Print what was done and what was not, as lines or as one object."""
    with suppress(BrokenPipeError):
        if as_json:
            print(json.dumps(_as_object(person, here)), flush=True)
            return
        for line in _lines(person, here):
            tell_line(line)


def _lines(person: str, here: Here) -> Iterator[str]:
    if not here.outcomes:
        yield f"Nothing is left of {person}; later drops, restores and approvals leave this person out."
    for one in here.outcomes:
        yield f"Feed {one.found.key.feed} into {one.found.key.target}"
        yield from (f"  {line}" for line in _of_feed(one, foreign=here.is_foreign(one)))
    yield f"Files of runs that named the person, and do not any more: {here.files:,}"
    if not here.compacted:
        yield "The sandbox's file is in use, and may still hold what was overwritten. Stop the sandbox, and run this again."
    for key in here.elsewhere:
        yield f"Feed {key.feed} into {key.target} has this person too: roster forget {person} --feed {key.feed}"
    yield from KEPT
    if here.is_done:
        yield f"Done: {person} is forgotten. The ledger keeps a digest of the id, by which this person is left out from now on."
    else:
        yield f"Not finished: what is kept here says what is to be removed there, and stays. Run `roster forget {person}` again; with --here, if the target is gone or never takes it."


def _of_feed(one: Outcome, *, foreign: bool) -> Iterator[str]:
    if not one.asked:
        yield "target: not asked" + (
            ", and holds what we sent of the person"
            if one.found.sent
            else ", since nothing of the person was sent there"
        )
    deleted = ", ".join(f"{len(ids):,} {name}" for name, ids in sorted(one.target.deleted.items()))
    if deleted:
        yield f"target: {deleted} deleted, and blanked before"
    if foreign:
        yield "target: we have not sent the person; a user of that id there is somebody else's record, and was not touched"
    if one.target.unlinked:
        yield f"target: taken from the agents of {len(one.target.unlinked):,} users"
    for name, sourced_id, detail in one.target.failed[:MOST]:
        yield f"target: not finished: {name} {sourced_id}: {detail}"
    if one.target.error:
        yield f"target: not finished: {one.target.error}"
    if one.is_done:
        yield f"ledger: {_count(one.found):,} records taken out; rosters: {one.found.rows:,} records, out of {one.rosters:,} rosters"
    else:
        yield "ledger and rosters: not yet"


def _count(found: Traces) -> int:
    return sum(len(ids) for ids in found.sent.values())


def _as_object(person: str, here: Here) -> dict[str, Any]:
    return {
        "person": person,
        "status": "done" if here.is_done else "failed",
        "feeds": [_feed(one, foreign=here.is_foreign(one)) for one in here.outcomes],
        "files": here.files,
        "sandboxCompacted": here.compacted,
        "elsewhere": [{"feed": key.feed, "target": key.target} for key in here.elsewhere],
        "stays": list(KEPT),
    }


def _feed(one: Outcome, *, foreign: bool) -> dict[str, Any]:
    return {
        "feed": one.found.key.feed,
        "target": one.found.key.target,
        "status": "done" if one.is_done else "failed",
        "asked": one.asked,
        "foreign": foreign,
        "deleted": {name: len(ids) for name, ids in one.target.deleted.items()},
        "unlinked": len(one.target.unlinked),
        "failed": [{"entity": name, "sourcedId": one, "detail": detail} for name, one, detail in one.target.failed],
        "error": one.target.error or None,
        "ledger": _count(one.found) if one.is_done else 0,
        "rosters": one.rosters,
    }
