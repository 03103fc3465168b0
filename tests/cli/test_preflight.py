"""`roster preflight`: what stands in the way of a first load is reported, check by check, and never raised."""

from __future__ import annotations

import stat
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.probe.questions import ProbeFact
from connectors.oneroster.sandbox import Sandbox
from flows.options import Options
from flows.preflight.probe import StoredProbe, store_probe
from flows.preflight.run import preflight
from tests.oneroster.odd import Met, Reply, odd
from tests.rosters import Rows, changed, district, drop
from tests.running import Run, roster
from tests.syncing import CREDENTIALS, FEED


@dataclass(frozen=True)
class Place:
    """A feed of the district, its file, its state and its target."""

    folder: Path
    sandbox: Sandbox

    @property
    def feed(self) -> Path:
        """The feed file."""
        return self.folder / "feed.toml"

    @property
    def state(self) -> Path:
        """The state folder, which is not there yet."""
        return self.folder / "state"

    @property
    def key(self) -> FeedKey:
        """Under which the ledger knows the feed."""
        return FeedKey(self.sandbox.url, "larkspur/feed")

    def rows(self, rows: Rows) -> None:
        """Write the drop."""
        drop(self.folder / "drop", rows)

    def preflight(self, **environment: str) -> Run:
        """Look, with the credentials that the sandbox knows unless others are given."""
        return roster(
            "preflight",
            self.feed,
            "--json",
            state=self.state,
            environment=CREDENTIALS | environment,
        )


def placed(folder: Path, sandbox: Sandbox) -> Place:
    """Give a feed of the district into a sandbox."""
    place = Place(folder, sandbox)
    place.feed.write_text(FEED.format(url=sandbox.url, patience=5, batch=1000))
    place.rows(district())
    return place


@pytest.fixture
def place(tmp_path: Path, sandbox: Sandbox) -> Place:
    """Give a feed into a target without records."""
    return placed(tmp_path, sandbox)


def standings(run: Run) -> dict[str, str]:
    """How the checks stand that are not ok."""
    return {one["name"]: one["standing"] for one in run.json["checks"] if one["standing"] != "ok"}


def said(run: Run, name: str) -> str:
    """What a check says."""
    return next(str(one["says"]) for one in run.json["checks"] if one["name"] == name)


def test_a_feed_that_can_be_loaded_is_ready(place: Place) -> None:
    """Each check is listed; nothing was written, here or there. Whether the client may write is not known."""
    run = place.preflight()

    assert (0, True, {"probe": "warning"}) == (run.code, run.json["ok"], standings(run))
    assert [
        "settings",
        "secrets",
        "target",
        "credentials",
        "scopes",
        "drop",
        "mapping",
        "state folder",
        "ledger",
        "feed",
        "first load",
        "probe",
    ] == [one["name"] for one in run.json["checks"]]
    assert "8 files, 20 rows, 16 records" in said(run, "drop")
    assert "whether the client may write" in said(run, "probe")
    assert {"GET"} == {method for method, _ in place.sandbox.requests}
    assert not place.state.exists()


def test_it_is_told_on_a_narrow_terminal(place: Place) -> None:
    """A check a line, and what it says below it."""
    run = roster(
        "preflight", place.feed, state=place.state, environment=CREDENTIALS | {"COLUMNS": "50"}
    )

    lines = [line.rstrip() for line in run.out.splitlines()]
    assert (0, "  They are accepted.") == (run.code, lines[lines.index("ok  credentials") + 1])
    assert run.out.endswith("Ready. `roster plan` says what a load would send.\n")
    assert 50 >= max(map(len, lines))


def test_wrong_settings_are_told_in_their_own_sentences(place: Place) -> None:
    """Exit 2; nothing else can be looked at."""
    place.feed.write_text(place.feed.read_text() + "batchsize = 5\n")

    run = place.preflight()

    assert (2, {"settings": "not ok"}) == (run.code, standings(run))
    assert "did you mean" in said(run, "settings")


def test_a_secret_that_is_not_there_is_named(place: Place) -> None:
    """Exit 2, with the name of the variable."""
    run = place.preflight(LARKSPUR_SECRET="")

    assert (2, {"secrets": "not ok"}) == (run.code, standings(run))
    assert "$LARKSPUR_SECRET" in said(run, "secrets")


def test_an_address_that_is_none_for_the_ledger_is_a_setting(place: Place) -> None:
    """Exit 2."""
    run = place.preflight(ROSTER_LEDGER="mysql://somewhere")

    assert (2, {"settings": "not ok"}) == (run.code, standings(run))


