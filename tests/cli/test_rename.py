"""A feed file under another name: it is noticed, and the feed can be moved."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.sandbox.store import SandboxStore
from connectors.roster_archive import Archive
from tests.rosters import changed, district, drop, without
from tests.running import Run, roster

OPEN = "[limits]\nvanished_percent = 100\nschool_percent = 100\n"


class Feeds:
    """Feeds of one district, by their names, and their state."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.state = folder, folder / "state"

    def sync(self, name: str, *gone: str, more: tuple[str, ...] = ()) -> Run:
        """Load the district without some of its records."""
        drop(self.folder / "drop", without(district(), *gone))
        file = self.folder / f"{name}.toml"
        file.write_text(f'district = "{name}"\ndrop = "drop"\n[target]\nurl = "sandbox"\n{OPEN}')
        return roster("sync", file, "--json", *more, state=self.state)

    def rename(self, *names: str) -> Run:
        """Move a feed."""
        return roster("rename", *names, state=self.state)

    def status(self, name: str, sourced_id: str) -> str:
        """How the ledger knows a user."""
        with Ledger(self.state / "ledger.db") as ledger:
            users = ledger.known(FeedKey("sandbox", name))["users"]
        return str(users.filter(sourcedId=sourced_id)["status"][0])

    def rosters(self, name: str) -> Archive:
        """The archive of a feed."""
        return Archive(self.state / "rosters", FeedKey("sandbox", name))


@pytest.fixture
def feeds(tmp_path: Path) -> Feeds:
    """A district that was loaded by a feed, whose file then got another name."""
    feeds = Feeds(tmp_path)
    feeds.sync("old")
    feeds.sync("new")
    return feeds


BO = ("bo", "r2", "e2")


def test_what_a_feed_claims_that_no_longer_runs_waits_for_a_person(feeds: Feeds) -> None:
    """Who leaves is not kept for ever, and not taken away unseen; whoever says that it is right may approve."""
    held = feeds.sync("new", *BO)
    again = feeds.sync("new", *BO)
    done = feeds.sync("new", *BO, more=("--approve", again.json["plan"]))

    assert (3, 3, 0) == (held.code, again.code, done.code)
    assert "roster rename old new" in " ".join(held.err.split())
    assert ("disabled", "active") == (feeds.status("new", "bo"), feeds.status("old", "bo"))


def test_what_a_living_feed_has_sent_too_stays(feeds: Feeds) -> None:
    """Two feeds may share all of their records, and each may lose some."""
    feeds.sync("old")

    run = feeds.sync("new", *BO)

    assert (0, 1, "left") == (
        run.code,
        run.json["entities"]["users"]["kept"],
        feeds.status("new", "bo"),
    )


def test_a_feed_under_another_name_may_change_all_that_it_sent_before(feeds: Feeds) -> None:
    """It reads the same drops, so what it sent under its old name is no other feed's."""
    drop(feeds.folder / "drop", changed(district(), "bo", email="new@example.edu", grades=""))

    runs = [roster("sync", feeds.folder / "new.toml", "--json", state=feeds.state) for _ in "12"]

    store = SandboxStore(feeds.state / "sandbox.db")
    bo = store.get("users", "bo") or {}
    store.close()
    assert ("new@example.edu", None) == (bo["email"], bo.get("grades") or None)
    assert ([1, 0], 0) == ([run.total("updated") for run in runs], runs[1].json["requests"])


def test_a_feed_that_is_moved_takes_away_what_it_has_sent(feeds: Feeds) -> None:
    """Also who was kept meanwhile, and who had left before; its rosters and runs go along, in their order."""
    feeds.sync("old")
    feeds.sync("new", *BO)

    moved = feeds.rename("old", "new")
    run = feeds.sync("new", *BO)

    assert (0, 0, 1) == (moved.code, run.code, run.json["entities"]["users"]["disabled"])
    assert "Feed old into sandbox is now new" in moved.out
    assert ([], 5) == (feeds.rosters("old").runs(), len(feeds.rosters("new").runs()))
    assert run.json["run"] == feeds.rosters("new").runs()[-1]
    assert 0 == feeds.sync("new", *BO).total("updated")


def test_a_move_that_was_killed_is_finished_by_another(feeds: Feeds) -> None:
    """Rosters were moved, or some of them, and the ledger was not."""
    old, new = feeds.rosters("old"), feeds.rosters("new")
    first = next(old.folder.glob("*.json"))
    first.rename(new.folder / f"00000000-{old.runs()[0]}.json")

    moved, again = feeds.rename("old", "new"), feeds.rename("old", "new")

    assert (0, 2, False) == (moved.code, again.code, old.folder.exists())
    assert 2 == len([new.standing(run) for run in new.runs()])
    assert "The ledger knows no feed 'old'" in again.err


def test_a_name_that_has_records_of_its_own_is_refused(feeds: Feeds) -> None:
    """They would vanish from each other's drops; so is the name that it has, and one that nobody has."""
    other = {"sourcedId": "other", "name": "Other", "type": "district"}
    drop(feeds.folder / "other", {"orgs": [other]})
    roster("sync", feeds.folder / "other", "--district", "other", state=feeds.state)

    runs = [feeds.rename("old", "other"), feeds.rename("old", "old"), feeds.rename("ol", "x")]

    assert [2, 2, 2] == [run.code for run in runs]
    said = [" ".join(run.err.split()) for run in runs]
    assert "they are two feeds" in said[0]
    assert "has that name already" in said[1]
    assert "knows no feed 'ol'" in said[2]


def test_a_feed_may_be_named_by_its_file(feeds: Feeds) -> None:
    """Under the name that it has now; the answer may be asked for as JSON."""
    run = feeds.rename("old", str(feeds.folder / "new.toml"), "--json")

    assert {"feed": "old", "now": "new", "target": "sandbox", "records": 16} == run.json


def test_a_feed_that_shares_few_records_is_no_older_name(feeds: Feeds) -> None:
    """It is left what it has sent, though it no longer runs."""
    few = without(district(), "ana", "tia", "mum", "r1", "r3", "r4")
    drop(feeds.folder / "club", {name: few[name] for name in ("orgs", "users", "roles")})
    roster("sync", feeds.folder / "club", "--district", "club", state=feeds.state)
    feeds.rename("old", "new")

    run = feeds.sync("new", *BO)

    assert (0, 1) == (run.code, run.json["entities"]["users"]["kept"])
