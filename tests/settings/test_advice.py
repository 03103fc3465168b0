"""Every message that recommends a setting is followed to the letter: then the finding is gone, and the rows load."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.oneroster.sandbox import Sandbox
from flows.feeds.feed import TABLES
from tests.layouts.clever import FILES, clever
from tests.layouts.normalizing import written
from tests.layouts.test_nights import CANVAS
from tests.learning import learning
from tests.rest.newer import feeding
from tests.rosters import Rows, changed, district, drop
from tests.running import Run, roster
from transforms.from_json.drop import ROSTER
from transforms.rules import RULES

ROOT = Path(__file__).parents[2]
EMAIL_TEMPLATE = 'target.email_template = "{sourcedId}@students.example.edu"'
DROP = 'drop = "drop"\ntarget.url = "sandbox"\n'


@dataclass(frozen=True)
class Advice:
    """A rule whose message recommends a setting, and a drop that breaks it."""

    rule: str
    write: Callable[[Path], object]  # writes the drop into a folder
    setting: str  # what the message says, as a line of the feed file
    # What the feed file says only before, if the message is about a wrong setting.
    wrong: str = ""
    # What the feed file says in any case.
    beside: str = EMAIL_TEMPLATE
    code: int = 0  # the exit code of the check before


def rows(sourced_id: str, **cells: str) -> Callable[[Path], Path]:
    """Write the small district with some cells of one record changed."""
    return lambda folder: drop(folder, changed(district(), sourced_id, **cells))


def of_clever(**files: str) -> Callable[[Path], Path]:
    """Write a drop of Clever, with some other files."""
    return lambda folder: clever(folder, **files)


def students(name: str, grade: str = "6", encoding: str = "utf-8") -> Callable[[Path], None]:
    """Write a drop of Clever, with one other student, in an encoding."""

    def write(folder: Path) -> None:
        clever(folder)
        text = f"School_id,Student_id,First_name,Last_name,Grade\n1,s1,{name},Lee,{grade}\n1,s2,Bo,Ray,7\n"
        (folder / "students.csv").write_bytes(text.encode(encoding))

    return write


def of_two_layouts(folder: Path) -> None:
    """Write a drop of Clever, and files of School Data Sync V2.1 beside it."""
    clever(folder)
    written(
        folder,
        orgs="sourcedId,name,type\n1,Elm,school",
        users="sourcedId,username,givenName,familyName\nx,x@example.edu,Ann,Lee",
        roles="userSourcedId,orgSourcedId,role\nx,1,student",
    )


def with_another_header(folder: Path) -> None:
    """Give a required column a name that only the district can explain."""
    file = drop(folder, district()) / "users.csv"
    file.write_text(file.read_text("utf-8").replace("familyName", "nom", 1), "utf-8", newline="")


def of_canvas(folder: Path) -> None:
    """Write a drop of Canvas whose days are timestamps."""
    times = {"terms": CANVAS["terms"].replace("-01,", "-01T05:00:00Z,")}
    written(folder, **CANVAS | times)


def without_a_root(folder: Path) -> None:
    """Write the small district as two schools that nothing is above."""
    loose: Rows = changed(changed(district(), "s1", parentSourcedId=""), "s2", parentSourcedId="")
    loose = changed(loose, "co", orgSourcedId="s1")
    loose["orgs"] = [row for row in loose["orgs"] if row["sourcedId"] != "d"]
    drop(folder, loose)


def with_a_late_result(folder: Path) -> None:
    """Write graded work, one with a status of the district's own."""
    graded = district() | learning()
    result = graded["results"][0]["sourcedId"]
    drop(folder, changed(graded, result, scoreStatus="ext:late"))


