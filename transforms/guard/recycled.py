"""Ids that seem to have passed to another person: their whole name and their demographics change in one night."""

from __future__ import annotations

import unicodedata

import polars as pl

from transforms.changes import ACTION, LABEL, Changes
from transforms.guard.past import Past
from transforms.guard.stops import Stops

FIRST = 3
RECORDS = ("users", "demographics")


def changed_people(changes: Changes) -> pl.Series:
    """Give the ids of users who are to be updated together with their demographics."""
    if not set(RECORDS) <= changes.keys():
        return pl.Series("sourcedId", dtype=pl.String)
    users, demographics = (changes[name].upserts.filter(pl.col(ACTION) == "update")["sourcedId"] for name in RECORDS)
    return users.filter(users.is_in(demographics.implode()))


def recycled(stops: Stops, past: Past) -> None:
    """Stop updates that would make another person of somebody."""
    if not past.names.height:
        return
    named = stops.parts["users"].upserts.select("sourcedId", now=LABEL)
    met = named.join(past.names, on="sourcedId", how="inner", maintain_order="left").drop_nulls().rows()
    ids = [one for one, now, before in met if not _words(now) & _words(before)]
    first = ", ".join(ids[:FIRST]) + (", …" if len(ids) > FIRST else "")
    sentence = (
        f"{len(ids):,} ids seem to have passed to other people ({first}): the whole name and the demographics changed. "
        "Give new people ids of their own; if it is one person whose record was corrected, approve."
    )
    stops.stop("recycled", sentence, *RECORDS, upserts=pl.col("sourcedId").is_in(ids))


def _words(name: str) -> set[str]:
    return set(unicodedata.normalize("NFKD", name).casefold().split())
