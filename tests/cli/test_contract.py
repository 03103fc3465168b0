"""The command line is a contract: exit codes, the JSON object, and never the wrong place."""

from __future__ import annotations

import csv
import os
import signal
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.sandbox import Sandbox, SandboxStore
from flows.cli import app
from tests import processes
from tests.loads import Loads
from tests.rosters import DISTRICT, changed, district, drop, without
from tests.running import Run, roster
from transforms.changes import TERMS
from transforms.findings import ERRORS

COMMANDS = (
    "forget",
    "rename",
    "preflight",
    "probe",
    "backfill",
    "map",
    "deploy",
    "sync",
    "plan",
    "check",
    "export",
    "sandbox",
    "get",
    "enrollments",
    "restore",
    "verify",
    "adopt",
    "status",
    "why",
    "discard",
)


def test_every_command_of_the_contract_is_there_and_has_help() -> None:
    """Each says in a sentence what it does."""
    helped = {
        command.name or command.callback.__name__: command.callback.__doc__
        for command in app.registered_commands
        if command.callback
    }

    assert set(COMMANDS) == set(helped)
    assert all(helped.values())


def test_a_first_sync_creates_and_a_second_sends_nothing(tmp_path: Path) -> None:
    """Exit 0 both times; the JSON object has every key and every term."""
    folder = drop(tmp_path / "drop", district())

    first, second = (roster("sync", folder, "--json", state=tmp_path / "state") for _ in range(2))

    assert (0, "done", 0, "unchanged", 0) == (
        first.code,
        first.json["status"],
        second.code,
        second.json["status"],
        second.json["requests"],
    )
    assert {
        "run",
        "district",
        "target",
        "status",
        "plan",
        "entities",
        "requests",
        "retries",
        "seconds",
        "rejects",
        "report",
    } == set(first.json)
    assert set(TERMS) == set(first.json["entities"]["users"])
    assert (16, 16) == (first.total("created"), second.total("unchanged"))


def test_plan_says_what_sync_would_do_and_sends_nothing(tmp_path: Path) -> None:
    """Afterwards there is still everything to do."""
    folder = drop(tmp_path / "drop", district())

    planned = roster("plan", folder, "--json", state=tmp_path / "state")

    assert (0, 16) == (planned.code, planned.total("created"))
    assert 16 == roster("sync", folder, "--json", state=tmp_path / "state").total("created")


def test_deletes_are_held_then_approved(tmp_path: Path) -> None:
    """Exit 3 with a plan; the plan's id lets exactly those go."""
    state, folder = tmp_path / "state", drop(tmp_path / "drop", district())
    roster("sync", folder, state=state)
    drop(folder, without(district(), "e1"))

    planned, synced = (
        roster(command, folder, "--json", state=state) for command in ("plan", "sync")
    )
    plan = synced.json["plan"]
    wrong, right, again = (
        roster("sync", folder, "--json", "--approve", one, state=state)
        for one in ("0000000000", plan, plan)
    )

    assert [3, 3, 2, 0, 2] == [run.code for run in (planned, synced, wrong, right, again)]
    assert planned.json["plan"] == plan
    assert (1, 1) == (synced.total("held"), right.total("deleted"))
    assert ["There is no plan '0000000000'", f"Plan {plan} was sent on"] == [
        said
        for said, run in (
            ("There is no plan '0000000000'", wrong),
            (f"Plan {plan} was sent on", again),
        )
        if said in run.err
    ]
    assert 0 == roster("sync", folder, "--json", state=state).json["requests"]


def test_what_is_held_does_not_hold_the_rest_unless_it_is_said_so(tmp_path: Path) -> None:
    """`--all-or-nothing` lets everything wait."""
    state, folder = tmp_path / "state", drop(tmp_path / "drop", district())
    roster("sync", folder, state=state)
    drop(folder, changed(without(district(), "e1"), "bo", givenName="Boris"))

    nothing, rest = (
        roster("sync", folder, "--json", *more, state=state) for more in (["--all-or-nothing"], [])
    )

    assert (3, 1, 0) == (nothing.code, nothing.total("waiting"), nothing.json["requests"])
    assert (3, 1, 0) == (rest.code, rest.total("updated"), rest.total("waiting"))