ADVICE = (
    Advice("layout_recognised", of_clever(), 'layout = "clever"'),
    Advice("layout_unclear", of_two_layouts, 'layout = "clever"', code=4),
    Advice("bad_encoding", students("佐藤", encoding="shift_jis"), 'encoding = "shift_jis"', code=4),
    Advice("encoding_fallback", students("José", encoding="cp1252"), 'encoding = "cp1252"'),
    Advice("district_made", of_clever(), 'source.district = { name = "Larkspur", id = "larkspur" }'),
    Advice("setting_idle", of_clever(), "", wrong="source.escape_ids = true", code=2),
    Advice("header_missing", with_another_header, 'source.columns.users.nom = "familyName"', code=4),
    Advice("guid", rows("e1", sourcedId="E:1"), "source.escape_ids = true"),
    Advice("date_order", rows("e1", beginDate="3/4/2026"), 'source.date_order = "mdy"'),
    Advice("date_read", rows("e1", beginDate="8/27/2026"), 'source.date_order = "mdy"'),
    Advice("spreadsheet_date", students("Ann", grade="8-Jun"), "source.repair = true"),
    Advice("zeros_differ", of_clever(students=FILES["students"].replace("s1", "0007").replace("s2", "0008"), enrollments="School_id,Section_id,Student_id\n1,c1,7\n1,c1,8"), "source.repair = true"),
    Advice("zone_missing", of_canvas, 'time_zone = "America/Chicago"'),
    Advice("share_unknown", rows("e1"), "", wrong='share.exclude = ["nobody"]'),
    Advice("target_email", rows("bo", email=""), EMAIL_TEMPLATE, beside=""),
    Advice("target_role", rows("r3", role="ext:coach"), 'target.roles."ext:coach" = "aide"'),
    Advice("target_enrollment_role", rows("e3", role="ext:coach"), 'target.enrollment_roles."ext:coach" = "teacher"'),
    Advice("target_score_status", with_a_late_result, 'target.score_statuses."ext:late" = "exempt"'),
    Advice("target_value", rows("bo", grades="Young Fives"), 'target.grades."Young Fives" = "-1"'),
    Advice("target_mapped", rows("c1", classType="ext:club"), 'target.class_types."ext:club" = "homeroom"'),
    Advice("target_session_org", without_a_root, 'target.session_org = "s1"'),
)  # fmt: skip
# Rules whose advice is followed by a test of its own.
ALONE = {
    "file_gone": "test_a_file_that_will_not_come_again_is_named",
    "id_claimed": "test_ids_that_two_feeds_have_get_a_prefix",
    "year_made": "test_another_school_year_is_used",
    "term_missing": "test_another_school_year_is_used",
    "collection_unshared": "test_a_collection_that_is_not_shared_is_left_out",
}
# Rules whose advice is followed by a test of their subject.
OF_THEIR_OWN = dict.fromkeys(
    ("id_of_two", "ids_apart"),
    "tests/layouts/test_ranges.py::test_where_no_name_is_the_same_a_setting_says_who_is_meant",
)
# Rules whose message names a setting, and recommends something else.
NO_ADVICE = {
    "drop_incomplete": "[arrival] is what refused the drop; the advice is to wait",
    "date_with_time": "`time_zone` is set already, or days would be rejected",
    "manifest_mode": "`delta` is a word of the manifest",
    "manifest_mode_blank": "`delta` is a word of the manifest",
    "manifest_file_unexpected": "`delta` is a word of the manifest",
    "share_unjudged": "the advice is to load the people in another feed, or to share everybody",
}
KEYS = {name for table in TABLES.values() for name in table.model_fields}


def settings_in(text: str) -> set[str]:
    """Return the settings and tables of the feed file that a message names."""
    names = re.findall(r"`([a-z_]+)(?: = [^`]*)?`", text)
    tables = re.findall(r"\[([a-z_.]+)\]", text)
    return {name for name in names if name in KEYS} | {name for name in tables if name in TABLES}