def test_a_wrong_secret_is_not_taken_for_a_target_that_is_down(place: Place) -> None:
    """Exit 1: the target answers, and refuses the credentials. The secret is not shown."""
    run = place.preflight(LARKSPUR_SECRET="wrong-secret")

    assert (1, "not ok") == (run.code, standings(run)["credentials"])
    assert ("invalid_client" in said(run, "credentials"), "answers" in said(run, "target")) == (
        True,
        True,
    )
    assert {"credentials", "scopes", "first load", "probe"} == set(standings(run))
    assert "wrong-secret" not in run.said


def test_a_target_that_is_not_there_is_told_and_all_else_is_looked_at(place: Place) -> None:
    """Exit 1."""
    with Sandbox(None) as gone:
        url = gone.url
    place.feed.write_text(FEED.format(url=url, patience=5, batch=1000))

    run = place.preflight()

    seen = {
        "target": "not ok",
        "credentials": "not looked at",
        "scopes": "not looked at",
        "first load": "not looked at",
    }
    assert (1, seen | {"probe": "warning"}) == (run.code, standings(run))
    assert "does not answer" in said(run, "target")


@pytest.mark.parametrize(
    ("status", "name", "words"),
    [
        (
            403,
            "scopes",
            "demographics cannot be read: the client lacks the scope https://purl.imsglobal.org/spec/or/v1p1/scope/roster-demographics.readonly",
        ),
        (404, "scopes", "demographics cannot be read: HTTP 404"),
        (200, "scopes", "demographics cannot be read: it answers something that is not a page"),
    ],
)
def test_a_collection_that_cannot_be_read_is_named(
    tmp_path: Path, status: int, name: str, words: str
) -> None:
    """Exit 1; with the scope that is missing, if it is for that."""

    def meet(met: Met) -> Reply | None:
        return Reply(status, {"x": 1}) if met.collection == "demographics" else None

    with odd(meet) as sandbox:
        run = placed(tmp_path, sandbox).preflight()

    assert (1, "not ok", words in said(run, name)) == (run.code, standings(run)[name], True)


def test_a_target_that_fails_is_told(tmp_path: Path) -> None:
    """It answers strangers, takes the credentials, and then has nothing to give."""
    with odd(lambda met: Reply(503)) as sandbox:
        run = placed(tmp_path, sandbox).preflight()

    assert (1, "not ok") == (run.code, standings(run)["target"])
    assert "is down" in said(run, "target")


def test_a_refused_drop_is_told_with_its_reason(place: Place) -> None:
    """Exit 4, and the target is looked at all the same."""
    (place.folder / "drop" / "users.csv").write_bytes(b"")

    run = place.preflight()

    assert (4, "not ok", "not looked at") == (
        run.code,
        standings(run)["drop"],
        standings(run)["mapping"],
    )
    assert ("is refused" in said(run, "drop"), "users.csv" in said(run, "drop")) == (True, True)
    assert "scopes" not in standings(run)


def test_a_drop_that_is_not_there_is_a_setting(place: Place) -> None:
    """Exit 2."""
    place.feed.write_text(place.feed.read_text().replace('drop = "drop"', 'drop = "dorp"'))

    run = place.preflight()

    assert (2, "not ok") == (run.code, standings(run)["drop"])
    assert "does not exist" in said(run, "drop")


def test_records_that_would_be_rejected_are_counted(place: Place) -> None:
    """They do not stand in the way."""
    place.rows(changed(district(), "e1", userSourcedId="nobody"))

    run = place.preflight()

    assert (0, "warning") == (run.code, standings(run)["drop"])
    assert "1 would be rejected" in said(run, "drop")


def unmapped() -> Rows:
    """Give the district with words that the target does not know."""
    rows = district()
    rows["users"][0] |= {"grades": "UG"}
    rows["users"][1] |= {"grades": "06,Other,PR", "email": ""}
    rows["classes"][1] |= {"grades": "UG", "classType": "ext:club"}
    rows["roles"][2] |= {"role": "ext:coach"}
    rows["enrollments"][0] |= {"role": "ext:mentor"}
    return rows