def test_an_empty_export_deletes_nothing(real_drops: Path, tmp_path: Path) -> None:
    """The holiday export after a good drop is refused, and the next good one sends nothing."""
    good = real_drops / "oneroster-1.1-district"
    roster("sync", good, state=tmp_path)

    empty, after = (
        roster("sync", real_drops / "empty-export", "--json", state=tmp_path),
        roster("sync", good, "--json", state=tmp_path),
    )

    assert (4, "refused", 0) == (empty.code, empty.json["status"], empty.json["requests"])
    assert (0, "unchanged", 0) == (after.code, after.json["status"], after.json["requests"])


def test_a_real_district_loads_whole(real_drops: Path, tmp_path: Path) -> None:
    """Every record of the 1.1 drop arrives, and is read back through the API."""
    run = roster("sync", real_drops / "oneroster-1.1-district", "--json", state=tmp_path)

    def arrived(collection: str) -> int:
        return len(
            roster(
                "get", collection, "--target", "sandbox", "--json", state=tmp_path
            ).out.splitlines()
        )

    assert 0 == run.code
    expected = {"orgs": 4, "users": 268, "classes": 119, "enrollments": 1855, "demographics": 248}
    assert expected == {name: arrived(name) for name in expected}


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        (district(), 0),
        (changed(district(), "bo", enabledUser="TRUE"), 4),
        (changed(district(), "e1", role="pupil"), 4),
    ],
    ids=["sound", "lenient", "broken"],
)
def test_check_under_strict_fails_on_any_error(
    rows: dict[str, list[dict[str, str]]], code: int, tmp_path: Path
) -> None:
    """Without it, the same drops would load."""
    folder = drop(tmp_path / "drop", rows)

    assert (0, code) == (
        roster("check", folder, state=tmp_path).code,
        roster("check", folder, "--strict", state=tmp_path).code,
    )


def test_a_needed_file_that_cannot_be_read_refuses_the_drop(tmp_path: Path) -> None:
    """Nothing is sent; the message names the file and the next step."""
    folder = drop(tmp_path / "drop", district())
    (folder / "users.csv").write_bytes(b"\x1f\x8bgzip")

    run = roster("sync", folder, state=tmp_path)

    assert 4 == run.code
    assert "users.csv: gzip" in run.said
    assert "nothing was sent" in run.said


def test_another_file_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    """The rest loads, and nothing in it counts as vanished."""
    state, folder = tmp_path / "state", drop(tmp_path / "drop", district())
    roster("sync", folder, state=state)
    (folder / "demographics.csv").write_bytes(b"\x1f\x8bgzip")

    run = roster("sync", folder, "--json", state=state)

    assert (0, "unchanged", 0) == (run.code, run.json["status"], run.total("vanished"))


def test_rejects_are_private_and_no_spreadsheet_runs_them(tmp_path: Path) -> None:
    """One line for each error, mode 0600, formulas quoted."""
    folder = drop(tmp_path / "drop", changed(district(), "e1", role="=cmd()"))

    run = roster("check", folder, "--json", state=tmp_path / "state")

    path = Path(run.json["rejects"])
    with path.open(newline="") as file:
        lines = list(csv.reader(file))
    assert [
        list(ERRORS),
        ["enrollments.csv", "1", "enrollments", "e1", "role", "vocabulary", "error", "'=cmd()"],
    ] == lines
    assert (0o600, 0o700) == tuple(
        stat.S_IMODE(os.stat(one).st_mode) for one in (path, path.parent)
    )


def test_what_is_printed_names_nobody(tmp_path: Path) -> None:
    """Rows and columns stand on the terminal, values only in the rejects."""
    folder = drop(tmp_path / "drop", changed(district(), "bo", enabledUser="Roberta Secret"))

    run = roster("sync", folder, state=tmp_path / "state")

    assert "Secret" not in run.said
    assert all("Secret" not in path.read_text() for path in (tmp_path / "state").rglob("report.md"))


WRONG = (
    (["sync", "{nowhere}"], "does not exist"),
    (["sync", "{drop}", "--target", "ftp://x"], "--target"),
    (["sync", "{drop}", "--target", "https://api.example.edu"], "no credentials"),
    (["sync", "{drop}", "--target", "env"], "TIMEBACK_API_URL"),
    (["get", "pupils", "--target", "sandbox"], "There are: orgs"),
    (["get", "user", "--target", "sandbox"], "Did you mean 'users'?"),
)


