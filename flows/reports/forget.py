"""The report of `roster forget`: what was removed where, and what cannot be removed from here.

It contains ids and counts, and no names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flows.forget.run import FeedErasure, ForgetResult, Traces
from flows.reports.screen import print_line
from transforms.grammar import count_of

MOST = 5  # records of the target that failed
KEPT = (
    (
        "The drop itself still has this person until the SIS takes them out: what is read of them "
        "is counted as unshared."
    ),
    (
        "A target keeps the ids of what was deleted, with neutral values. Copies and backups of "
        "the state folder are not ours to change."
    ),
)


def print_forget(result: ForgetResult) -> None:
    """Print what was removed, what was not, and what to do next."""
    for line in _lines(result):
        print_line(line)


def _lines(result: ForgetResult) -> Iterator[str]:
    if not result.feeds:
        yield (
            f"Nothing is left of {result.person}; later drops, restores and approvals leave this "
            "person out."
        )
    for one in result.feeds:
        yield f"Feed {one.found.key.feed} into {one.found.key.target}"
        yield from (f"  {line}" for line in _feed_lines(one, foreign=result.is_foreign(one)))
    yield f"Files of runs from which the person was removed: {result.files:,}"
    if not result.compacted:
        yield (
            "The sandbox's file is in use, and may still hold what was overwritten. Stop the "
            "sandbox, and run this again."
        )
    for key in result.elsewhere:
        yield (
            f"Feed {key.feed} into {key.target} has this person too: roster forget "
            f"{result.person} --feed {key.feed}"
        )
    yield from KEPT
    if result.is_done:
        yield (
            f"Done: {result.person} is forgotten. The ledger keeps a digest of the id, by which "
            "this person is left out from now on."
        )
    else:
        yield (
            "Not finished: what is kept here says what is to be removed there, and stays. Run "
            f"`roster forget {result.person}` again; with --here, if the target is gone or never "
            "takes it."
        )


def _feed_lines(one: FeedErasure, *, foreign: bool) -> Iterator[str]:
    if not one.asked:
        yield "target: not asked" + (
            ", and holds what we sent of the person"
            if one.found.sent
            else ", since nothing of the person was sent there"
        )
    deleted = ", ".join(
        count_of(len(ids), name) for name, ids in sorted(one.target.deleted.items())
    )
    if deleted:
        yield f"target: {deleted} deleted, and blanked before"
    if foreign:
        yield (
            "target: we have not sent the person; a user with that id there was not "
            "loaded by roster, and was not touched"
        )
    if one.target.unlinked:
        yield f"target: removed from the agents of {count_of(len(one.target.unlinked), 'users')}"
    for name, sourced_id, detail in one.target.failed[:MOST]:
        yield f"target: not finished: {name} {sourced_id}: {detail}"
    if one.target.error:
        yield f"target: not finished: {one.target.error}"
    if one.is_done:
        yield (
            f"ledger: {count_of(_count(one.found), 'records')} removed; rosters: "
            f"{count_of(one.found.rows, 'records')} removed from "
            f"{count_of(one.rosters, 'rosters')}"
        )
    else:
        yield "ledger and rosters: not yet"


def forget_json(result: ForgetResult) -> dict[str, Any]:
    """Return the object that `--json` prints."""
    return {
        "person": result.person,
        "status": "done" if result.is_done else "failed",
        "feeds": [_feed_json(one, foreign=result.is_foreign(one)) for one in result.feeds],
        "files": result.files,
        "sandboxCompacted": result.compacted,
        "elsewhere": [{"feed": key.feed, "target": key.target} for key in result.elsewhere],
        "stays": list(KEPT),
    }


def _feed_json(one: FeedErasure, *, foreign: bool) -> dict[str, Any]:
    return {
        "feed": one.found.key.feed,
        "target": one.found.key.target,
        "status": "done" if one.is_done else "failed",
        "asked": one.asked,
        "foreign": foreign,
        "deleted": {name: len(ids) for name, ids in one.target.deleted.items()},
        "unlinked": len(one.target.unlinked),
        "failed": [
            {"entity": name, "sourcedId": sourced_id, "detail": detail}
            for name, sourced_id, detail in one.target.failed
        ],
        "error": one.target.error or None,
        "ledger": _count(one.found) if one.is_done else 0,
        "rosters": one.rosters,
    }


def _count(traces: Traces) -> int:
    return sum(len(ids) for ids in traces.sent.values())
