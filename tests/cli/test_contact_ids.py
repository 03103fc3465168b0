"""Contacts who were sent under ids in which release 0.1 wrote their names: nobody is doubled, and nobody reads a name in a report."""

from __future__ import annotations

import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.sandbox import Sandbox
from flows.errors import SettingsError
from flows.ledger_view import LedgerView
from flows.salts import Salt, digests_of, note_salt
from tests.layouts.clever import clever
from tests.layouts.normalizing import written
from tests.layouts.test_digests import GUARDIANS, HEADER, MOTHER, OLD
from tests.loads import Loads
from tests.running import Run, roster
from tests.serving import Served
from transforms.changes import FINGERPRINT

OTHER = "1,s2,Bo,Ray,Max Ray,max@example.edu,Father\n"
RESPELLED = MOTHER.replace("Rosa Ito", "ROSA  ITO")
GUARDIAN = "guardian/rosa.ito@40example.edu"
FEED = """
district = "elm"
drop = "drop"
{more}
[source.district]
name = "Elm"
[limits]
school_percent = 100
{limits}
[target]
url = "{url}"
token_url = "{url}/oauth2/token"
client_id_env = "TIMEBACK_CLIENT_ID"
client_secret_env = "TIMEBACK_CLIENT_SECRET"
email_template = "{{sourcedId}}@students.example.edu"
"""
CREDENTIALS = {"TIMEBACK_CLIENT_ID": "sandbox", "TIMEBACK_CLIENT_SECRET": "sandbox"}


@dataclass(frozen=True)
class School(Served):
    """A target, and the feed of a school whose contacts have no ids."""

    @property
    def feed(self) -> Path:
        """The feed file."""
        return self.state.parent / "elm.toml"

    def configure(self, more: str = "", limits: str = "") -> None:
        """Write the feed file."""
        self.feed.write_text(FEED.format(url=self.sandbox.url, more=more, limits=limits))

    @property
    def key(self) -> FeedKey:
        """Under which the ledger keeps it."""
        return FeedKey(self.sandbox.url, "elm")

    @property
    def contacts(self) -> list[str]:
        """The ids of the contacts that are active in the target."""
        return sorted(
            one
            for one in self.sandbox.store.ids("users")
            if one.startswith(("contact", "guardian"))
        )

    def sync(self, students: str = MOTHER, *more: str) -> Run:
        """Load students with their contacts."""
        clever(self.state.parent / "drop", students=HEADER + students)
        return self.roster("sync", self.feed, *more)

    def as_before(self, old: str, load: Callable[[], Run]) -> bool:
        """Load as the first release did: a contact under an id in which an address can be read."""
        with Ledger(self.state / "ledger.db") as ledger:
            ledger.intend(
                self.key, "users", pl.DataFrame({"sourcedId": [old], FINGERPRINT: [1]}), "r0"
            )
        done = load()
        self.sql("DELETE FROM salts")
        return done.code == 0 and self.contacts == [old]

    def sql(self, statement: str, *values: str) -> None:
        """Change the ledger by hand."""
        with sqlite3.connect(self.state / "ledger.db") as connection:
            connection.execute(statement, values)
        connection.close()


def files(run: Run, *names: str) -> str:
    """What a run has written under these names."""
    folder = Path(run.json["report"]).parent
    return "\n".join((folder / name).read_text("utf-8") for name in names)


@pytest.fixture
def school(tmp_path: Path, sandbox: Sandbox, loads: Loads) -> School:
    """A school that the first release has loaded."""
    place = School(sandbox, tmp_path / "state")
    place.configure()
    clever(tmp_path / "drop", students=HEADER + MOTHER)
    loads.begin("contacts of 0.1", place.state, lambda: _loaded(place), sandbox)
    return place


def _loaded(place: School) -> bool:
    place.state.mkdir(mode=0o700)
    return place.as_before(OLD, place.sync)


def test_the_first_night_sends_nothing(school: School) -> None:
    """The mother keeps her id, and her child is linked to her."""
    run = school.sync()

    agents = [one["sourcedId"] for one in school.record("users", "s1")["agents"]]
    assert (0, [], [OLD]) == (run.code, school.writes, school.contacts)
    assert [OLD] == agents


def test_another_spelling_is_the_same_person(school: School) -> None:
    """Her name is written anew, under the old id; who comes is nobody whose name can be read."""
    run = school.sync(RESPELLED + OTHER)

    new = [one for one in school.contacts if one != OLD]
    assert (0, 0, 0) == (run.code, run.total("deleted"), run.total("disabled"))
    assert [True] == [one.startswith("contact-") for one in new]
    assert "ROSA" == school.record("users", OLD)["givenName"]


def test_a_layout_that_is_no_snapshot_keeps_its_guardians(tmp_path: Path, sandbox: Sandbox) -> None:
    """Nobody would vanish there, and everybody be there twice."""
    school = School(sandbox, tmp_path / "state")
    school.configure()
    school.state.mkdir(mode=0o700)
    written(tmp_path / "drop", **GUARDIANS)
    assert school.as_before(GUARDIAN, lambda: school.roster("sync", school.feed))

    run = school.roster("sync", school.feed)

    assert (0, [], [GUARDIAN]) == (run.code, school.writes, school.contacts)


def test_an_old_roster_comes_back_and_goes_again(school: School) -> None:
    """A restore and the night after it know the mother by the id that she has."""
    with Ledger(school.state / "ledger.db") as ledger:
        first = ledger.runs(school.key)[-1].id
    school.sync(MOTHER + OTHER)

    restored = school.roster("restore", first, school.feed)
    night = school.sync(MOTHER + OTHER)

    assert (0, 0) == (restored.code, night.code)
    assert 2 == len(school.contacts)
    assert OLD in school.contacts


