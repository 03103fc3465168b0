"""`roster preflight`: all that can be known before a first load, without writing to the target. What a person can mend is told, never raised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flows.options import Options
from flows.preflights.check import Preflight
from flows.preflights.drop import dropped, found
from flows.preflights.probing import is_staging
from flows.preflights.settings import settings
from flows.preflights.state import probed, state
from flows.preflights.target import first_load, target


def preflight(options: Options, environment: Mapping[str, str]) -> Preflight:
    """Look at settings, secrets, target, drop and state; nothing is sent but questions."""
    meant, job = settings(options, environment)
    if job is None:
        return Preflight(str(options.drop), "", tuple(meant))
    job, drop = found(job)
    there = target(job, drop.touched(job.load.target.profile.collections))
    usable = not any(check.standing == "not ok" for check in there)
    here = state(job)
    # Records of others in a target that cannot be read are not asked for once more.
    alone = replace(job, guard=replace(job.guard, external=frozenset()))
    judged, accepted = dropped(job if usable else alone, drop)
    checks = [*meant, *there, *judged, *here, first_load(job, accepted, usable)]
    staging = is_staging(options, environment)
    return Preflight(job.run.feed, job.load.target.name, (*checks, probed(job, staging)))
