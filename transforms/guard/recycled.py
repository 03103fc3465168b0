"""People and ids that have parted: an id that passed to another person, and a person who has got another id."""

from __future__ import annotations

import unicodedata

import polars as pl

from transforms.changes import ACTION, LABEL, Changes
from transforms.guard.past import Past
from transforms.guard.stops import VANISHED, Stops

FIRST, FEWEST = 3, 2
RECORDS = ("users", "demographics")


def people_in_doubt(changes: Changes) -> pl.Series:
    """Give the ids of users who are updated together with their demographics, or who vanish while others come."""
    if "users" not in changes:
        return pl.Series("sourcedId", dtype=pl.String)
    users = changes["users"]
    updated = users.upserts.filter(pl.col(ACTION) == "update")["sourcedId"]
    described = changes[RECORDS[1]].upserts["sourcedId"] if RECORDS[1] in changes else updated.clear()
    come = users.upserts.height > updated.len()
    gone = users.of(*VANISHED)["sourcedId"] if come else updated.clear()
    return pl.concat([updated.filter(updated.is_in(described.implode())), gone])


def recycled(stops: Stops, past: Past) -> None:
    """Stop updates that would make another person of somebody."""
    if not past.names.height or not set(RECORDS) <= stops.parts.keys():
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


def renumbered(stops: Stops, past: Past) -> None:
    """Stop people who vanish while others of the same name come with new ids: they would be there twice."""
    if not past.names.height or "users" not in stops.parts:
        return
    new = stops.parts["users"].upserts.filter(pl.col(ACTION) == "create").select(id="sourcedId", name=LABEL)
    gone = past.names.join(stops.vanished("users").select("sourcedId"), on="sourcedId", how="semi")
    alike = _once(gone).join(_once(new), on="name", how="inner", maintain_order="left")
    # That one leaves and a namesake comes may happen.
    if alike.height < FEWEST:
        return
    first = ", ".join(f"{old} and {one}" for old, one in alike.select("sourcedId", "id").head(FIRST).iter_rows())
    sentence = (
        f"users: {alike['sourcedId'].n_unique():,} people vanished, and as many of the same names came with other ids "
        f"({first}{', …' if alike.height > FIRST else ''}). If they are the same people, say so in ids.csv (old,new); else approve."
    )
    new_ids, old_ids = (pl.col("sourcedId").is_in(alike[name].implode()) for name in ("id", "sourcedId"))
    stops.stop("renumbered", sentence, "users", removals=old_ids, upserts=new_ids & (pl.col(ACTION) == "create"))


def _once(people: pl.DataFrame) -> pl.DataFrame:
    """Those whose name nobody else of them has."""
    return people.filter(~pl.col("name").is_duplicated())


def _words(name: str) -> set[str]:
    return set(unicodedata.normalize("NFKD", name).casefold().split())
