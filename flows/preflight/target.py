"""The preflight's checks of the target: its answers, our access, and whose records it has."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from connectors.ledger import Ledger, LedgerError
from connectors.oneroster.read import CollectionAccess, TargetAccess, examine
from connectors.oneroster.target import TargetError
from flows.accept import Accepted
from flows.guard_context import SAMPLED_ENTITIES
from flows.job import Job
from flows.preflight.check import Check, failed, not_checked, passed, warning
from flows.send import count_active, open_target
from flows.why.sources import HURRY
from transforms.grammar import agree, count_of

TARGET, CREDENTIALS, SCOPES, EMPTY = "target", "credentials", "scopes", "first load"
SLEEPING = "The sandbox of this machine has held nothing yet, and starts with a load."
LOOKED_UP = 10


def check_target(job: Job, names: Sequence[str]) -> list[Check]:
    """Check that the target answers, takes our credentials and shows the touched collections."""
    if job.nothing_there:
        return [
            passed(TARGET, SLEEPING),
            passed(CREDENTIALS, "It takes its own."),
            passed(SCOPES, "It shows everything."),
        ]
    try:
        with open_target(job.load.target, job.run.state, job.load.concurrency) as address:
            hurried = replace(address, patience=HURRY, connect_seconds=5.0, request_seconds=10.0)
            found = asyncio.run(
                examine(hurried, [job.load.target.profile.collections[name] for name in names])
            )
    except OSError as error:
        found = TargetAccess(
            down=f"{job.load.target.name} cannot be opened: {error}. Check the permissions of the "
            "state folder."
        )
    return _target_checks(job.load.target.name, found)


def check_first_load(job: Job, accepted: Accepted | None, usable: bool) -> Check:
    """Check that the target has none of the drop's records, or that the ledger knows the feed."""
    try:
        with Ledger.reading(job.ledger_at) as ledger:
            known = sum(frame.height for frame in ledger.known(job.key).values())
            sample = {} if known or accepted is None else _sample(accepted, job, ledger)
    except LedgerError:
        return not_checked(EMPTY, "Whether the ledger knows this feed cannot be read.")
    if known:
        return passed(
            EMPTY,
            f"This feed was loaded or adopted already: the ledger has "
            f"{count_of(known, 'records')} of it.",
        )
    if job.nothing_there:
        return passed(EMPTY, SLEEPING)
    if accepted is None or not usable:
        return not_checked(EMPTY, "It takes a drop that is read and a target that answers.")
    return _check_foreign(job, sample)


def _target_checks(name: str, found: TargetAccess) -> list[Check]:
    if found.unreached:
        why = f"{name} does not answer: {found.unreached}. Check its address and the network."
        return [
            failed(TARGET, why),
            *(not_checked(one, "The target does not answer.") for one in (CREDENTIALS, SCOPES)),
        ]
    answers = passed(TARGET, f"{name} answers.")
    if found.refused:
        return [
            answers,
            failed(CREDENTIALS, found.refused),
            not_checked(SCOPES, "The credentials come first."),
        ]
    if found.down:
        return [
            failed(TARGET, found.down),
            not_checked(CREDENTIALS, "The target fails."),
            not_checked(SCOPES, "The target fails."),
        ]
    return [answers, passed(CREDENTIALS, "They are accepted."), _scope_check(found.shown)]


def _scope_check(shown: Mapping[str, CollectionAccess]) -> Check:
    hidden = {name: one for name, one in shown.items() if one.total is None}
    if not hidden:
        return passed(
            SCOPES, f"Every collection that a load would touch can be read ({len(shown)})."
        )
    missing_scopes: dict[str, list[str]] = {}
    for name, one in hidden.items():
        if one.scope:
            missing_scopes.setdefault(one.scope, []).append(name)
    sentences = [
        f"{', '.join(names)} cannot be read: the client lacks the scope {scope}. Ask the "
        "target's operator for it."
        for scope, names in missing_scopes.items()
    ]
    sentences += [
        f"{name} cannot be read: {one.why}. Check the address."
        for name, one in hidden.items()
        if not one.scope
    ]
    return failed(SCOPES, " ".join(sentences))


def _sample(accepted: Accepted, job: Job, ledger: Ledger) -> dict[str, list[str]]:
    """Return some evenly spread ids of the drop that no other feed of this ledger has sent."""
    others = ledger.of_others(job.key, SAMPLED_ENTITIES)
    sample = {}
    for name in SAMPLED_ENTITIES:
        if name in accepted.standing:
            ids = accepted.standing[name].accepted["sourcedId"]
            ids = ids.filter(~ids.is_in(others[name].implode())) if name in others else ids
            sample[name] = (
                ids.gather_every(max(1, ids.len() // LOOKED_UP)).head(LOOKED_UP).to_list()
            )
    return sample


def _check_foreign(job: Job, ids_by_entity: dict[str, list[str]]) -> Check:
    count = sum(map(len, ids_by_entity.values()))
    try:
        found = count_active(
            ids_by_entity, replace(job, load=replace(job.load, patience_seconds=HURRY.seconds))
        )
    except TargetError as error:
        return not_checked(EMPTY, str(error))
    if not found:
        return passed(
            EMPTY,
            f"The target holds none of the drop's records ({count:,} "
            f"{agree(count, 'were')} looked up).",
        )
    return warning(
        EMPTY,
        f"Of {count_of(count, 'records')} of the drop that {agree(count, 'were')} looked up, the "
        f"target holds {found:,}, and the ledger knows none. If they are this district's, run "
        "`roster adopt` first; if not, find out whose they are, and load with --first-run. "
        "Until then a load is held.",
    )