def test_words_that_the_target_does_not_know_are_told_by_column(place: Place) -> None:
    """With counts, and with what becomes of them; the words themselves stand in a private file only."""
    place.rows(unmapped())

    run = place.preflight()

    assert (4, "warning") == (run.code, standings(run)["mapping"])  # so many people have no address
    for words in (
        "users.grades: 3 words that the target does not know, in 3 rows, left out.",
        "classes.grades: 1 word that the target does not know, in 1 row, left out.",
        "classes.classType: 1 word that the target does not know, in 1 row, sent as 'scheduled'.",
        "enrollments.role: 1 word that the target does not know, in 1 row, their records are refused.",
        "roles.role: 1 word that the target does not know, in 1 row, their records are refused.",
        "email_template",
    ):
        assert words in said(run, "mapping")
    assert not any(word in run.said for word in ("ext:coach", "ext:mentor", "UG", "Other"))


def test_the_words_can_be_put_into_the_feeds_file(place: Place) -> None:
    """As they are they are refused; filled in, the mapping is complete."""
    place.rows(unmapped())
    place.preflight()
    (path,) = (place.state / "preflight").iterdir()
    tables = path.read_text()
    feed = place.feed.read_text() + 'email_template = "{sourcedId}@example.edu"\n'

    place.feed.write_text(feed + tables)
    unfilled = place.preflight()
    for name, word in (
        ("UG", "13"),
        ("PR", "1"),
        ("Other", "0"),
        ("ext:coach", "teacher"),
        ("ext:mentor", "proctor"),
        ("ext:club", "homeroom"),
    ):
        tables = tables.replace(f'"{name}" = ""', f'"{name}" = "{word}"')
    place.feed.write_text(feed + tables)
    filled = place.preflight()

    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert {"UG", "PR", "Other"} == set(tomllib.loads(tables)["target"]["grades"])
    assert (2, 0, {"probe": "warning"}) == (unfilled.code, filled.code, standings(filled))


def test_only_the_most_frequent_of_many_words_are_written(place: Place) -> None:
    """A column that holds something else altogether is not copied into another file."""
    rows = district()
    rows["courses"] = [
        rows["courses"][0] | {"sourcedId": f"co{n}", "subjects": f"Subject {n}"} for n in range(120)
    ]
    place.rows(rows)

    place.preflight()

    tables = next((place.state / "preflight").iterdir()).read_text()
    assert (100, True) == (tables.count(' = ""'), "# and 20 others" in tables)


def test_files_that_the_target_has_no_place_for_are_named(place: Place) -> None:
    """They are valid, and are not sent."""
    rows = district()
    rows["classResources"] = [{"sourcedId": "cr", "classSourcedId": "c1", "resourceSourcedId": "r"}]
    place.rows(rows)

    assert "no place for classResources.csv" in said(place.preflight(), "mapping")


def test_a_feed_that_is_held_is_told(place: Place) -> None:
    """Exit 1, and by whom."""
    with Ledger(place.state / "ledger.db") as ledger, ledger.hold(place.key, "the-first"):
        run = place.preflight()

    assert (1, "not ok") == (run.code, standings(run)["feed"])
    assert "the-first" in said(run, "feed")


def test_a_ledger_that_is_none_is_told(place: Place) -> None:
    """Exit 1; what depends on it is not looked at."""
    place.state.mkdir(mode=0o700)
    (place.state / "ledger.db").write_bytes(
        b"no ledger at all, but long enough to be read as one" * 40
    )

    run = place.preflight()

    found = standings(run)
    assert (1, "not ok") == (run.code, found["ledger"])
    assert {"not looked at"} == {found[name] for name in ("feed", "drop", "mapping", "first load")}


def test_a_state_folder_that_others_can_read_is_told(place: Place) -> None:
    """With what to do about it."""
    place.state.mkdir()
    place.state.chmod(0o755)

    run = place.preflight()

    assert (0, "warning") == (run.code, standings(run)["state folder"])
    assert "chmod 700" in said(run, "state folder")


def test_a_state_folder_that_cannot_be_made_is_reported(place: Place) -> None:
    """Exit 1; words that the target does not know cannot be written anywhere, and that is reported too."""
    place.rows(unmapped())
    (place.folder / "file").write_text("no folder")

    run = roster(
        "preflight",
        place.feed,
        "--json",
        state=place.folder / "file" / "state",
        environment=CREDENTIALS,
    )

    assert (1, "not ok") == (run.code, standings(run)["state folder"])
    assert (
        "is a file" in said(run, "state folder"),
        "could not be written" in said(run, "mapping"),
    ) == (True, True)


def test_a_feed_that_was_loaded_is_known(place: Place) -> None:
    """By its ledger."""
    assert 0 == roster("sync", place.feed, state=place.state, environment=CREDENTIALS).code

    run = place.preflight()

    assert (0, {"probe": "warning"}) == (run.code, standings(run))
    assert "the ledger has 16 records" in said(run, "first load")


