"""`roster forget`: one person is removed everywhere here and in the target, and does not come back."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.sandbox import Sandbox
from connectors.roster_archive import Archive
from flows.forget.redact import Mask, mask_files
from flows.run_files import RUN_FILES, RunFile, write_run_file
from tests.learning import learning
from tests.loads import Loads
from tests.rosters import Rows, changed, delta, district, drop, without
from tests.running import Run, roster
from tests.serving import Served
from transforms.forget import id_digest

LONG = {"ana": "lv-ana-0001", "mum": "lv-mum-0001"}
WORDS = ("lv-ana-0001", "Anabella", "Zephyrine", "anabella@example.edu")


def people() -> Rows:
    """The district, with ids and names that are not to be mistaken."""
    text = json.dumps(district())
    for short, long in LONG.items():
        text = text.replace(f'"{short}"', f'"{long}"')
    rows: Rows = json.loads(text)
    rows = with_cells(
        rows,
        givenName="Anabella",
        familyName="Zephyrine",
        email="anabella@example.edu",
        username="anabella.z",
        sms="5550123",
    )
    rows["enrollments"].append(
        {
            "sourcedId": "lv-enr-ana2",
            "classSourcedId": "c2",
            "schoolSourcedId": "s2",
            "userSourcedId": "lv-ana-0001",
            "role": "student",
        }
    )
    return rows


def with_cells(rows: Rows, **cells: str) -> Rows:
    """Change cells of the person, and not of what else has that id."""
    return rows | {"users": changed({"users": rows["users"]}, "lv-ana-0001", **cells)["users"]}


@pytest.fixture
def target(tmp_path: Path, sandbox: Sandbox, loads: Loads) -> Served:
    """A target that holds the district."""
    place = Served(sandbox, tmp_path / "state")
    drop(tmp_path / "drop", people())
    loads.begin(
        "people with long ids", place.state, lambda: sync(place, people()).code == 0, sandbox
    )
    return place


def sync(place: Served, rows: Rows, *more: str) -> Run:
    """Load rows."""
    return place.roster("sync", drop(place.state.parent / "drop", rows), *more)


def credentials(place: Served) -> dict[str, str]:
    """The environment of a command for this target."""
    return {
        "TIMEBACK_API_URL": place.sandbox.url,
        "TIMEBACK_TOKEN_URL": place.sandbox.token_url,
        "TIMEBACK_CLIENT_ID": "sandbox",
        "TIMEBACK_CLIENT_SECRET": "sandbox",
    }


def everything(state: Path) -> str:
    """All that the state folder holds, but for the sandbox: bytes of the ledger, rosters read back, texts."""
    texts = [path.read_bytes().decode("latin-1") for path in state.rglob("*") if path.is_file()]
    rosters = [pl.read_parquet(path).write_json() for path in state.rglob("*.parquet")]
    names = [str(path) for path in state.rglob("*")]
    return "\n".join([*texts, *rosters, *names])


def test_nothing_of_the_person_is_left_here(target: Served) -> None:
    """Neither id nor name nor address in ledger, rosters and files of runs, not even in what was deleted there."""
    sync(target, with_cells(people(), enabledUser="maybe"))
    sync(target, without(people(), "lv-ana-0001", "lv-enr-ana2", "e1"))
    assert all(word in everything(target.state) for word in WORDS)

    run = target.roster(
        "forget", "lv-ana-0001", "--by", "Data Office", "--note", "asked for by lv-ana-0001"
    )

    left = everything(target.state)
    assert (0, "done") == (run.code, run.json["status"])
    assert [] == [word for word in (*WORDS, "anabella.z", "5550123", "lv-enr-ana2") if word in left]
    with Ledger(target.state / "ledger.db") as ledger:
        assert {id_digest("lv-ana-0001")} == ledger.forgotten()


def test_the_target_holds_neutral_values_and_the_deletion(target: Served) -> None:
    """A deletion there keeps the data, so that it is blanked before; children go too."""
    run = target.roster("forget", "lv-ana-0001")

    user, born = target.record("users", "lv-ana-0001"), target.record("demographics", "lv-ana-0001")
    assert ("forgotten", "forgotten", "forgotten@example.invalid", "tobedeleted") == tuple(
        user[name] for name in ("givenName", "familyName", "email", "status")
    )
    assert not any(word in json.dumps(user) for word in (*WORDS[1:], "anabella", "5550123"))
    assert (None, None, "tobedeleted") == (born["birthDate"], born["sex"], born["status"])
    assert ["tobedeleted"] * 2 == [
        target.record("enrollments", one)["status"] for one in ("e1", "lv-enr-ana2")
    ]
    assert {"users": 1, "demographics": 1, "enrollments": 2} == run.json["feeds"][0]["deleted"]
    assert "active" == target.record("enrollments", "e2")["status"]


def test_the_next_sync_sends_nothing_and_counts_unshared(target: Served) -> None:
    """The drop still has the person; user, birth and enrollments are left out, and have not vanished."""
    target.roster("forget", "lv-ana-0001")

    run = sync(target, people())

    unshared = {
        name: counts["unshared"]
        for name, counts in run.json["entities"].items()
        if counts["unshared"]
    }
    assert (0, "unchanged", []) == (run.code, run.json["status"], target.writes)
    assert {"users": 1, "demographics": 1, "enrollments": 2} == unshared
    assert 0 == run.total("vanished")
    assert not any(word in everything(target.state) for word in WORDS)


def test_faults_in_the_rows_of_the_forgotten_are_not_told(target: Served) -> None:
    """No value of theirs comes back into the rejects."""
    target.roster("forget", "lv-ana-0001")

    run = sync(target, changed(with_cells(people(), enabledUser="Anabella"), "r1", role="wizard"))

    assert (0, 0, 1) == (run.code, run.total("rejected"), run.json["entities"]["users"]["unshared"])
    assert not any(word in everything(target.state) for word in WORDS)


def test_the_person_is_taken_from_those_who_name_them(target: Served) -> None:
    """A parent is an agent of a child: the child stays as it is otherwise, here and there."""
    assert [{"sourcedId": "lv-mum-0001"}] == target.record("users", "lv-ana-0001")["agents"]

    run = target.roster("forget", "lv-mum-0001")
    again = sync(target, people())

    assert (0, 1) == (run.code, run.json["feeds"][0]["unlinked"])
    assert [] == target.record("users", "lv-ana-0001")["agents"]
    assert "Anabella" == target.record("users", "lv-ana-0001")["givenName"]
    assert (0, []) == (again.code, target.writes)
    assert "lv-mum-0001" not in everything(target.state)


def test_a_restore_does_not_bring_the_person_back(target: Served) -> None:
    """The roster of an earlier run is as it was, without them."""
    first = _runs(target)[0]
    sync(target, changed(people(), "bo", givenName="Robert"))
    target.roster("forget", "lv-ana-0001")

    run = target.roster("restore", first, target.state.parent / "drop")

    assert (0, ["PUT"]) == (run.code, target.writes)
    assert ("Bo", "tobedeleted") == (
        target.record("users", "bo")["givenName"],
        target.record("users", "lv-ana-0001")["status"],
    )
    assert not any(word in everything(target.state) for word in WORDS)


def test_a_restore_from_a_copy_of_the_archive_does_not_either(target: Served) -> None:
    """Rosters that came back from a backup hold the person: the digest keeps them out."""
    folder = Archive(target.state / "rosters", _key(target)).folder
    copy = {path: path.read_bytes() for path in folder.iterdir()}
    sync(target, changed(people(), "bo", givenName="Robert"))
    target.roster("forget", "lv-ana-0001")
    for path, content in copy.items():
        path.write_bytes(content)

    run = target.roster("restore", _runs(target)[0], target.state.parent / "drop")

    assert (0, ["PUT"], 1) == (run.code, target.writes, run.json["entities"]["users"]["unshared"])


def test_an_older_plan_does_not_either(target: Served) -> None:
    """What was held of the person is not in the plan any more; the rest of it is sent."""
    rows = people()
    renamed = [row | {"sourcedId": f"new-{row['sourcedId']}"} for row in rows["enrollments"]]
    held = sync(target, rows | {"enrollments": renamed})
    assert (3, 8) == (held.code, held.total("held"))

    forgotten = target.roster("forget", "lv-ana-0001")
    run = target.roster("sync", target.state.parent / "drop", "--approve", held.json["plan"])

    assert (0, 0, 4) == (forgotten.code, run.code, len(target.writes))
    assert ("tobedeleted", {}) == (
        target.record("users", "lv-ana-0001")["status"],
        target.record("enrollments", "new-lv-enr-ana2"),
    )
    assert "active" == target.record("enrollments", "new-e2")["status"]
    assert not any(word in everything(target.state) for word in WORDS)


def test_forgetting_twice_finds_nothing_left(target: Served) -> None:
    """No request, no change, no error."""
    target.roster("forget", "lv-ana-0001")

    run = target.roster("forget", "lv-ana-0001")

    assert (0, [], [], 0) == (run.code, run.json["feeds"], target.writes, run.json["files"])


def test_what_a_dead_target_keeps_is_finished_later(tmp_path: Path) -> None:
    """Ledger and rosters keep what is needed to go on, and the digest holds from the first moment."""
    with Sandbox(tmp_path / "target.db") as sandbox:
        place = Served(sandbox, tmp_path / "state")
        sync(place, people())
    first = place.roster("forget", "lv-ana-0001")
    told = roster("forget", "lv-ana-0001", state=place.state, environment=credentials(place)).out
    with Ledger(place.state / "ledger.db") as ledger:
        noted = ledger.forgotten()
    with Sandbox(tmp_path / "target.db", port=int(sandbox.url.rpartition(":")[2])) as again:
        place = Served(again, tmp_path / "state")
        second = place.roster("forget", "lv-ana-0001")
        status = place.record("users", "lv-ana-0001")["status"]

    assert (1, "failed", "failed") == (
        first.code,
        first.json["status"],
        first.json["feeds"][0]["status"],
    )
    assert "run again" in first.json["feeds"][0]["error"]
    assert all(
        part in told
        for part in ("target: not finished: ", "ledger and rosters: not yet", "Not finished: ")
    )
    assert {id_digest("lv-ana-0001")} == noted
    assert (0, "tobedeleted") == (second.code, status)
    assert not any(word in everything(place.state) for word in WORDS)


def test_a_forgotten_person_is_not_called_somebody_elses(target: Served) -> None:
    """Neither in a target that deleted the record, nor in one that still has it."""
    target.roster("forget", "lv-ana-0001")
    gone = target.roster("why", "lv-ana-0001", "--entity", "users")
    target.change("users", "lv-ana-0001", status="active")
    back = target.roster("why", "lv-ana-0001", "--entity", "users")

    said = [run.json["records"][0]["verdict"] for run in (gone, back)]
    assert "was forgotten: the target holds the id as deleted" in said[0]
    assert "was forgotten here, and the target still holds the record" in said[1]


def test_somebody_elses_record_is_not_touched(tmp_path: Path, sandbox: Sandbox) -> None:
    """A user whom the target held before us is held as foreign, and stays as it is."""
    place = Served(sandbox, tmp_path / "state")
    place.change("orgs", "s1", name="Elm School", type="school")
    theirs = {
        "givenName": "Somebody",
        "familyName": "Else",
        "enabledUser": "true",
        "email": "else@example.edu",
    }
    place.change(
        "users",
        "lv-ana-0001",
        **theirs,
        roles=[{"role": "student", "roleType": "primary", "org": {"sourcedId": "s1"}}],
    )
    sync(place, people(), "--first-run")

    run = place.roster("forget", "lv-ana-0001")

    assert (0, True) == (run.code, run.json["feeds"][0]["foreign"])
    assert ("Somebody", "active") == tuple(
        place.record("users", "lv-ana-0001")[name] for name in ("givenName", "status")
    )
    assert "lv-ana-0001" not in everything(tmp_path / "state")


def test_an_id_that_nobody_knows_is_refused(target: Served) -> None:
    """A misspelled id would be promised to be gone, and is not."""
    run = target.roster("forget", "lv-ana-001")

    with Ledger(target.state / "ledger.db") as ledger:
        assert (2, frozenset(), True) == (run.code, ledger.forgotten(), "Nobody knows" in run.err)


def test_it_is_told_what_was_removed_and_what_is_not_ours(target: Served) -> None:
    """For people: where, how much, and that the drop still has the person; no name of anybody."""
    run = roster("forget", "lv-ana-0001", state=target.state, environment=credentials(target))

    assert "target: 1 demographics record, 2 enrollments, 1 user deleted" in run.out
    assert "ledger: 4 records removed; rosters: 4 records removed from 1 roster" in run.out
    assert all(
        part in run.out
        for part in ("The drop itself still has", "backups", "Done: lv-ana-0001 is forgotten")
    )
    assert not any(word in run.said for word in WORDS[1:])


def test_reports_and_plans_name_nobody_any_more(target: Served) -> None:
    """Rows of tables are taken out, words of texts are masked; what they say of others stays."""
    rows = people()
    renamed = [row | {"sourcedId": f"new-{row['sourcedId']}"} for row in rows["enrollments"]]
    sync(target, with_cells(rows | {"enrollments": renamed}, enabledUser="maybe"))
    sync(target, rows | {"enrollments": renamed})
    before = {path: path.read_text() for path in target.state.glob("runs/*/*")}

    run = target.roster("forget", "lv-ana-0001")

    changed_files = {path.name for path, text in before.items() if path.read_text() != text}
    assert {"rejects.csv", "plan.csv", "plan.md", "report.md"} == changed_files
    assert sum(path.read_text() != text for path, text in before.items()) == run.json["files"]
    plan = next(path for path in before if path.name == "plan.csv" and "new-e2" in path.read_text())
    assert ("new-e2" in plan.read_text(), "new-e1" in plan.read_text()) == (True, False)
    assert {0o600} == {path.stat().st_mode & 0o777 for path in before}


def test_a_feed_alone_tells_of_the_others(target: Served) -> None:
    """The other feed has sent the person too; it is named, with the command that goes on."""
    target.roster("sync", target.state.parent / "drop", "--district", "other")

    run = target.roster("forget", "lv-ana-0001", "--feed", "other")
    rest = target.roster("forget", "lv-ana-0001")

    assert [{"feed": "default", "target": target.sandbox.url}] == run.json["elsewhere"]
    assert (0, ["default"]) == (rest.code, [feed["feed"] for feed in rest.json["feeds"]])
    assert ["tobedeleted"] * 2 == [
        target.record(*one)["status"] for one in (("users", "lv-ana-0001"), ("enrollments", "e1"))
    ]


def test_a_feed_that_is_being_loaded_is_left_alone(target: Served) -> None:
    """Nothing is done, the note of the digest neither."""
    with Ledger(target.state / "ledger.db") as ledger, ledger.hold(_key(target), "a-run"):
        run = target.roster("forget", "lv-ana-0001")

        assert (1, True, frozenset()) == (
            run.code,
            "is being loaded by run a-run" in run.err,
            ledger.forgotten(),
        )


def test_missing_credentials_are_told_before_anything_is_done(target: Served) -> None:
    """Nobody is half forgotten for want of a variable."""
    run = roster("forget", "lv-ana-0001", state=target.state)

    with Ledger(target.state / "ledger.db") as ledger:
        assert (2, frozenset()) == (run.code, ledger.forgotten())
    assert "active" == target.record("users", "lv-ana-0001")["status"]


def test_a_record_that_cannot_be_blanked_is_reported(tmp_path: Path) -> None:
    """It is deleted all the same; what is needed to try again is kept, and no value is shown."""
    refusing = Refusing()
    with Sandbox(None, wrap=refusing.over) as sandbox:
        place = Served(sandbox, tmp_path / "state")
        sync(place, people())
        refusing.path = "/demographics/"
        first = place.roster("forget", "lv-ana-0001")
        born = place.record("demographics", "lv-ana-0001")
        refusing.path = ""
        second = place.roster("forget", "lv-ana-0001")

        assert (1, "tobedeleted", "2015-03-04") == (first.code, born["status"], born["birthDate"])
        assert ["demographics"] == [failed["entity"] for failed in first.json["feeds"][0]["failed"]]
        assert not any(word in first.said for word in WORDS[1:])
        assert (0, None) == (second.code, place.record("demographics", "lv-ana-0001")["birthDate"])


def test_a_target_that_is_gone_can_be_left_alone(target: Served) -> None:
    """Nothing is left here; the next sync takes the person from those who name them, as from any drop."""
    run = target.roster("forget", "lv-mum-0001", "--here")

    assert (0, [], False) == (run.code, target.writes, run.json["feeds"][0]["asked"])
    assert "lv-mum-0001" not in everything(target.state)
    assert "active" == target.record("users", "lv-mum-0001")["status"]
    assert (0, ["PUT"]) == (sync(target, people()).code, target.writes)


def test_other_lines_stay_as_they_were_written(tmp_path: Path) -> None:
    """Also those with a blank text in quotes, and with line breaks inside of a cell; without such a line, the file is left alone."""
    lines = [
        "file,row,sourcedId,value\n",
        'users.csv,1,"",""\n',
        "users.csv,2,lv-ana-0001,x\n",
        'users.csv,3,s9,"a\r\nb"\n',
        "users.csv,4,,\n",
    ]
    for run in ("r1", "r2"):
        (tmp_path / run).mkdir()
    (tmp_path / "r1" / "rejects.csv").write_bytes("".join(lines).encode())
    (tmp_path / "r2" / "rejects.csv").write_bytes(lines[1].encode())
    (tmp_path / "r2" / "plan.csv").write_bytes(b"")

    changed_files = mask_files(tmp_path, Mask({"lv-ana-0001"}))

    del lines[2]
    assert (1, "".join(lines).encode()) == (
        changed_files,
        (tmp_path / "r1" / "rejects.csv").read_bytes(),
    )


@pytest.mark.parametrize("name", RUN_FILES)
def test_no_file_of_a_run_keeps_the_person(tmp_path: Path, name: RunFile) -> None:
    """Whatever the file is for: each is on the list of those that a run writes, with what is taken out of it."""
    columns = sorted(RUN_FILES[name])
    tables = [f"row,{column}\n1,lv-ana-0001\n2,lv-bo-0002\n" for column in columns]
    for place, text in enumerate(
        tables or ["- held users lv-ana-0001: delete\n- held users lv-bo-0002: delete\n"]
    ):
        write_run_file(tmp_path / str(place), name, text)

    changed_files = mask_files(tmp_path, Mask({"lv-ana-0001"}))

    left = [path.read_text("utf-8") for path in tmp_path.glob("*/*")]
    assert changed_files == len(left) == max(1, len(columns))
    assert [True] * len(left) == [
        "lv-ana-0001" not in text and "lv-bo-0002" in text for text in left
    ]


def test_a_run_writes_what_is_on_the_list_and_nothing_else(target: Served) -> None:
    """Here a sync that is held, and a comparison."""
    sync(target, without(people(), "lv-enr-ana2"))
    target.roster("verify", target.state.parent / "drop")

    written = {path.name for path in (target.state / "runs").glob("*/*")}

    assert {"plan.md", "verify.csv"} < written <= set(RUN_FILES)


def test_results_are_blanked_and_deleted_too(target: Served) -> None:
    """Scores and comments of a gradebook that another feed has loaded."""
    text = (
        json.dumps(people() | learning())
        .replace('"ana"', '"lv-ana-0001"')
        .replace('"score": "9"', '"score": "9", "comment": "Zephyrine tries"')
    )
    sync(target, json.loads(text))

    run = target.roster("forget", "lv-ana-0001")

    result = target.record("results", "r9")
    assert (0, "tobedeleted", None, None) == (
        run.code,
        result["status"],
        result["comment"],
        result["score"],
    )
    assert "tobedeleted" == target.record("assessmentResults", "g1")["status"]
    assert not any(word in everything(target.state) for word in WORDS)


def test_the_embedded_sandbox_keeps_no_name_either(tmp_path: Path) -> None:
    """Its file is written anew: neither free pages nor journal hold what was overwritten."""
    state = tmp_path / "state"
    roster("sync", drop(tmp_path / "drop", people()), state=state)
    assert all(
        word.encode() in (state / "sandbox.db").read_bytes() + _journal(state) for word in WORDS
    )

    run = roster("forget", "lv-ana-0001", state=state)

    assert (0, []) == (run.code, [word for word in WORDS[1:] if word in everything(state)])


def test_a_delta_does_not_bring_the_person_back(target: Served) -> None:
    """What it says of the person is unshared, and left out of the roster that is kept."""
    target.roster("forget", "lv-ana-0001")
    rows = {
        name: table for name, table in people().items() if name in ("users", "roles", "enrollments")
    }

    run = target.roster("sync", drop(target.state.parent / "drop", delta(rows), mode="delta"))

    assert (0, [], 1) == (run.code, target.writes, run.json["entities"]["users"]["unshared"])
    assert not any(word in everything(target.state) for word in WORDS)


class Refusing:
    """A target that refuses each PUT below a path, and repeats what it received."""

    def __init__(self) -> None:
        self.path = ""

    def over(self, app: ASGIApp) -> ASGIApp:
        """Give the application as clients see it."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if (
                scope["type"] == "http"
                and scope["method"] == "PUT"
                and self.path
                and self.path in scope["path"]
            ):
                said = (await Request(scope, receive).body()).decode()
                await JSONResponse({"imsx_codeMajor": "failure", "imsx_description": said}, 422)(
                    scope, receive, send
                )
            else:
                await app(scope, receive, send)

        return answer


def _journal(state: Path) -> bytes:
    path = state / "sandbox.db-wal"
    return path.read_bytes() if path.exists() else b""


def _runs(place: Served) -> list[str]:
    return Archive(place.state / "rosters", _key(place)).runs()


def _key(place: Served) -> FeedKey:
    return FeedKey(place.sandbox.url, "default")
