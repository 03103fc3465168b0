"""What a run that came to nothing had wanted to send is no proof: what others have under the same ids stays theirs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connectors.ledger import FeedKey, Ledger
from tests.oneroster.odd import Meet, Met, Reply, odd
from tests.syncing import Feed

DOWN = Reply(502)


class Nights:
    """Says what the target does, night after night."""

    def __init__(self) -> None:
        self.meet: Meet = lambda _: None

    def __call__(self, met: Met) -> Reply | None:
        return self.meet(met)


@contextmanager
def served(folder: Path, nights: Nights) -> Iterator[Feed]:
    """Serve a target for a feed of four schools."""
    with odd(nights) as sandbox:
        feed = Feed(folder, sandbox)
        feed.configure(patience=0)
        feed.schools(4)
        yield feed


def going_down(*, takes: bool) -> Meet:
    """Let the target be of no use from the first create on; perhaps it takes what it is sent, and nobody hears of it."""
    creates: list[str] = []

    def meet(met: Met) -> Reply | None:
        if met.method == "POST":
            creates.append(met.sourced_id)
            if takes:
                met.store.put("orgs", {"status": "active", **met.record})
        return DOWN if creates else None

    return meet


def intended(feed: Feed) -> set[str]:
    """The ids that a run wanted to send, and of which nobody knows what became."""
    with Ledger(feed.folder / "state" / "ledger.db") as ledger:
        return set(ledger.intended(FeedKey(feed.sandbox.url, "larkspur/feed"))["orgs"])


@pytest.mark.parametrize("options", [(), ("--first-run",)])
def test_records_of_others_are_not_overwritten(tmp_path: Path, options: tuple[str, ...]) -> None:
    """They are held as foreign, each night again."""
    nights = Nights()
    with served(tmp_path, nights) as feed:
        nights.meet = going_down(takes=False)
        down, wanted = feed.sync(), intended(feed)
        for one in wanted:
            feed.sandbox.store.put(
                "orgs", {"sourcedId": one, "status": "active", "name": "Theirs", "type": "local"}
            )
        nights.meet = lambda _: None

        runs = [feed.sync(*options), feed.sync(*options)]

        assert (1, True) == (down.code, len(wanted) > 0)
        assert [(3, len(wanted))] * 2 == [(run.code, run.total("held")) for run in runs]
        assert {"Theirs"} == {(feed.sandbox.store.get("orgs", one) or {})["name"] for one in wanted}


def test_what_arrived_unheard_is_ours_by_the_archived_roster(tmp_path: Path) -> None:
    """The next drop says something else, which is delivered; the one after it sends nothing."""
    nights = Nights()
    with served(tmp_path, nights) as feed:
        nights.meet = going_down(takes=True)
        down, wanted = feed.sync(), intended(feed)
        nights.meet = lambda _: None
        feed.schools(4, name="Oak")

        run, quiet = feed.sync(), feed.sync()

        assert (1, True, 0, 4) == (down.code, len(wanted) > 0, run.code, run.total("created"))
        assert {"Oak"} == {
            (feed.sandbox.store.get("orgs", one) or {})["name"] for one in feed.target_holds
        }
        assert (0, 0) == (quiet.code, quiet.json["requests"])


def test_what_arrived_unheard_and_is_in_no_drop_any_more_has_vanished(tmp_path: Path) -> None:
    """It is ours by the archived roster, so that nobody stays there for ever; what others wrote under such an id is not touched."""
    nights = Nights()
    with served(tmp_path, nights) as feed:
        nights.meet = going_down(takes=True)
        down, wanted = feed.sync(), intended(feed)
        theirs = {"sourcedId": "s0000", "status": "active", "name": "Theirs", "type": "local"}
        feed.sandbox.store.put("orgs", theirs)
        nights.meet = lambda _: None
        feed.schools(4, first=2)

        held = feed.sync()
        approved, quiet = feed.sync("--approve", held.json["plan"]), feed.sync()

        assert (1, {"s0000", "s0001", "s0002", "s0003"}) == (down.code, wanted)
        assert (3, 1) == (held.code, held.total("vanished"))
        assert (0, 1, 4) == (approved.code, approved.total("kept"), approved.total("created"))
        assert {"s0000", "s0001"} == feed.target_holds - feed.ledger_holds
        assert theirs.items() <= (feed.sandbox.store.get("orgs", "s0000") or {}).items()
        assert (0, 0) == (quiet.code, quiet.json["requests"])


def test_people_who_are_kept_under_other_ids_are_told(tmp_path: Path) -> None:
    """Each with the id that the target gave; the others are created."""
    nights = Nights()
    with served(tmp_path, nights) as feed:

        def elsewhere(met: Met) -> Reply | None:
            if met.method != "POST" or met.sourced_id not in ("s0001", "s0002"):
                return None
            pairs = {
                "suppliedSourcedId": met.sourced_id,
                "allocatedSourcedId": f"own-{met.sourced_id}",
            }
            return Reply(201, {"sourcedIdPairs": pairs})

        nights.meet = elsewhere

        run = feed.sync()

        report = Path(run.json["report"]).read_text()
        assert (1, 2, 2) == (run.code, run.total("failed"), run.total("created"))
        assert all(f"under another id, 'own-{one}'" in report for one in ("s0001", "s0002"))
        assert {"s0000", "s0003"} == feed.ledger_holds
