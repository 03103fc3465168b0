"""People are notified of how a run ended: each cause once, again when it comes back, and never with a name or a secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from connectors.ledger import FeedKey, Ledger
from tests.receiving import Receiver, receiver
from tests.rosters import Rows, changed, district, drop, without
from tests.running import Run, roster

FILE = """
district = "larkspur"
drop = "drop"
{settings}
[target]
url = "{target}"
{target_settings}
[share]
contacts = true
[notify]
env = ["LARKSPUR_NOTIFY"]
{notify}
"""
SECRET = "hunter2hunter2"


@dataclass
class Larkspur:
    """A district whose feed tells a receiver."""

    folder: Path
    inbox: Receiver
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """The feed file."""
        return self.folder / "larkspur.toml"

    def configure(
        self,
        settings: str = "",
        notify: str = "",
        target: str = "sandbox",
        target_settings: str = "",
    ) -> None:
        """Write the feed file."""
        text = FILE.format(
            settings=settings, notify=notify, target=target, target_settings=target_settings
        )
        self.file.write_text(text)

    def write(self, rows: Rows) -> None:
        """Write the drop."""
        drop(self.folder / "drop", rows)

    def run(self, command: str = "sync", *arguments: str) -> Run:
        """Run a command on the feed."""
        environment = {"LARKSPUR_NOTIFY": self.inbox.address} | self.environment
        return roster(
            command, self.file, *arguments, state=self.folder / "state", environment=environment
        )

    def sync(self, rows: Rows | None = None) -> int:
        """Load a drop, the same as before if none is given; give the exit code."""
        if rows:
            self.write(rows)
        return self.run().code

    @property
    def told(self) -> frozenset[str]:
        """The causes that the ledger has noted as notified."""
        with Ledger(self.folder / "state" / "ledger.db") as ledger:
            return ledger.notified(FeedKey("sandbox", "larkspur"))


@pytest.fixture
def larkspur(tmp_path: Path) -> Iterator[Larkspur]:
    """A district with a feed file and a drop."""
    with receiver() as inbox:
        found = Larkspur(tmp_path, inbox)
        found.configure()
        found.write(district())
        yield found


def smaller() -> Rows:
    """A drop that lacks half of the enrollments of a school, which is held."""
    return without(district(), "e1")


def test_a_good_night_tells_nobody(larkspur: Larkspur) -> None:
    """Neither the first load nor an unchanged night."""
    assert [0, 0] == [larkspur.sync(), larkspur.sync()]
    assert [] == larkspur.inbox.messages
    assert frozenset() == larkspur.told


def test_what_is_held_is_told_once_with_the_next_command(larkspur: Larkspur) -> None:
    """The plan is the cause: the next night holds the same and tells nobody."""
    larkspur.sync()
    run = larkspur.sync(smaller())
    (message,) = larkspur.inbox.messages
    again = larkspur.sync()

    assert [3, 3] == [run, again]
    assert "larkspur: held" == message["title"]
    assert "1 of 2 enrollments vanished, more than 30 % of a school." in message["message"]
    assert f"Next: roster sync {larkspur.file} --approve " in message["message"]
    assert f"Report: {larkspur.folder / 'state' / 'runs'}" in message["message"]
    assert 1 == len(larkspur.inbox.messages)


def test_what_is_over_is_told_again_when_it_comes_back(larkspur: Larkspur) -> None:
    """The ledger forgets a cause with the first run without it."""
    larkspur.sync()
    larkspur.sync(smaller())
    larkspur.sync(district())
    over = larkspur.told
    larkspur.sync(smaller())

    assert frozenset() == over
    assert ["larkspur: held", "larkspur: held"] == larkspur.inbox.titles


def test_what_was_approved_is_over(larkspur: Larkspur) -> None:
    """The run that sends a plan tells nobody."""
    larkspur.sync()
    larkspur.write(smaller())
    plan = larkspur.run("sync", "--json").json["plan"]
    larkspur.inbox.messages.clear()
    approved = larkspur.run("sync", "--approve", plan)

    assert 0 == approved.code
    assert [] == larkspur.inbox.messages
    assert frozenset() == larkspur.told


def test_plan_and_check_tell_nobody(larkspur: Larkspur) -> None:
    """Whoever asks sees it on the terminal."""
    larkspur.sync()
    larkspur.write(smaller())

    assert [3, 0] == [larkspur.run("plan").code, larkspur.run("check").code]
    assert [] == larkspur.inbox.messages


def test_a_drop_that_is_refused_is_told_by_its_rules(larkspur: Larkspur) -> None:
    """A second fault of the same rule is no other cause; another rule is."""
    larkspur.sync()
    (larkspur.folder / "drop" / "users.csv").write_bytes(b"")
    codes = [larkspur.sync(), larkspur.sync()]

    assert [4, 4] == codes
    (message,) = larkspur.inbox.messages
    assert "larkspur: refused" == message["title"]
    assert f"Next: roster check {larkspur.file}" in message["message"]


def test_a_run_that_cannot_begin_is_told(larkspur: Larkspur) -> None:
    """A drop that is not there, each time that it goes away."""
    larkspur.sync()
    away = (larkspur.folder / "drop").rename(larkspur.folder / "away")
    codes = [larkspur.sync(), larkspur.sync()]
    away.rename(larkspur.folder / "drop")
    codes += [larkspur.sync()]
    (larkspur.folder / "drop").rename(away)
    codes += [larkspur.sync()]

    assert [2, 2, 0, 2] == codes
    first, second = larkspur.inbox.messages
    assert first == second
    assert "larkspur: failed" == first["title"]
    assert f"{larkspur.folder / 'drop'} does not exist." in first["message"]


def test_a_target_that_is_down_is_told_once(larkspur: Larkspur) -> None:
    """Whatever the number of the try."""
    larkspur.environment = {"A": "token"}
    larkspur.configure(
        target="http://127.0.0.1:9", target_settings='access_token_env = "A"\npatience_seconds = 0'
    )

    assert [1, 1] == [larkspur.sync(), larkspur.sync()]
    (message,) = larkspur.inbox.messages
    assert "larkspur: failed" == message["title"]
    assert "127.0.0.1" in message["message"]
    assert f"Next: roster sync {larkspur.file}" in message["message"]


def test_a_drop_that_is_too_old_is_told_until_a_newer_one_comes(larkspur: Larkspur) -> None:
    """Of each day's drop once."""
    larkspur.configure('drop_date = 2026-01-05\nmax_age = "2d"')
    codes = [larkspur.sync(), larkspur.sync()]
    larkspur.configure('drop_date = 2026-01-06\nmax_age = "2d"')
    codes += [larkspur.sync()]

    assert [3, 3, 3] == codes
    assert ["larkspur: stale", "larkspur: stale"] == larkspur.inbox.titles