def test_a_target_that_holds_the_drop_already_is_told(place: Place) -> None:
    """As the load itself would find."""
    other = place.folder / "other"
    assert 0 == roster("sync", place.feed, state=other, environment=CREDENTIALS).code

    run = place.preflight()

    assert (0, "warning") == (run.code, standings(run)["first load"])
    assert (
        "roster adopt" in said(run, "first load"),
        "the target holds 10, and" in said(run, "first load"),
    ) == (True, True)


def test_a_target_that_shows_no_single_records_is_told(tmp_path: Path) -> None:
    """Whether they are there cannot be looked up then."""
    with odd(lambda met: Reply(400) if met.sourced_id else None) as sandbox:
        run = placed(tmp_path, sandbox).preflight()

    assert (0, "not looked at") == (run.code, standings(run)["first load"])
    assert "does not show orgs" in said(run, "first load")


def test_records_of_other_feeds_are_no_strangers(place: Place) -> None:
    """What another feed of this ledger has sent is known."""
    twin = place.folder / "twin.toml"
    twin.write_text(place.feed.read_text())
    assert 0 == roster("sync", twin, state=place.state, environment=CREDENTIALS).code

    assert "first load" not in standings(place.preflight())


def test_external_records_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    """The target shows single records, and refuses to list them."""

    def meet(met: Met) -> Reply | None:
        return Reply(400) if "filter" in met.query else None

    with odd(meet) as sandbox:
        place = placed(tmp_path, sandbox)
        place.feed.write_text('external = ["orgs"]\n' + place.feed.read_text())
        place.rows(district() | {"orgs": []})
        run = place.preflight()

    assert (1, "not ok", True) == (
        run.code,
        standings(run)["drop"],
        "`external`" in said(run, "drop"),
    )


def test_what_a_probe_found_is_told(place: Place) -> None:
    """Whether the client may write is known then."""
    assert 0 == roster("probe", place.feed, state=place.state, environment=CREDENTIALS).code

    run = place.preflight()

    assert (0, {}) == (run.code, standings(run))
    assert ("today" in said(run, "probe"), "may write" in said(run, "probe")) == (True, True)


def probed(place: Place, fact: ProbeFact, *left: tuple[str, str]) -> None:
    """Keep what a probe of long ago found."""
    at = datetime(2026, 1, 5, tzinfo=UTC)
    store_probe(place.state, StoredProbe(place.sandbox.url, frozenset(), at, (fact,), left))


def test_what_the_loader_does_not_bear_is_told(place: Place) -> None:
    """With what it means, and how long ago it was found."""
    probed(place, ProbeFact("revive", "users", "stays deleted", 200), ("users", "u"))

    run = place.preflight()

    assert (0, "warning") == (run.code, standings(run)["probe"])
    for words in (
        "2026-01-05",
        "cannot bring back",
        "probe again",
        "1 throw-away record is still there",
    ):
        assert words in said(run, "probe")


def test_a_probe_that_broke_off_is_told(place: Place) -> None:
    """It does not say whether the client may write."""
    fact = ProbeFact("create", "orgs", "accepted", 201)
    store_probe(
        place.state,
        StoredProbe(
            place.sandbox.url, frozenset(), datetime.now(UTC), (fact,), broken="It is down."
        ),
    )

    run = place.preflight()

    assert (0, "warning", True) == (
        run.code,
        standings(run)["probe"],
        "stopped early: It is down." in said(run, "probe"),
    )


def test_a_client_that_may_not_write_stands_in_the_way(place: Place) -> None:
    """Exit 1."""
    probed(place, ProbeFact("create", "users", "forbidden", 403))

    run = place.preflight()

    assert (1, "not ok", True) == (
        run.code,
        standings(run)["probe"],
        "lacks the scope" in said(run, "probe"),
    )


def test_the_sandbox_of_this_machine_is_not_started_to_be_looked_at(tmp_path: Path) -> None:
    """It has held nothing yet; a bare folder needs no feed file."""
    state = tmp_path / "state"
    run = roster("preflight", drop(tmp_path / "drop", district()), "--json", state=state)

    assert (0, {"probe": "warning"}) == (run.code, standings(run))
    assert not state.exists()


def test_a_flow_has_the_same_in_lines(place: Place) -> None:
    """One for each check, in which it says how it stands."""
    options = Options("sync", place.feed, state=place.state)
    ready = preflight(options, CREDENTIALS)

    assert (True, 12) == (ready.ok, len(ready.lines()))
    assert "ok: credentials: They are accepted." in ready.lines()