@pytest.mark.parametrize(("words", "said"), WRONG)
def test_wrong_use_is_told_with_the_next_step(words: list[str], said: str, tmp_path: Path) -> None:
    """Exit 2, one sentence, no traceback."""
    places = {"nowhere": tmp_path / "nowhere", "drop": drop(tmp_path / "drop", district())}
    command, *rest = (word.format(**places) for word in words)

    run = roster(command, *rest, state=tmp_path)

    assert (2, True, False) == (run.code, said in run.said, "Traceback" in run.said)


def test_a_state_that_is_a_file_is_wrong_use(tmp_path: Path) -> None:
    """Exit 2, like any other wrong path."""
    folder = drop(tmp_path / "drop", district())

    run = roster("sync", folder, state=folder / "users.csv", environment={"COLUMNS": "400"})

    assert (2, True) == (run.code, "is a file" in run.said)


@pytest.mark.parametrize(
    ("columns", "line"), [("30", "4 read, 4 created"), ("120", "users                4        4")]
)
def test_counts_are_whole_on_any_terminal(columns: str, line: str, tmp_path: Path) -> None:
    """A table where it fits, sentences where it would be cut."""
    folder = drop(tmp_path / "drop", district())

    run = roster("check", folder, state=tmp_path / "state", environment={"COLUMNS": columns})

    assert line in run.said


def feed(folder: Path, target: str) -> Path:
    """Write a feed file for the drop beside it."""
    path = folder / "valley.toml"
    path.write_text(f'district = "valley"\ndrop = "drop"\n{target}')
    return path


TOKEN = '\naccess_token_env = "VALLEY_TOKEN"\n'
FEEDS = (
    ("no target", "", "target"),
    ("a missing secret", '[target]\nurl = "https://api.example.edu"' + TOKEN, "VALLEY_TOKEN"),
    ("plain http", '[target]\nurl = "http://api.example.edu"' + TOKEN, "http"),
    ("an unknown key", '[target]\nurl = "sandbox"\nemail_templete = "x"', "email_template"),
)


@pytest.mark.parametrize(
    ("target", "said"), [case[1:] for case in FEEDS], ids=[case[0] for case in FEEDS]
)
def test_a_feed_without_a_sure_target_goes_nowhere(target: str, said: str, tmp_path: Path) -> None:
    """It is an error, not a sandbox; the environment's target is not taken for it either."""
    drop(tmp_path / "drop", district())

    run = roster(
        "sync",
        feed(tmp_path, target),
        state=tmp_path / "state",
        environment={"TIMEBACK_API_URL": "https://elsewhere.example.edu"},
    )

    assert (2, True) == (run.code, said in run.said)
    assert not (tmp_path / "state" / "sandbox.db").exists()