def test_only_what_the_file_names_is_told(larkspur: Larkspur) -> None:
    """`on` leaves the rest to the report."""
    larkspur.configure(notify='on = ["failed"]')
    larkspur.sync()

    assert 3 == larkspur.sync(smaller())
    assert [] == larkspur.inbox.messages


def test_a_dead_receiver_changes_nothing_of_the_run(larkspur: Larkspur) -> None:
    """It is said on the terminal and in the report, without the address, and tried again."""
    larkspur.sync()
    larkspur.inbox.answer = 500
    larkspur.write(smaller())
    run = larkspur.run()
    report = max(
        (larkspur.folder / "state" / "runs").glob("*/report.md"),
        key=lambda one: one.stat().st_mtime_ns,
    )
    larkspur.inbox.answer = 200
    again = larkspur.sync()

    assert [3, 3] == [run.code, again]
    for text in (run.out, report.read_text()):
        assert (
            "Not told: The address that $LARKSPUR_NOTIFY holds did not take the message."
            in " ".join(text.split())
        )
        assert SECRET not in text
        assert str(larkspur.inbox.port) not in text
    assert ["larkspur: held", "larkspur: held"] == larkspur.inbox.titles


def test_an_address_that_is_not_there_is_said_in_every_run(larkspur: Larkspur) -> None:
    """Before there is anything to tell."""
    larkspur.environment = {"LARKSPUR_NOTIFY": ""}
    run = larkspur.run()

    assert 0 == run.code
    assert "Not told:" in run.out
    assert "`notify.env` names $LARKSPUR_NOTIFY, which is not set, or blank." in " ".join(
        run.out.split()
    )


