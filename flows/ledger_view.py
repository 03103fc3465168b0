"""What the ledger knows of a feed before a run: the view that the pure steps are given."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property

import polars as pl

from connectors.ledger import FeedKey, Ledger
from connectors.ledger.salts import StoredSalt
from transforms.changes import ACTIVE, IN_TARGET
from transforms.checks.references import LedgerFrames, OtherFeedsIds, parent_ids

# Under this word, in place of an entity, the ledger notes cross-lists beside changed ids.
CROSS_LISTED = "cross-lists"


class LedgerView:
    """A lazy view of the ledger for one feed.

    Each answer is read when it is first needed, and then kept. So a view serves one comparison:
    after the ledger was written to, take a new one. Any answer may raise `LedgerError`.
    """

    def __init__(self, ledger: Ledger, key: FeedKey) -> None:
        self.key = key
        self._ledger = ledger
        self._details: dict[str, pl.DataFrame] = {}

    @cached_property
    def records(self) -> LedgerFrames:
        """What the target holds of the feed, by entity: `sourcedId`, `fingerprint`, `status`."""
        return self._ledger.known(self.key)

    @cached_property
    def forgotten(self) -> frozenset[str]:
        """The digests of the ids of all forgotten people, in every feed."""
        return self._ledger.forgotten()

    @cached_property
    def renamed(self) -> dict[tuple[str, str], str]:
        """The ids that the source replaced: by entity and new id, the id in the target."""
        return {key: was for key, was in self._noted.items() if key[0] != CROSS_LISTED}

    @cached_property
    def cross_listed(self) -> dict[str, str]:
        """The classes that the source moved to another course: class -> course, or blank."""
        return {one: course for (kind, one), course in self._noted.items() if kind == CROSS_LISTED}

    @cached_property
    def _noted(self) -> dict[tuple[str, str], str]:
        return self._ledger.renamed(self.key)

    @cached_property
    def salt(self) -> StoredSalt | None:
        """The salt of the feed's first ids that were made from personal data; None without any."""
        return self._ledger.salt(self.key)

    @cached_property
    def readable(self) -> frozenset[str]:
        """People's ids with readable parts that the target has, or may get."""
        return self._ledger.readable(self.key)

    @cached_property
    def people(self) -> frozenset[str]:
        """The ids of the feed's people that contain a slash: those that roster made."""
        if "users" not in self.records:
            return frozenset()
        ids = self.records["users"]["sourcedId"]
        return frozenset(ids.filter(ids.str.contains("/", literal=True)))

    @cached_property
    def awaited(self) -> dict[str, list[str]]:
        """The ids of new records that plans of the feed hold, by entity."""
        return self._ledger.awaited(self.key)

    @cached_property
    def schools_of_classes(self) -> pl.DataFrame:
        """The school of each class in the target, those of all feeds: `sourcedId`, `school`."""
        return self._ledger.schools_of(self.key, "classes")

    def details(self, entity: str) -> pl.DataFrame:
        """Return all columns of one entity's records."""
        if entity not in self._details:
            self._details[entity] = self._ledger.details(self.key, entity)
        return self._details[entity]

    def names(self, people: Collection[str]) -> dict[str, str]:
        """Return the names under which the target has some people of the feed."""
        if not people:
            return {}
        ids = pl.Series(sorted(people), dtype=pl.String)
        there = self._ledger.details(self.key, "users", ids).filter(
            pl.col("status").is_in(IN_TARGET)
        )
        return dict(there.select("sourcedId", "label").drop_nulls().iter_rows())

    def orgs(self) -> dict[str, str | None]:
        """Return the org above each active org in the target, by sourcedId."""
        active = self.details("orgs").filter(status=ACTIVE)
        above = parent_ids(pl.col("parents"), "orgs").list.first()
        return dict(active.select("sourcedId", above).iter_rows())

    def moments(self, entity: str, ids: pl.Series) -> pl.DataFrame:
        """Return when the accepted delta rows of some ids were last changed, where it is known."""
        return self._ledger.moments(self.key, entity, ids)

    def elsewhere(self, entities: Sequence[str]) -> OtherFeedsIds:
        """Return the ids that other feeds have in the same target, by entity."""
        return self._ledger.of_others(self.key, entities)
