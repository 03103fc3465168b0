"""Agents of users: other users, who must be in the target before they are named.

A user is sent without agents if one of them is not there yet, and gets a second pass after all
users. Between the passes the ledger holds a fingerprint that no drop has, so that a run that is
killed there leaves a difference.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from connectors.oneroster.job import Job
from connectors.oneroster.proving import AGENTS
from transforms.changes import IN_TARGET, Term
from transforms.payload import Json

COLUMN = "agentSourcedIds"
UNFINISHED = 1


@dataclass
class Agents:
    """Which of the users who are `named` as agents the target holds (`there`).

    `later` are the users who wait for their second pass, with the term that the first one earned.
    """

    named: frozenset[str] = frozenset()
    there: set[str] = field(default_factory=set)
    later: dict[str, Term] = field(default_factory=dict)

    def missing(self, record: Json) -> list[str]:
        """The agents of a user that the target does not hold yet."""
        if not self.named:
            return []
        ids = (agent["sourcedId"] for agent in record.get(AGENTS, ()))
        return [sourced_id for sourced_id in ids if sourced_id not in self.there]

    def arrived(self, sourced_id: str) -> None:
        """Take note that a user is in the target."""
        if sourced_id in self.named:
            self.there.add(sourced_id)


def agents_of(job: Job, users: pl.DataFrame) -> Agents:
    """Find out which agents of the users to be sent are in the target already, as the ledger knows it."""
    if COLUMN not in users.columns:
        return Agents()
    named = users.select(pl.col(COLUMN).str.split(",").explode().drop_nulls().unique())[COLUMN]
    known = job.ledger.details(job.key, "users", named)
    return Agents(frozenset(named), set(known.filter(pl.col("status").is_in(IN_TARGET))["sourcedId"]))


def unfinished(fingerprint: pl.Expr) -> pl.Expr:
    """A fingerprint that differs from the one given, and from any drop's by all odds."""
    return fingerprint.xor(pl.lit(UNFINISHED, pl.Int64))