def test_every_rule_that_recommends_a_setting_is_followed() -> None:
    """A new rule, or a new next step, needs a drop that breaks it, or a reason."""
    naming = {code for code, rule in RULES.items() if settings_in(rule.fix)}

    followed = {advice.rule for advice in ADVICE} | ALONE.keys() | OF_THEIR_OWN.keys()
    assert set() == naming - followed - NO_ADVICE.keys()
    assert set() == {name for name in ALONE.values() if name not in globals()}


def run(folder: Path, command: str, *lines: str, name: str = "larkspur") -> Run:
    """Run a command with a feed file of some lines."""
    feed = folder / f"{name}.toml"
    feed.write_text("\n".join([f'district = "{name}"', *lines]), "utf-8")
    return roster(command, feed, "--json", state=folder / "state")


@pytest.mark.parametrize("advice", ADVICE, ids=lambda advice: advice.rule)
def test_a_message_is_followed(advice: Advice, tmp_path: Path) -> None:
    """The message names the setting; with it the finding is gone, and every row is loaded."""
    advice.write(tmp_path / "drop")
    before = run(tmp_path, "check", DROP, advice.beside, advice.wrong)

    checked, planned, loaded, again = (
        run(tmp_path, command, DROP, advice.beside, advice.setting)
        for command in ("check", "plan", "sync", "sync")
    )

    said = " ".join(Path(before.json["report"]).read_text("utf-8").split())
    assert (True, advice.code) == (f"`{advice.rule}`" in said, before.code)
    for name in re.findall(r"[a-z_]+", advice.setting.partition(" = ")[0])[-1:]:
        assert name in said or advice.setting.split(".")[1] in said
    for done in (checked, planned, loaded):
        assert (0, 0) == (done.code, done.total("rejected"))
        assert f"`{advice.rule}`" not in Path(done.json["report"]).read_text("utf-8")
    assert planned.total("created") == loaded.total("created") > 0
    assert "unchanged" == again.json["status"]


def test_a_file_that_will_not_come_again_is_named(tmp_path: Path) -> None:
    """Its people are held; with `without` they are treated as any others that are gone."""
    limits = "limits.vanished_percent = 100\nlimits.school_percent = 100\n"
    lines = (DROP, EMAIL_TEMPLATE, limits)
    clever(tmp_path / "drop")
    run(tmp_path, "sync", *lines)
    (tmp_path / "drop" / "staff.csv").unlink()

    held = run(tmp_path, "plan", *lines)
    done = run(tmp_path, "sync", *lines, 'source.without = ["staff.csv"]')

    assert (3, True) == (held.code, "`without` under [source]" in held.said.replace("\n", " "))
    assert (0, 1) == (done.code, done.total("disabled"))
    assert "file_gone" not in Path(done.json["report"]).read_text("utf-8")


def test_ids_that_two_feeds_have_get_a_prefix(tmp_path: Path) -> None:
    """The second feed's records arrive beside those of the first."""
    lines = (DROP, EMAIL_TEMPLATE)
    drop(tmp_path / "drop", district())
    first = run(tmp_path, "sync", *lines)

    claimed = run(tmp_path, "plan", *lines, name="juniper")
    done = run(tmp_path, "sync", *lines, 'source.prefix = "j-"', name="juniper")

    assert "id_claimed" in Path(claimed.json["report"]).read_text("utf-8")
    assert "id_claimed" not in Path(done.json["report"]).read_text("utf-8")
    assert (0, first.total("created")) == (done.code, done.total("created"))


@pytest.mark.parametrize("setting", ["source.school_year = 2031", 'source.year_begins = "12-15"'])
def test_another_school_year_is_used(setting: str, tmp_path: Path) -> None:
    """What is made is reported all the same: the setting is for this year only."""
    clever(tmp_path / "drop")
    made = run(tmp_path, "check", DROP, EMAIL_TEMPLATE)

    other = run(tmp_path, "sync", DROP, EMAIL_TEMPLATE, setting)

    before, after = (Path(one.json["report"]).read_text("utf-8") for one in (made, other))
    years = re.compile(r"year/(\d{4})")
    assert "year_made" in re.findall(r"`(\w+)`", before)
    assert (0, 0) == (other.code, other.total("rejected"))
    assert {*years.findall(before)} != {*years.findall(after)}


