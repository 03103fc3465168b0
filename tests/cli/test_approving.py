"""What an approval still sends when the world has moved on since the plan was made, and what it leaves out and says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.ledger import Ledger
from tests.cli.test_guarding import Feed, many, today
from tests.loads import Loads
from tests.rosters import DISTRICT, Rows, changed, delta, district, drop, without
from tests.running import Run

TWENTY = tuple(f"e-u{number}" for number in range(20))


@pytest.fixture
def feed(tmp_path: Path, loads: Loads) -> Feed:
    """A feed without a history."""
    return Feed(tmp_path, loads)


@pytest.fixture
def held(feed: Feed) -> str:
    """A plan that deletes twenty enrollments."""
    feed.begin()
    return str(feed.sync(without(many(), *TWENTY)).json["plan"])


def dies_once_accepted(feed: Feed, rows: Rows, mode: str = "bulk") -> None:
    """Load rows in a run that is killed as soon as its roster is in the archive: the ledger hears nothing of its end."""
    before = {path: path.read_bytes() for path in feed.state.glob("ledger.db*")}
    feed.sync(rows, mode=mode)
    for path in feed.state.glob("ledger.db*"):
        path.unlink()
    for path, content in before.items():
        path.write_bytes(content)


def said(run: Run) -> str:
    """The printed messages, in one line."""
    return " ".join(run.err.split())


def status_of(feed: Feed, plan: str) -> str:
    """How the ledger knows a plan."""
    with Ledger.reading(feed.state / "ledger.db") as ledger:
        found = ledger.plan(plan)
    return found.status if found else ""


def test_a_plan_is_replaced_by_a_roster_that_was_accepted_whatever_became_of_its_run(
    feed: Feed, held: str
) -> None:
    """Everybody is back in it: nobody is deleted, wherever the drop is by then."""
    dies_once_accepted(feed, many())
    drop(feed.folder / "drop", without(many(), *TWENTY))

    dry, run = feed.plan("--approve", held), feed.sync(None, "--approve", held)

    assert (2, 2, 63) == (dry.code, run.code, len(feed.active("enrollments")))
    assert f"Plan {held} was replaced: nothing of it is left. Left out: 20 changes" in said(run)
    assert "replaced" == status_of(feed, held)


def test_what_a_newer_roster_still_has_is_left_out(feed: Feed, held: str) -> None:
    """Fifteen are back in a roster whose run died; the other five go."""
    rows = without(many(), *TWENTY[:5])
    dies_once_accepted(feed, rows)

    run = feed.sync(None, "--approve", held)

    assert (0, 5, 58) == (run.code, run.total("deleted"), len(feed.active("enrollments")))
    assert "Left out: 15 changes of the plan (enrollments:e-u10, " in said(run)
    assert "has accepted a newer roster" in said(run)


def test_whom_a_delta_brought_back_is_left_out(feed: Feed, held: str) -> None:
    """The same holds for a delta whose run died; what it does not speak of is as it was."""
    back = DISTRICT["enrollments"][0] | {"sourcedId": "e-u3", "userSourcedId": "u3"}
    dies_once_accepted(feed, delta({"enrollments": [back]}), "delta")

    run = feed.sync(None, "--approve", held)

    assert (0, 19, True) == (run.code, run.total("deleted"), "e-u3" in feed.active("enrollments"))


def test_whose_row_is_bad_by_now_is_not_removed(feed: Feed, held: str) -> None:
    """Rejected is not absent."""
    dies_once_accepted(
        feed, changed(without(many(), *TWENTY[:3], *TWENTY[4:]), "e-u3", role="pupil")
    )

    run = feed.sync(None, "--approve", held)

    assert (0, 19, True) == (run.code, run.total("deleted"), "e-u3" in feed.active("enrollments"))


def test_a_row_whose_id_nobody_knows_may_be_anybodys(feed: Feed, held: str) -> None:
    """It stands in the current drop: nobody is removed before it is mended."""
    rows = without(many(), *TWENTY)
    rows["enrollments"].append(DISTRICT["enrollments"][0] | {"sourcedId": ""})
    drop(feed.folder / "drop", rows)

    run = feed.sync(None, "--approve", held)

    assert (2, 63, True) == (
        run.code,
        len(feed.active("enrollments")),
        "Left out: 20 changes" in said(run),
    )


def test_nobody_who_is_in_the_current_drop_is_removed(feed: Feed, held: str) -> None:
    """The corrected export lies there, and was not loaded yet: who is in it stays, and the others go."""
    drop(feed.folder / "drop", without(many(), *TWENTY[:5]))

    run = feed.sync(None, "--approve", held)

    assert (0, 5, 58) == (run.code, run.total("deleted"), len(feed.active("enrollments")))
    assert "what lies in" in said(run)
    assert "Left out: 15 changes" in said(run)


def test_an_approval_of_nothing_asks_for_a_sync(feed: Feed, held: str) -> None:
    """All are in the current drop, which would even be refused: the plan stays open until the drop was loaded."""
    drop(feed.folder / "drop", many())
    (feed.folder / "drop" / "classes.csv").unlink()

    refused = feed.sync(None, "--approve", held)
    drop(feed.folder / "drop", many())
    run = feed.sync(None, "--approve", held)

    assert (2, 2, 63) == (refused.code, run.code, len(feed.active("enrollments")))
    assert f"Nothing of plan {held} is left to send" in said(run)
    assert "open" == status_of(feed, held)
    assert (0, "replaced") == (feed.sync(None).code, status_of(feed, held))


def no_drop(folder: Path) -> None:
    """Take the drop away."""
    folder.rename(folder.with_name("elsewhere"))


def no_roster(folder: Path) -> None:
    """Leave nothing in the drop that could be read."""
    for path in folder.glob("*.csv"):
        path.write_bytes(b"\x1f\x8bgzip")


@pytest.mark.parametrize("spoil", [no_drop, no_roster])
def test_without_a_drop_the_archived_roster_decides(
    feed: Feed, held: str, spoil: Callable[[Path], None]
) -> None:
    """It is missing, or nobody can read it, and that is said."""
    spoil(feed.folder / "drop")

    run = feed.sync(None, "--approve", held)

    assert (0, 20) == (run.code, run.total("deleted"))
    assert "is missing or cannot be read: the roster of run" in said(run)


def test_an_approval_does_not_wait_for_a_drop(feed: Feed, held: str) -> None:
    """Its marker is not there yet; what lies there is looked at as it is."""
    feed.configure(tail='[arrival]\nready = "READY"\nwait = "12h"\n')

    run = feed.sync(None, "--approve", held)

    assert (0, 20) == (run.code, run.total("deleted"))


def test_an_approval_fetches_nothing(feed: Feed, held: str) -> None:
    """What lies elsewhere may be large and far: it is said that it was not looked at."""
    feed.configure(name=f"file://{feed.folder}/drop")
    drop(feed.folder / "drop", many())

    run = feed.sync(None, "--approve", held)

    assert (0, 20) == (run.code, run.total("deleted"))
    assert "was not read for this approval" in said(run)


def test_a_restore_is_approved_against_the_drop(feed: Feed) -> None:
    """To bring back an earlier roster is to remove who came later."""
    feed.configure(tail="[limits]\nschool_percent = 10\n")
    first = feed.sync(many(1))
    feed.sync(many(4))
    restored = feed.restore(first.json["run"])

    run = feed.sync(None, "--approve", restored.json["plan"])

    assert (3, 0, 3) == (restored.code, run.code, run.total("deleted"))


def test_what_the_drop_has_otherwise_by_now_is_not_sent(feed: Feed) -> None:
    """An update that was held is not put over a correction."""
    feed.sync(district())
    feed.configure(tail=f'[calendar]\nblackout = ["{today()}"]\n')
    wrong = changed(changed(district(), "bo", givenName="Wrong"), "tia", givenName="Tea")
    plan = feed.sync(wrong).json["plan"]
    drop(feed.folder / "drop", changed(wrong, "bo", givenName="Boris"))

    run = feed.sync(None, "--approve", plan)

    assert (0, 1) == (run.code, run.total("updated"))
    assert ("Bo", "Tea") == (
        feed.record("users", "bo")["givenName"],
        feed.record("users", "tia")["givenName"],
    )
    assert "Left out: 1 change of the plan (users:bo)" in said(run)


def class_that_goes(feed: Feed) -> Run:
    """Hold the delete of a class with its enrollment."""
    feed.sync(district())
    return feed.sync(without(district(), "c2", "e2"))


def test_what_others_need_by_now_goes_on_waiting(feed: Feed) -> None:
    """A delta has put somebody into a class whose delete waits: the class stays, in a plan of its own, until that is over."""
    first = class_that_goes(feed)
    new = DISTRICT["enrollments"][1] | {"sourcedId": "e9"}
    delivered = feed.sync(delta({"enrollments": [new]}), mode="delta")

    run = feed.sync(None, "--approve", first.json["plan"])
    over = feed.sync(delta({"enrollments": [new]}, "tobedeleted"), mode="delta")
    last = feed.sync(None, "--approve", over.json["plan"])

    assert (3, 3, 1) == (first.code, delivered.code, delivered.total("created"))
    assert (3, 1, 1, 0) == (run.code, run.total("deleted"), run.total("held"), run.total("failed"))
    assert "classes: 1 record is still named by 1 that stays (enrollments:e9)" in said(run)
    assert ("sent", "sent") == (
        status_of(feed, first.json["plan"]),
        status_of(feed, over.json["plan"]),
    )
    assert (0, 2, False) == (last.code, last.total("deleted"), "c2" in feed.active("classes"))


def test_what_a_newer_plan_has_taken_over_is_looked_at_again(feed: Feed) -> None:
    """The class waits in a plan that was made after somebody was put into it."""
    class_that_goes(feed)
    feed.sync(
        delta({"enrollments": [DISTRICT["enrollments"][1] | {"sourcedId": "e9"}]}), mode="delta"
    )
    newer = feed.sync(
        delta({"enrollments": [DISTRICT["enrollments"][0]]}, "tobedeleted"), mode="delta"
    )

    run = feed.sync(None, "--approve", newer.json["plan"])

    assert (3, True) == (newer.code, "have been on hold since run" in said(newer))
    assert (3, 2, 1, True) == (
        run.code,
        run.total("deleted"),
        run.total("held"),
        "c2" in feed.active("classes"),
    )


def test_a_plan_of_which_nothing_can_be_sent_stays(feed: Feed) -> None:
    """With --all-or-nothing what cannot go keeps all of it."""
    first = class_that_goes(feed)
    feed.sync(
        delta({"enrollments": [DISTRICT["enrollments"][1] | {"sourcedId": "e9"}]}), mode="delta"
    )

    run = feed.sync(None, "--approve", first.json["plan"], "--all-or-nothing")

    assert (3, 0, "open") == (run.code, run.json["requests"], status_of(feed, first.json["plan"]))
    assert "classes: 1 record is still named by 1 that stays" in said(run)


def test_what_needs_what_is_gone_goes_on_waiting(feed: Feed) -> None:
    """An enrollment was held, and its class was deleted meanwhile: nothing is sent that names it."""
    feed.sync(district())
    feed.configure(tail=f'[calendar]\nblackout = ["{today()}"]\n')
    new = DISTRICT["enrollments"][1] | {"sourcedId": "e9"}
    held = feed.sync(delta({"enrollments": [new]}), mode="delta")
    feed.configure(tail="[limits]\nschool_percent = 100\nrejected_percent = 100\n")
    gone = {"classes": [DISTRICT["classes"][1]], "enrollments": [DISTRICT["enrollments"][1]]}
    feed.sync(delta(gone, "tobedeleted"), mode="delta")

    run = feed.sync(None, "--approve", held.json["plan"])

    assert (3, 3, 0, 1) == (held.code, run.code, run.json["requests"], run.total("held"))
    assert "enrollments: 1 record refers to others that are no longer in the target (e9)" in said(
        run
    )