def test_a_bare_drop_goes_to_the_sandbox_whatever_the_environment_says(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """`$TIMEBACK_API_URL` alone sends nothing there."""
    folder = drop(tmp_path / "drop", district())
    environment = {
        "TIMEBACK_API_URL": sandbox.url,
        "TIMEBACK_TOKEN_URL": sandbox.token_url,
        "TIMEBACK_CLIENT_ID": "sandbox",
        "TIMEBACK_CLIENT_SECRET": "sandbox",
    }

    bare = roster("sync", folder, "--json", state=tmp_path / "state", environment=environment)
    asked = roster(
        "sync",
        folder,
        "--json",
        "--target",
        "env",
        state=tmp_path / "state",
        environment=environment,
    )

    assert ("sandbox", sandbox.url) == (bare.json["target"], asked.json["target"])
    assert 16 == sum(method == "POST" for method, _ in sandbox.requests)


def test_a_dead_target_ends_in_a_sentence(tmp_path: Path) -> None:
    """Exit 1; what was not sent waits, and is reported."""
    folder = drop(tmp_path / "drop", district())
    with Sandbox(None) as server:
        url = server.url

    run = roster(
        "sync",
        folder,
        "--target",
        "env",
        state=tmp_path / "state",
        environment={"TIMEBACK_API_URL": url, "TIMEBACK_ACCESS_TOKEN": "t"},
    )

    assert (1, True, False) == (run.code, "cannot be reached" in run.said, "Traceback" in run.said)


def test_one_run_at_a_time(tmp_path: Path) -> None:
    """The error of a second one names the run that holds the feed."""
    folder = drop(tmp_path / "drop", district())

    state = tmp_path / "state"
    with (
        Ledger(state / "ledger.db") as ledger,
        ledger.hold(FeedKey("sandbox", "default"), "the-first"),
    ):
        second = roster("sync", folder, state=state)

    assert (1, True) == (second.code, "the-first" in second.said)


def test_a_target_that_has_others_records_is_not_overwritten(tmp_path: Path) -> None:
    """What equals ours is ours; what differs is held as foreign, and those who need it wait."""
    folder = drop(tmp_path / "drop", district())
    roster("sync", folder, state=tmp_path / "state")
    (tmp_path / "state" / "ledger.db").unlink()
    drop(folder, changed(district(), "co", title="Another course"))

    asked = roster("sync", folder, "--json", state=tmp_path / "state")
    run = roster("sync", folder, "--json", "--first-run", state=tmp_path / "state")

    assert (3, 16, True) == (asked.code, asked.total("held"), "roster adopt" in asked.err)
    assert (3, 1) == (run.code, run.json["entities"]["courses"]["held"])
    assert (0, 10) == (run.total("created"), run.total("unchanged"))
    assert 2 == run.json["entities"]["classes"]["waiting"]


def test_what_an_app_adds_survives(tmp_path: Path) -> None:
    """An app writes metadata and a pronoun; the roster changes a name: all of it is there afterwards."""
    folder = drop(tmp_path / "drop", district())
    roster("sync", folder, state=tmp_path / "state")
    with Sandbox(tmp_path / "state" / "sandbox.db") as server:
        user = server.store.get("users", "bo") or {}
        server.store.put("users", {**user, "metadata": {"app": {"level": 3}}, "pronouns": "he/him"})
    drop(folder, changed(district(), "bo", givenName="Boris"))

    run = roster("sync", folder, "--json", state=tmp_path / "state")

    with Sandbox(tmp_path / "state" / "sandbox.db") as server:
        user = server.store.get("users", "bo") or {}
    assert 1 == run.total("updated")
    assert ("Boris", {"app": {"level": 3}}, "he/him") == (
        user["givenName"],
        user["metadata"],
        user["pronouns"],
    )


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    """Killed while it loads, the next run ends as an undisturbed one would have."""
    rows = district()
    rows["enrollments"] = [DISTRICT["enrollments"][0] | {"sourcedId": f"e{n}"} for n in range(1500)]
    folder, state = drop(tmp_path / "drop", rows), tmp_path / "state"
    started = processes.roster(tmp_path, "sync", folder, "--state", state)
    while started.runs and _count(state) < 200:
        time.sleep(0.01)
    started.send(signal.SIGKILL)
    started.wait()

    run, again = (roster("sync", folder, "--json", state=state) for _ in range(2))

    assert (0, "done", "unchanged") == (run.code, run.json["status"], again.json["status"])
    assert 1500 == _count(state)


def _count(state: Path) -> int:
    """How many enrollments the sandbox holds."""
    if not (state / "sandbox.db").exists():
        return 0
    store = SandboxStore(state / "sandbox.db")
    try:
        return store.count("enrollments")
    finally:
        store.close()


def test_get_filters_limits_and_escapes(tmp_path: Path) -> None:
    """Quotes in values are doubled; the output is JSON lines when piped."""
    roster("sync", drop(tmp_path / "drop", district()), state=tmp_path)

    def asked(*more: str) -> Run:
        return roster(
            "get", "users", "--target", "sandbox", "--fields", "sourcedId", *more, state=tmp_path
        )

    assert ['{"sourcedId": "bo"}'] == asked("--filter", "familyName='O''Brien'").out.splitlines()
    assert 2 == len(asked("--limit", "2").out.splitlines())
    assert (1, True) == ((bad := asked("--filter", "nonsense")).code, "filter" in bad.said)


def test_several_processes_send_what_one_would(tmp_path: Path) -> None:
    """`--workers` shares the requests among processes; counts and target are the same."""
    folder = drop(tmp_path / "drop", district())

    one, two = (
        roster("sync", folder, "--json", "--workers", count, state=tmp_path / count)
        for count in ("1", "2")
    )

    assert (0, 0) == (one.code, two.code)
    assert one.json["entities"] == two.json["entities"]
    assert one.json["requests"] == two.json["requests"]


def spoil_ledger(state: Path) -> None:
    """Put something else in the ledger's place."""
    (state / "ledger.db").write_bytes(b"This is not a database. " * 100)


def spoil_archive(state: Path) -> None:
    """Let no roster be written."""
    (state / "rosters").rename(state / "elsewhere")
    (state / "rosters").write_text("A file where a folder should be.")


def nothing_there(state: Path) -> None:
    """Leave all as it is."""


EARLY = (
    ("the ledger", ["sync", "{drop}"], spoil_ledger, 1, "not a database"),
    ("the archive", ["sync", "{drop}"], spoil_archive, 1, "archived roster"),
    ("the settings", ["sync", "{drop}", "--target", "ftp://x"], nothing_there, 2, "--target"),
    ("the drop", ["plan", "{drop}/nowhere"], nothing_there, 2, "does not exist"),
    ("the ledger of a plan", ["plan", "{drop}"], spoil_ledger, 1, "not a database"),
    ("the plan", ["sync", "{drop}", "--approve", "nosuchplan"], nothing_there, 2, "There is no plan 'nosuchplan'"),
    ("the ledger of a check", ["check", "{drop}"], spoil_ledger, 1, "not a database"),
    ("the run to restore", ["restore", "nosuchrun", "{drop}"], nothing_there, 2, "No roster of run 'nosuchrun'"),
    ("the ledger of a comparison", ["verify", "{drop}"], spoil_ledger, 1, "not a database"),
    ("a status", ["status", "{drop}/nowhere"], nothing_there, 2, "does not exist"),
    ("the ledger of a status", ["status"], spoil_ledger, 1, "not a database"),
    ("a story", ["why", "nobody"], nothing_there, 2, "Nobody knows 'nobody'"),
    ("the ledger of an adoption", ["adopt", "{drop}"], nothing_there, 2, "The ledger already has 16 records"),
    ("a backfill", ["backfill", "{drop}", "2026-01-02", "2026-01-01"], nothing_there, 2, "before it begins"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("words", "spoil", "code", "reason"),
    [case[1:] for case in EARLY],
    ids=[case[0] for case in EARLY],
)
def test_an_early_end_is_told_to_programs_too(
    words: list[str],
    spoil: Callable[[Path], None],
    code: int,
    reason: str,
    tmp_path: Path,
    loads: Loads,
) -> None:
    """One object on the last line of standard output, which says that it failed, and why."""
    folder, state = drop(tmp_path / "drop", district()), tmp_path / "state"
    loads.begin("a district", state, lambda: roster("sync", folder, state=state).code == 0)
    spoil(state)

    run = roster(words[0], *(word.format(drop=folder) for word in words[1:]), "--json", state=state)

    assert (code, "failed", True) == (run.code, run.json["status"], reason in run.json["reason"])
    assert (1, f"roster: {run.json['reason']}") == (
        len(run.out.splitlines()),
        run.err.strip().splitlines()[-1],
    )


def test_an_early_end_has_what_a_run_has_as_far_as_it_is_known(tmp_path: Path) -> None:
    """Who reads the counts finds none; the run, the district and the target are those of the job, if there is one."""
    folder, state = drop(tmp_path / "drop", district()), tmp_path / "state"
    done = roster("sync", folder, "--json", state=state)
    spoil_ledger(state)

    known = roster("sync", folder, "--json", "--district", "larkspur", state=state).json
    unknown = roster("sync", tmp_path / "nowhere", "--json", state=state).json

    assert {*done.json, "reason"} == set(known) == set(unknown)
    assert ("larkspur", "sandbox", {}, True) == (
        known["district"],
        known["target"],
        known["entities"],
        bool(known["run"]),
    )
    assert (None, None, None) == (unknown["run"], unknown["district"], unknown["target"])


def test_a_refused_drop_is_told_to_programs_also_by_an_adoption(tmp_path: Path) -> None:
    """Like one that is to be loaded."""
    folder = drop(tmp_path / "drop", district())
    (folder / "users.csv").unlink()

    run = roster("adopt", folder, "--json", state=tmp_path / "state")

    assert (4, "refused") == (run.code, run.json["status"])