def test_a_collection_that_is_not_shared_is_left_out(tmp_path: Path, sandbox: Sandbox) -> None:
    """The warning is gone, and its records stay."""
    with feeding(tmp_path, sandbox) as (source, feed):
        feed.run("sync")
        source.refused["demographics"] = 403
        warned = feed.run("sync")
        file = feed.folder / "juniper.toml"
        others = [name for name in ROSTER if name != "demographics"]
        file.write_text(file.read_text().replace("[rest]", f"[rest]\ncollections = {others}"))

        done = feed.run("sync")

        assert "collection_unshared" in Path(warned.json["report"]).read_text("utf-8")
        assert "collection_unshared" not in Path(done.json["report"]).read_text("utf-8")
        assert ("unchanged", ["ana"]) == (done.json["status"], feed.holds("demographics"))


def test_timestamps_of_an_api_get_a_time_zone(tmp_path: Path, sandbox: Sandbox) -> None:
    """The day is then that of the place, and no longer the one in UTC."""
    with feeding(tmp_path, sandbox) as (source, feed):
        source.records["enrollments"][0]["beginDate"] = "2026-11-01T23:00:00.000Z"
        before = feed.run("check")
        file = feed.folder / "juniper.toml"
        file.write_text('time_zone = "Asia/Tokyo"\n' + file.read_text())

        done = feed.run("sync")

        one = source.records["enrollments"][0]["sourcedId"]
        assert "zone_missing" in Path(before.json["report"]).read_text("utf-8")
        assert "zone_missing" not in Path(done.json["report"]).read_text("utf-8")
        assert "2026-11-02" == (sandbox.store.get("enrollments", one) or {})["beginDate"][:10]


def test_the_ids_that_a_plan_proposes_are_kept(tmp_path: Path) -> None:
    """With the file that is beside the plan, everybody keeps the old id, and nothing is held."""
    drop(tmp_path / "drop", district())
    run(tmp_path, "sync", DROP)
    for file in (tmp_path / "drop").glob("*.csv"):
        text = file.read_text("utf-8")
        for person in ("ana", "bo", "tia", "mum"):
            text = text.replace(f"\n{person},", f"\nx-{person},").replace(
                f",{person},", f",x-{person},"
            )
        file.write_text(text, "utf-8", newline="")

    held = run(tmp_path, "sync", DROP)
    proposed = Path(held.json["report"]).parent / "ids.csv"
    (tmp_path / "ids.csv").write_bytes(proposed.read_bytes())
    done = run(tmp_path, "sync", DROP, 'ids = "ids.csv"')

    assert (3, True) == (held.code, "name it as `ids` in the feed file" in one_line(held))
    assert (0, 0, 0) == (done.code, done.total("held"), done.total("created"))


def one_line(done: Run) -> str:
    """Return what a command said, without line ends."""
    return " ".join(done.said.split())