def test_what_waits_in_the_archive_keeps_its_id(school: School) -> None:
    """A roster was accepted and not sent to its end; the mother in it is not made anew under another id."""
    school.sql("DELETE FROM records WHERE sourced_id = ?", OLD)
    school.sql("UPDATE runs SET status = 'failed', exit_code = 1")
    school.lose("users", OLD)

    run = school.sync()

    assert (0, [OLD]) == (run.code, school.contacts)


def test_nobody_reads_a_name_where_many_may(school: School) -> None:
    """Held records have a short id on the terminal, in the report and in the plan; the local file for the person who decides has the complete id."""
    school.configure(limits="vanished_records = 0\nvanished_percent = 0")

    run = school.sync(OTHER)

    told = run.said + files(run, "report.md", "plan.md")
    assert 3 == run.code
    assert "contact/…" in told
    assert "rosa" not in told.lower()
    assert OLD in files(run, "plan.csv")
    assert 0 == school.roster("sync", school.feed, "--approve", run.json["plan"]).code


def test_why_and_export_know_the_old_id(school: School, tmp_path: Path) -> None:
    """Whoever asks for it gets it."""
    school.sync()

    why = school.roster("why", OLD)
    roster(
        "export", school.feed, tmp_path / "roster.zip", state=school.state, environment=CREDENTIALS
    )

    assert ["active"] == [one["ledger"]["status"] for one in why.json["records"]]
    assert OLD in zipfile.ZipFile(tmp_path / "roster.zip").read("users.csv").decode()


def test_who_is_forgotten_does_not_come_back_in_another_spelling(school: School) -> None:
    """Nor is the name left in what runs wrote."""
    forgotten = school.roster("forget", OLD)

    same, other = school.sync(), school.sync(RESPELLED)

    assert (0, 0, 0, []) == (forgotten.code, same.code, other.code, school.contacts)
    assert "rosa" not in files(other, "report.md", "rejects.csv").lower()


def test_who_is_excluded_by_an_old_id_stays_so(tmp_path: Path, sandbox: Sandbox) -> None:
    """Nothing of that person was ever sent, and the feed file goes on meaning whom it meant."""
    school = School(sandbox, tmp_path / "state")
    school.configure(f'[share]\nexclude = ["{OLD}"]')

    run = school.sync(RESPELLED)

    assert (0, [], 1) == (run.code, school.contacts, run.json["entities"]["users"]["unshared"])


def test_a_file_of_ids_goes_on_meaning_whom_it_named(school: School) -> None:
    """She has another address since, and the old id by a line of that file."""
    school.configure('ids = "ids.csv"')
    (school.state.parent / "ids.csv").write_text(
        f"old,new\n{OLD},contact/r.ito@40example.edu/Rosa@20Ito\n"
    )

    run = school.sync(MOTHER.replace("Rosa.Ito@", "r.ito@"))

    assert (0, [OLD], "r.ito@example.edu") == (
        run.code,
        school.contacts,
        school.record("users", OLD)["email"],
    )


def test_a_lost_state_takes_old_ids_over(school: School) -> None:
    """By `adopt`, which reads who is there."""
    shutil.rmtree(school.state)

    adopted = school.roster("adopt", school.feed)
    run = school.sync()

    assert (0, 0, [], [OLD]) == (adopted.code, run.code, school.writes, school.contacts)


def test_another_name_of_the_district_for_one_run_makes_nobody_anew(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """`--district` says how the feed is called, and not whose people they are."""
    school = School(sandbox, tmp_path / "state")
    school.configure()
    school.sync()

    before, run = school.contacts, school.sync(MOTHER, "--district", "birch")

    assert (0, before, 1) == (run.code, school.contacts, len(before))


def test_another_feed_of_the_district_means_the_same_mother(school: School) -> None:
    """Under the id that she has."""
    other = school.state.parent / "evening.toml"
    shutil.copy(school.feed, other)

    run = school.roster("sync", other)

    assert (0, [OLD]) == (run.code, school.contacts)


def test_a_secret_salt_is_kept_to(tmp_path: Path, sandbox: Sandbox) -> None:
    """A run without it, or with another one, would make everybody anew, and is refused."""
    school = School(sandbox, tmp_path / "state")
    (tmp_path / "salt.txt").write_text("a secret of more than twenty signs")
    school.configure('[source]\nsalt_file = "salt.txt"')
    first = school.sync()
    before = school.contacts

    again = school.sync()
    (tmp_path / "salt.txt").write_text("another one")
    other = school.sync()
    school.configure()
    without = school.sync()

    assert (0, 0, 2, 2) == (first.code, again.code, other.code, without.code)
    assert "salt" in other.said
    assert before == school.contacts
    assert b"more than twenty" not in (school.state / "ledger.db").read_bytes()


KEY = FeedKey("sandbox", "elm")


def test_the_first_salt_stays(tmp_path: Path) -> None:
    """A district that is called otherwise by now keeps the ids of its contacts."""
    with Ledger(tmp_path / "ledger.db") as ledger:
        note_salt(Salt("elm"), KEY, "r1", ledger)
        note_salt(Salt("oak"), KEY, "r2", ledger)

        now, other = (
            digests_of(Salt("oak"), "", LedgerView(ledger, key), frozenset())
            for key in (KEY, FeedKey("sandbox", "oak"))
        )
        with pytest.raises(SettingsError, match="Remove the setting"):
            digests_of(Salt("oak", is_secret=True), "", LedgerView(ledger, KEY), frozenset())

    assert ("elm", "oak") == (now.salt, other.salt)