def test_whoever_was_told_is_not_told_again_for_another_who_was_not(larkspur: Larkspur) -> None:
    """Each addressee has a memory of its own."""
    with receiver() as second:
        (larkspur.folder / "second").write_text(second.address)
        larkspur.configure(notify='files = ["second"]')
        larkspur.sync()
        second.answer = 503
        larkspur.sync(smaller())
        second.answer = 200
        larkspur.sync()

        assert [1, 2] == [len(larkspur.inbox.messages), len(second.messages)]


def test_an_address_that_redirects_is_not_followed(larkspur: Larkspur) -> None:
    """What is for one host goes to no other."""
    with receiver() as elsewhere:
        larkspur.sync()
        larkspur.inbox.answer, larkspur.inbox.location = 307, f"http://127.0.0.1:{elsewhere.port}/"
        larkspur.write(smaller())
        run = larkspur.run()

        assert "Not told:" in run.out
        assert [] == elsewhere.messages


def test_what_is_far_from_usual_is_told_and_holds_nothing(larkspur: Larkspur) -> None:
    """Also in the verdict; the next night it is over."""
    larkspur.configure("[limits]\nrejected_percent = 100")
    for _ in range(6):
        larkspur.sync()
    rows = district()
    bad = [
        {"sourcedId": f"e{number}", "userSourcedId": "nobody"} | _rest(rows)
        for number in range(100, 140)
    ]
    larkspur.write(rows | {"enrollments": [*rows["enrollments"], *bad]})
    run = larkspur.run()
    codes = [larkspur.sync(), larkspur.sync(district())]

    assert [0, 0, 0] == [run.code, *codes]
    sentence = "Unusual: 40 enrollments rejected; usually 0 over the last 5 runs."
    assert sentence in run.out
    (message,) = larkspur.inbox.messages
    assert "larkspur: unusual" == message["title"]
    assert sentence in message["message"]
    assert frozenset() == larkspur.told


def _rest(rows: Rows) -> dict[str, str]:
    """An enrollment's other cells."""
    return {
        name: cell
        for name, cell in rows["enrollments"][0].items()
        if name not in ("sourcedId", "userSourcedId")
    }


def test_no_name_no_id_of_a_person_and_no_secret_is_sent(larkspur: Larkspur) -> None:
    """Whatever happened: held, refused, failed."""
    larkspur.sync()
    larkspur.sync(changed(smaller(), "bo", email="bo"))
    (larkspur.folder / "drop" / "users.csv").write_bytes(b"")
    larkspur.sync()
    sent = json.dumps(larkspur.inbox.messages)

    assert ["larkspur: held", "larkspur: refused"] == larkspur.inbox.titles
    for value in (
        "Ana",
        "Diaz",
        "O'Brien",
        "@example.edu",
        '"ana',
        " ana",
        " bo",
        SECRET,
        str(larkspur.inbox.port),
    ):
        assert value not in sent


def test_what_was_told_stays_known_where_a_run_knows_nothing_of_it(larkspur: Larkspur) -> None:
    """A refused drop says nothing of what is held."""
    larkspur.sync()
    larkspur.sync(smaller())
    (larkspur.folder / "drop" / "users.csv").write_bytes(b"")
    larkspur.sync()
    larkspur.sync(smaller())

    assert ["larkspur: held", "larkspur: refused"] == larkspur.inbox.titles
    assert 1 == len(larkspur.told)