# Other messages that recommend a setting, by a part of each, and the tests that follow it.
HERE = "tests/settings/test_advice.py"
FOLLOWED = {
    "and name it as `ids`": f"{HERE}::test_the_ids_that_a_plan_proposes_are_kept",
    "and name it in `without`": f"{HERE}::test_a_file_that_will_not_come_again_is_named",
    "name it in [source.columns": f"{HERE}::test_a_message_is_followed",
    "A mapping file says what other": "tests/mappings/test_map.py::test_a_guess_that_a_person_has_finished_loads_as_the_mapping_by_hand",
    "Then name this file as `layout`": "tests/mappings/test_map.py::test_a_guess_that_a_person_has_finished_loads_as_the_mapping_by_hand",
    "Then write `layout =": "tests/mappings/test_near_standard.py::test_what_check_refuses_loads_with_the_mapping",
    "Name the right one as `layout`": f"{HERE}::test_a_message_is_followed",
    "`snapshot = false` says that": "tests/settings/test_source.py::test_whether_a_drop_of_oneroster_is_a_snapshot",
    "or say `snapshot = true`": "tests/settings/test_source.py::test_files_are_missing_of_snapshots_only",
    "set the `profile` in [rest]": "tests/rest/test_profiles.py::test_a_provider_is_read_with_its_profile",
    "`delta`, such a record stays": "tests/rest/test_syncing.py::test_only_changes_are_asked_for_after_the_first_night",
    "staging = true": "tests/cli/test_probe.py::test_who_says_that_a_target_is_for_staging",
    "has no `version`": "tests/rest/test_profiles.py::test_a_provider_is_read_with_its_profile",
    'has `oauth = "1.0a"`': "tests/settings/test_rest.py::test_a_source_may_be_signed_for",
    "how the names are ordered": "tests/arriving/test_waiting.py::test_what_the_names_do_not_order_the_named_setting_does",
    "or narrow the pattern of `drop`": "tests/arriving/test_waiting.py::test_what_the_names_do_not_order_the_named_setting_does",
    "give this one a `prefix` under": "tests/cli/test_shared.py::test_an_id_of_somebody_else_waits_for_a_person",
    "as its `drop`": "tests/arriving/test_elsewhere.py::test_an_address_on_the_command_line_is_told_where_it_belongs",
}
# Messages that name a setting and recommend none.
NAMED_ONLY = (
    "See [share] and [target] there.",
    "The feed file says `runner",
    "have records in the target (`external`)",
    "or `owner` under [shared] says so",
    # Whoever sets these has said too much: the line is removed.
    "says itself which files hold all there is. Remove it",
    "Set no more than that, or remove it.",
    "Remove `version`.",
    'which only `oauth = "1.0a"` has a use for. Remove it.',
    "is always OneRoster. Remove the line.",
    "has no use for. Remove them.",
    "from which rosters are read instead. Remove one of them.",
    "for so long it is tried",
)


def advice_in(package: str) -> set[str]:
    """Return the texts of a package's modules that name a setting as a next step, without rules.

    Refusals of a feed file for a setting without effect are followed in `test_needs.py`.
    """
    found = set()
    for file in sorted((ROOT / package).rglob("*.py")):
        if file.name in ("rules.py", "reference.py", "dictionary.py", "needs.py"):
            continue
        for text in texts_of(ast.parse(file.read_text("utf-8"))):
            if settings_in(text) and re.search(
                r"feed file|under \[|[Ss]et |[Nn]ame it|say |Remove", text
            ):
                found.add(text)
    return found


def texts_of(tree: ast.Module) -> set[str]:
    """Return the texts of a module, with `{}` for what is filled in, without docstrings."""
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    } | {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            pieces = (one.value if isinstance(one, ast.Constant) else "{}" for one in node.values)
            texts.add("".join(map(str, pieces)))
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in inside
        ):
            texts.add(node.value)
    return texts


@pytest.mark.parametrize("package", ["transforms", "connectors", "flows"])
def test_every_other_message_is_followed_too(package: str) -> None:
    """A new message needs a test that does what it says."""
    known = (*FOLLOWED, *NAMED_ONLY)

    assert [] == sorted(
        text for text in advice_in(package) if not any(part in text for part in known)
    )


@pytest.mark.parametrize("test", sorted({*FOLLOWED.values(), *OF_THEIR_OWN.values()}))
def test_the_tests_that_follow_messages_exist(test: str) -> None:
    """One that is renamed must be renamed here too."""
    file, _, name = test.partition("::")
    tree = ast.parse((ROOT / file).read_text("utf-8"))

    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
