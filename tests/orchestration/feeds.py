"""A feed with its drop, file and state, which flows load and tests look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connectors.ledger import Ledger, Run
from tests.rosters import changed, district, drop, without
from tests.running import roster

FEED = """district = "larkspur"
drop = "drop"
[target]
url = "sandbox"
email_template = "{sourcedId}@students.example.edu"
"""


class Feed:
    """A district of a few records."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file, self.state = folder, folder / "larkspur.toml", folder / "state"
        self.write("larkspur")
        drop(folder / "drop", district())

    def write(self, name: str, more: str = "") -> None:
        """Write a feed file of a name."""
        (self.folder / f"{name}.toml").write_text(FEED + more)

    def schedule(self, cron: str) -> None:
        """Let it be due at some times."""
        self.write("larkspur", f'[schedule]\ncron = "{cron}"\n')

    @property
    def parameters(self) -> dict[str, object]:
        """The parameters of a flow for this feed."""
        return {"district": str(self.file), "state": str(self.state)}

    def sync(self) -> None:
        """Load the drop by the command line, which says the same of it as a flow would."""
        roster("sync", self.file, state=self.state)

    def lose(self, *ids: str) -> None:
        """Let records vanish from the drop."""
        drop(self.folder / "drop", without(district(), *ids))

    def change(self, sourced_id: str, **cells: str) -> None:
        """Let a record of the drop be another."""
        drop(self.folder / "drop", changed(district(), sourced_id, **cells))

    def deliver(self, day: str, sourced_id: str, **cells: str) -> str:
        """Let a drop of a day in September lie beside others; give its date."""
        date = f"2026-09-{day}"
        drop(self.folder / "dated" / f"larkspur_{date}", changed(district(), sourced_id, **cells))
        return date

    def given_name(self, sourced_id: str) -> str:
        """What the target calls a user."""
        words = (
            "get",
            "users",
            "--target",
            "sandbox",
            "--filter",
            f"sourcedId='{sourced_id}'",
            "--json",
        )
        return str(roster(*words, state=self.state).json["givenName"])

    def active(self, collection: str) -> set[str]:
        """The ids that are active in the target."""
        words = ("get", collection, "--target", "sandbox", "--filter", "status='active'", "--csv")
        return {
            line.split(",")[0] for line in roster(*words, state=self.state).out.splitlines()[1:]
        }

    @property
    def runs(self) -> list[Run]:
        """What the ledger knows of its runs, the newest first."""
        with Ledger.reading(self.state / "ledger.db") as ledger:
            return ledger.runs()

    @property
    def decisions(self) -> list[tuple[str, str, str]]:
        """What was decided on its plans, by whom and why."""
        with Ledger.reading(self.state / "ledger.db") as ledger:
            found: list[Any] = [one for plan in ledger.plans() for one in ledger.decisions(plan.id)]
        return [(one.what, one.by, one.note) for one in found]
