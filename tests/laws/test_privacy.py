"""Nothing personal in logs, as a law over generated rosters: what a command prints, and what it leaves for others to read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.oneroster.sandbox import Sandbox
from tests.laws.conftest import world
from tests.laws.strategies import Dirt, dirt, rosters
from tests.laws.test_laws import spoiled
from tests.rosters import Rows, drop
from tests.serving import Served
from tests.strength import expensive

PERSONAL = {
    "givenName": "Quillon",
    "familyName": "Zephyrine",
    "email": "quillon@example.edu",
    "phone": "5550100",
}
WORDS = ("Quillon", "Zephyrine", "quillon", "5550100")


@expensive(12, 3)
@given(rosters(), st.lists(dirt(), max_size=3))
def test_nobodys_name_is_printed_or_open_to_others(
    sandbox: Sandbox, rows: Rows, faults: list[Dirt]
) -> None:
    """Whatever is wrong with a drop: ids, columns and rules are printed; values stand in files for their owner alone."""
    rows = spoiled({**rows, "users": [row | PERSONAL for row in rows["users"]]}, faults)
    with world(sandbox) as one:
        place = Served(sandbox, one.folder / "state")
        folder = drop(one.folder / "drop", rows)

        printed = [place.roster(command, folder).said for command in ("plan", "sync")]

        assert [] == [word for word in WORDS for text in printed if word in text]
        files = [path for path in place.state.rglob("*") if path.is_file()]
        assert files
        assert [] == [path.name for path in files if path.stat().st_mode & 0o077]
