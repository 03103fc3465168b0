"""A feed with dated drops, and its backfills, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.rosters import Row, Rows, changed, delta, district, drop, manifest
from tests.running import Run, roster

FIRST, SECOND, THIRD = "2026-09-01", "2026-09-02", "2026-09-03"
SENT = ("created", "updated", "disabled", "deleted")


class Feed:
    """A feed with dated drops in a folder, and a sandbox as its target."""

    def __init__(self, folder: Path) -> None:
        self.state, self.drops = folder / "state", folder / "drops"
        self.file = folder / "larkspur.toml"
        self.configure()

    def configure(self, tail: str = "", drop: str = "today") -> None:
        """Write the feed file again, with `tail` as its last lines."""
        self.file.write_text(
            f'district = "larkspur"\ndrop = "{drop}"\n[target]\nurl = "sandbox"\n{tail}'
        )

    def deliver(self, day: str, rows: Rows) -> Path:
        """Write the drop of a day."""
        return drop(self.drops / f"larkspur_{day}", rows)

    def change(self, day: str, status: str = "active", **rows: list[Row]) -> None:
        """Write the drop of a day as a delta. A changed user needs its roles there too."""
        self.deliver(day, delta(dict(rows), status))
        (self.drops / f"larkspur_{day}" / "manifest.csv").write_text(
            manifest(dict.fromkeys(rows, "delta"))
        )

    def rename(self, day: str, user: str, name: str) -> None:
        """Write a delta in which one user has another name."""
        rows = changed(district(), user, givenName=name)
        self.change(
            day,
            users=[row for row in rows["users"] if row["sourcedId"] == user],
            roles=[row for row in rows["roles"] if row["userSourcedId"] == user],
        )

    def three_days(self) -> None:
        """Write three drops: Bo is renamed on the second day, Tia on the third."""
        second = changed(district(), "bo", givenName="Zoe")
        self.deliver(FIRST, district())
        self.deliver(SECOND, second)
        self.deliver(THIRD, changed(second, "tia", givenName="Mia"))

    def backfill(
        self, *words: str, start: str = FIRST, end: str = THIRD, drops: str | None = ""
    ) -> Run:
        """Replay the drops; the feed's archive if `drops` is None."""
        where = () if drops is None else ("--drops", drops or str(self.drops))
        return roster("backfill", self.file, start, end, *where, *words, "--json", state=self.state)

    def sync(self, day: str, tail: str = "") -> Run:
        """Load the drop of a day."""
        self.configure(tail, f"drops/larkspur_{day}")
        return roster("sync", self.file, "--json", state=self.state)

    def names(self) -> dict[str, str]:
        """Return the given names of the target's users, by id."""
        read = roster(
            "get",
            "users",
            "--target",
            "sandbox",
            "--csv",
            "--fields",
            "sourcedId,givenName",
            state=self.state,
        )
        return dict(line.split(",")[:2] for line in read.out.splitlines()[1:])


def sent(run: Run) -> list[tuple[str, str, int]]:
    """Return for each day: its date, its status, and how many records were or would be sent."""
    return [(one["date"], one["status"], _sent(one)) for one in run.json["steps"]]


def _sent(step: dict[str, Any]) -> int:
    return sum(counts[term] for counts in step["entities"].values() for term in SENT)


def counted(run: Run) -> list[tuple[str, str, dict[str, Any]]]:
    """Return for each day: its date, its status, and the counts of all entities."""
    return [(one["date"], one["status"], one["entities"]) for one in run.json["steps"]]
